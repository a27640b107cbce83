"""What cards show of what is otherwise outside than Lucy knows it."""

from dataclasses import dataclass
from datetime import datetime

from lucy.domain.course_drift import CourseDrift
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
class CourseDriftGroup:
    """Enrolments that differ in one way: how many in all, the courses with the most, since when."""

    drift: CourseDrift
    count: int
    courses: tuple[tuple[str, int], ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class DriftView:
    """`checked_at`: the last check, None before the first; `whole_at`: the last one of all accounts.

    `asked`: somebody has just had it checked; the card is drawn again when that is done.
    """

    groups: tuple[DriftGroup, ...]
    checked_at: datetime | None = None
    whole_at: datetime | None = None
    courses: tuple[CourseDriftGroup, ...] = ()
    asked: bool = False
