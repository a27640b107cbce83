"""Temporary passwords: how they are made, and the print by which the last one set is known."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

SHORTEST = LENGTH = 16
LONGEST = 64
# Without signs that look alike in a letter (0 O o, 1 l I i, 5 S, 2 Z, quotes) or that mail clients turn into links.
CLASSES = ("abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRTUVWXY", "346789", "!#%+-=?@*")
_random = secrets.SystemRandom()


def make_password(*, length: int = LENGTH, avoid: Iterable[str] = ()) -> str:
    """A password of `length` signs with at least two of each class, holding none of `avoid` (names, document number).

    Entra asks for 8-256 signs of three classes (contracts/graph.md, section 3).
    """
    parts = [part.casefold() for part in avoid if len(part) >= 3]
    while True:
        signs = [secrets.choice(group) for group in CLASSES for _ in range(2)]
        signs += [secrets.choice("".join(CLASSES)) for _ in range(length - len(signs))]
        _random.shuffle(signs)
        password = "".join(signs)
        if not any(part in password.casefold() for part in parts):
            return password


def fingerprint(password: str, *, salt: str | None = None) -> str:
    """A salted print, `salt$hash`. The password has some 90 random bits, so a fast hash gives nothing away."""
    salt = salt or secrets.token_hex(8)
    return f"{salt}${hashlib.blake2b(password.encode(), salt=bytes.fromhex(salt), digest_size=20).hexdigest()}"


def matches(password: str, print_: str) -> bool:
    """Whether the print is of this password."""
    salt, _, _ = print_.partition("$")
    return bool(salt) and hmac.compare_digest(fingerprint(password, salt=salt), print_)
