"""Outages: what every process knows of a system that fails. At most one of a system is not closed."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import OutageRow, StepRow
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.errors import System


async def get(session: AsyncSession, number: int) -> OutageRow | None:
    return await session.get(OutageRow, number)


async def current(session: AsyncSession, system: System) -> OutageRow | None:
    """The outage of a system, suspected or open; None when all is well. Locks nothing."""
    statement = select(OutageRow).where(OutageRow.system == system.value, OutageRow.closed_at.is_(None))
    return (await session.scalars(statement)).one_or_none()


async def lock(session: AsyncSession, system: System) -> OutageRow | None:
    """The same, held until the transaction ends."""
    statement = select(OutageRow).where(OutageRow.system == system.value, OutageRow.closed_at.is_(None))
    found = await session.scalars(statement.with_for_update().execution_options(populate_existing=True))
    return found.one_or_none()


async def open_ones(session: AsyncSession) -> Sequence[OutageRow]:
    """The systems whose circuit is open."""
    statement = select(OutageRow).where(OutageRow.closed_at.is_(None), OutageRow.opened_at.is_not(None))
    return (await session.scalars(statement.order_by(OutageRow.id))).all()


async def add_failure(session: AsyncSession, system: System, *, code: str, now: datetime, forget_s: float) -> OutageRow:
    """Count one more failure, the first one makes the suspicion; returns it locked.

    A suspicion that came to nothing for `forget_s` seconds begins anew.
    """
    statement = insert(OutageRow).values(system=system.value, failures=1, code=code, first_failed_at=now)
    stale = OutageRow.opened_at.is_(None) & (OutageRow.first_failed_at < now - timedelta(seconds=forget_s))
    counted = statement.on_conflict_do_update(
        index_elements=[OutageRow.system],
        index_where=OutageRow.closed_at.is_(None),
        set_={
            "failures": case((stale, 1), else_=OutageRow.failures + 1),
            "first_failed_at": case((stale, now), else_=OutageRow.first_failed_at),
            "code": code,
        },
    ).returning(OutageRow)
    return (await session.scalars(counted, execution_options={"populate_existing": True})).one()


async def give_back_probe(session: AsyncSession, system: System) -> None:
    """Whoever was to try found nothing to try with, or learnt nothing: let another one."""
    await session.execute(
        update(OutageRow)
        .where(OutageRow.system == system.value, OutageRow.closed_at.is_(None))
        .values(probing_until=None)
    )


async def forgive(
    session: AsyncSession, kinds: Collection[StepKind], codes: Collection[str], *, due_by: datetime
) -> None:
    """Steps that were postponed because their system was down: no try is held against them, due at the latest then.

    A step that somebody records at this moment is left alone.
    """
    chosen = (
        select(StepRow.id)
        .where(StepRow.state == StepState.DUE, StepRow.kind.in_(list(kinds)), StepRow.error_code.in_(list(codes)))
        .with_for_update(skip_locked=True)
    )
    await session.execute(
        update(StepRow).where(StepRow.id.in_(chosen)).values(tries=0, due_at=func.least(StepRow.due_at, due_by))
    )
