"""General pauses: who stopped everything, or one system, why and until when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import GeneralPauseRow
from lucy.domain.audit import Actor
from lucy.errors import System

_PAUSING = 0x50415553  # "PAUS": two who pause at once come one after the other


async def stops(session: AsyncSession, system: System, *, now: datetime) -> bool:
    """Whether nobody may begin anything with the system."""
    statement = select(GeneralPauseRow.id).where(GeneralPauseRow.system.in_(["", system.value]), _active(now))
    return await session.scalar(statement.limit(1)) is not None


async def active(session: AsyncSession, *, now: datetime) -> Sequence[GeneralPauseRow]:
    """The pauses in force, the one of everything first."""
    statement = select(GeneralPauseRow).where(_active(now)).order_by(GeneralPauseRow.system, GeneralPauseRow.id)
    return (await session.scalars(statement)).all()


async def take_turn(session: AsyncSession) -> None:
    """Nobody else sets or lifts a pause until the transaction ends."""
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _PAUSING})


async def add(
    session: AsyncSession, *, system: System | None, reason: str, owner: Actor, now: datetime, until: datetime | None
) -> GeneralPauseRow:
    row = GeneralPauseRow(
        system=system.value if system else "",
        reason=reason,
        owner_id=owner.id,
        owner_name=owner.name,
        since=now,
        until=until,
    )
    session.add(row)
    await session.flush()
    return row


async def expired(session: AsyncSession, *, now: datetime) -> Sequence[GeneralPauseRow]:
    """Pauses whose time is over and that nobody has taken off the list, locked."""
    statement = select(GeneralPauseRow).where(GeneralPauseRow.lifted_at.is_(None), GeneralPauseRow.until <= now)
    return (await session.scalars(statement.order_by(GeneralPauseRow.id).with_for_update(skip_locked=True))).all()


def _active(now: datetime) -> ColumnElement[bool]:
    in_time = or_(GeneralPauseRow.until.is_(None), GeneralPauseRow.until > now)
    return GeneralPauseRow.lifted_at.is_(None) & in_time
