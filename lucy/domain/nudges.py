"""Messages to the workers: a name and ids, never facts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nudge:
    """There is work of this kind."""

    actor: str
    args: tuple[str | int, ...] = ()
