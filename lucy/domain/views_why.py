"""What the card of `por que` shows: each thing that a student has or lacks, with the facts that led to it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Because:
    """`holds`: it is so. `facts` in the order in which they led to it, whole sentences without a full stop."""

    thing: str
    holds: bool
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyView:
    """`source` is what SIAL says. `others`: how many courses more no rule gives, where not all are told."""

    name: str
    document: str
    source: tuple[str, ...]
    things: tuple[Because, ...]
    others: int = 0
