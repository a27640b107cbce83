"""Nudges that leave after the commit. They carry ids only and may be lost or doubled: the tables are the truth."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import OutboxRow
from lucy.domain.nudges import Nudge


async def put(session: AsyncSession, nudges: Sequence[Nudge], *, now: datetime, delay_s: float = 0) -> None:
    """Leave nudges to be sent once the caller's transaction has committed, `delay_s` from now."""
    rows = [
        {"actor": nudge.actor, "args": list(nudge.args), "not_before": now + timedelta(seconds=delay_s)}
        for nudge in dict.fromkeys(nudges)
    ]
    if rows:
        await session.execute(insert(OutboxRow), rows)


async def take(session: AsyncSession, *, now: datetime, limit: int = 200) -> list[Nudge]:
    """Take nudges that are due, doubled ones too; gone when the transaction commits, back when it does not."""
    taken = await session.execute(
        text(
            """
            delete from outbox where id in (
                select id from outbox where not_before <= :now order by id limit :limit for update skip locked
            ) returning actor, args
            """
        ),
        {"now": now, "limit": limit},
    )
    return [Nudge(row.actor, tuple(row.args)) for row in taken]
