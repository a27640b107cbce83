"""What cards show of the accounts' drift from what Lucy knows."""

from dataclasses import dataclass
from datetime import datetime

from lucy.domain.drift import Drift


@dataclass(frozen=True, slots=True)
class DriftLine:
    """One account. `document` is masked; empty where Lucy knows nobody by it."""

    document: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DriftGroup:
    """All accounts that differ in one way: how many, and the oldest."""

    drift: Drift
    count: int
    oldest: tuple[DriftLine, ...]


@dataclass(frozen=True, slots=True)
class DriftView:
    """`checked_at`: the last check, None before the first; `whole_at`: the last one of all accounts."""

    groups: tuple[DriftGroup, ...]
    checked_at: datetime | None = None
    whole_at: datetime | None = None
