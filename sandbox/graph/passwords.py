"""The password policy of cloud users, and how passwords are kept.

Source: contracts/graph.md section 3, "Password policy" (MicrosoftDocs/entra-docs `concept-sspr-policy.md`).
"""

import hashlib
import hmac
import os
import string
from dataclasses import dataclass

MIN_LENGTH, MAX_LENGTH = 8, 256
CLASSES_NEEDED = 3
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation + " ")


def complies(password: str) -> bool:
    """8 to 256 characters, ASCII and space only, three of lower, upper, digit, symbol."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH or any(not " " <= character <= "~" for character in password):
        return False
    return sum(any(character in kind for character in password) for kind in _CLASSES) >= CLASSES_NEEDED


@dataclass(frozen=True)
class StoredPassword:
    """A salted hash: enough to prove that a letter's password opens the account. Fast, since nothing here is real."""

    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> "StoredPassword":
        salt = os.urandom(16)
        return cls(salt, _digest(salt, password))

    def matches(self, password: str) -> bool:
        return hmac.compare_digest(self.digest, _digest(self.salt, password))

    def __str__(self) -> str:
        return f"sha256${self.salt.hex()}${self.digest.hex()}"


def _digest(salt: bytes, password: str) -> bytes:
    return hashlib.sha256(salt + password.encode()).digest()
