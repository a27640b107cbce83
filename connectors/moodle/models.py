"""What only this connector knows of; the rest is in `lucy/ports.py`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MoodleSiteInfo:
    """The pre-flight's answer. `user_id` is the token's user; `functions` are those in the token's service."""

    release: str
    user_id: int
    functions: frozenset[str]
