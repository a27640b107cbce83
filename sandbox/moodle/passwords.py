"""Moodle's default password policy. Source: `check_password_policy`, https://docs.moodle.org/en/Password_policy."""

import re

_RULES = (
    (re.compile(r".{8,}", re.DOTALL), "Passwords must be at least 8 characters long."),
    (re.compile(r"[0-9]"), "Passwords must have at least 1 digit(s)."),
    (re.compile(r"[a-z]"), "Passwords must have at least 1 lower case letter(s)."),
    (re.compile(r"[A-Z]"), "Passwords must have at least 1 upper case letter(s)."),
    (re.compile(r"[^a-zA-Z0-9]"), "The password must have at least 1 special character(s) such as *, -, or #."),
)


def complaints(password: str) -> list[str]:
    """The policy's sentences that this password breaks, none when it is good."""
    return [sentence for pattern, sentence in _RULES if pattern.search(password) is None]
