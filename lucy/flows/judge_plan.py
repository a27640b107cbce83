"""How many must approve a plan, and whether it would change so much at once that somebody has to look first.

The same judgement when a batch is asked for and when it begins (FEATURES row 63).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import config as config_db
from lucy.db.tables import AccountRow, StepRow, StudentRow
from lucy.domain.batches import BatchId
from lucy.domain.config import safety_from
from lucy.domain.house import House
from lucy.domain.operations import IRREVERSIBLE, REMOVALS, BatchKind, StepKind
from lucy.domain.plans import Plan
from lucy.domain.safety import Extent, threshold_name, tripped
from lucy.domain.steps import StepState
from lucy.domain.students import StudentId
from lucy.texts import _

ADDITIONS_KEY, REMOVALS_KEY = "additions", "removals"


@dataclass(frozen=True, slots=True)
class Extents:
    """How many students get something, and how many lose something."""

    additions: Extent
    removals: Extent

    def stored(self) -> dict[str, Any]:
        """As a batch keeps what somebody let pass."""
        return {ADDITIONS_KEY: asdict(self.additions), REMOVALS_KEY: asdict(self.removals)}


@dataclass(frozen=True, slots=True)
class Trip:
    """Why a batch is to be held: the numbers of each direction that went over; empty texts where none did."""

    additions: str
    removals: str

    @property
    def any(self) -> str:
        return self.removals or self.additions


async def extents_of_plan(session: AsyncSession, plan: Plan) -> Extents:
    adds: set[StudentId] = set()
    takes: set[StudentId] = set()
    for step in plan.steps:
        if step.state is not StepState.ALREADY:
            (takes if step.kind in REMOVALS else adds).add(step.student_id)
    return await _extents(session, len(adds), len(takes))


async def extents_of_batch(session: AsyncSession, batch: BatchId) -> Extents:
    """Of what a stored batch still has to do."""
    open_steps = select(func.count(StepRow.student_id.distinct())).where(
        StepRow.batch_id == batch, StepRow.state.in_([StepState.WAITING, StepState.DUE])
    )
    takes = await session.scalar(open_steps.where(StepRow.kind.in_(sorted(REMOVALS)))) or 0
    adds = await session.scalar(open_steps.where(StepRow.kind.in_(sorted(set(StepKind) - REMOVALS)))) or 0
    return await _extents(session, adds, takes)


async def _extents(session: AsyncSession, adds: int, takes: int) -> Extents:
    students = await session.scalar(select(func.count()).select_from(StudentRow)) or 0
    accounts = await session.scalar(select(func.count()).select_from(AccountRow)) or 0
    return Extents(Extent(adds, students), Extent(takes, accounts))


async def judge(
    session: AsyncSession,
    kind: BatchKind,
    extents: Extents,
    *,
    released: Mapping[str, Any] | None = None,
    house: House,
    now: datetime,
) -> Trip:
    """Hold the extents against the thresholds of the day; `released` is what somebody let pass before."""
    safety = safety_from(await config_db.values(session))
    day = now.astimezone(house.zone).date()
    texts = []
    for removals, extent, name in (
        (False, extents.additions, ADDITIONS_KEY),
        (True, extents.removals, REMOVALS_KEY),
    ):
        threshold = safety.threshold(threshold_name(kind, removals=removals), day)
        let_pass = (released or {}).get(name)
        reason = tripped(threshold, extent, released=Extent(**let_pass) if let_pass else None)
        # What an undo or a disabling adds (letters, new passwords) comes with what it takes away.
        counts = removals or kind not in {BatchKind.UNDO, BatchKind.DISABLE}
        texts.append(_over(reason, removals=removals) if reason and counts else "")
    return Trip(*texts)


def _over(reason: str, *, removals: bool) -> str:
    return (_("Demasiadas bajas de una vez: {why}.") if removals else _("Demasiado de una vez: {why}.")).format(
        why=reason
    )


async def approvals_needed(session: AsyncSession, kind: BatchKind, students: int) -> int:
    return safety_from(await config_db.values(session)).approvals[kind].needed(students)


def must_be_confirmed(plan: Plan) -> bool:
    """Whether the plan holds something that no later batch can take back: then the count is typed (row 69)."""
    return any(step.kind in IRREVERSIBLE for step in plan.steps)
