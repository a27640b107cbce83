"""Why the login authority gives no token."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TokenRefusal:
    """`error` is OAuth's; the number is Microsoft's, only a hint."""

    status: int
    error: str
    number: int
    message: str
