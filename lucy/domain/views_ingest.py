"""What cards show of readings of the source lists."""

from dataclasses import dataclass
from datetime import datetime

from lucy.domain.ingest_guard import Comparison, HeldRun
from lucy.domain.source import Likeness
from lucy.domain.students import SourceList


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reading that waits for a person."""

    why: HeldRun
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class ListReport:
    """One reading of one list. `failed` is the text of what went wrong; then the counts are zero.

    `emails`: account holders whose address changed. `unanswered`: personal records that SIAL did not give.
    """

    source_list: SourceList
    finished_at: datetime | None
    seen: int = 0
    new: int = 0
    changed: int = 0
    held: int = 0
    failed: str = ""
    emails: int = 0
    unanswered: int = 0
    run: int = 0
    waits: Waiting | None = None
    released_by: str = ""


@dataclass(frozen=True, slots=True)
class HeldReason:
    """Source entries put aside for one reason, and who must mend it."""

    reason: str
    who: str
    count: int


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One entry put aside. `document` is masked, empty for none; `detail`: a career's number, say."""

    source_list: SourceList
    document: str
    reason: str
    detail: str
    who: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AlikeGroup:
    """People who may be one, by what they have in common. Documents are masked; `groups` are the first of `count`."""

    likeness: Likeness
    count: int
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class HeldView:
    """What is aside: the counts of all, and the oldest one by one; and who may be one person."""

    reasons: tuple[HeldReason, ...]
    lines: tuple[HeldLine, ...]
    alike: tuple[AlikeGroup, ...] = ()
