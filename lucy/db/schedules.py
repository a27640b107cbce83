"""What happens by itself, and which process watches over it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from lucy.db.tables import ScheduleRow, ScheduleRunRow

_WATCH = 0x4C554359  # "LUCY": the advisory lock of the active scheduler


async def enabled(session: AsyncSession) -> Sequence[ScheduleRow]:
    return (await session.scalars(select(ScheduleRow).where(ScheduleRow.enabled).order_by(ScheduleRow.name))).all()


async def unplanned(session: AsyncSession) -> Sequence[ScheduleRow]:
    """Schedules without a next run, locked: one that is brought forward at this moment keeps that."""
    statement = select(ScheduleRow).where(ScheduleRow.enabled, ScheduleRow.next_run_at.is_(None))
    return (await session.scalars(statement.order_by(ScheduleRow.name).with_for_update())).all()


async def due(session: AsyncSession, *, now: datetime) -> Sequence[ScheduleRow]:
    """Schedules whose time has come, locked until the transaction ends."""
    statement = (
        select(ScheduleRow)
        .where(ScheduleRow.enabled, ScheduleRow.next_run_at <= now)
        .order_by(ScheduleRow.next_run_at)
        .with_for_update()
    )
    return (await session.scalars(statement)).all()


async def get(session: AsyncSession, name: str) -> ScheduleRow | None:
    return await session.get(ScheduleRow, name, with_for_update=True)


async def note_run(session: AsyncSession, name: str, *, planned_at: datetime, now: datetime) -> bool:
    """Note a run; False when this planned run was done already."""
    stored = await session.execute(
        insert(ScheduleRunRow)
        .values(schedule=name, planned_at=planned_at, started_at=now, finished_at=now, outcome="started")
        .on_conflict_do_nothing()
        .returning(ScheduleRunRow.id)
    )
    return stored.first() is not None


async def become_active(connection: AsyncConnection) -> bool:
    """Try to be the one active scheduler; the lock lives as long as the connection's session."""
    return bool(await connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": _WATCH}))
