"""People: who has spoken to Lucy, and what each was granted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import InboxDedupRow, MemberRow
from lucy.domain.roles import Role


async def meet(session: AsyncSession, *, entra_id: str, name: str, teams_id: str) -> MemberRow | None:
    """Note a person's name and Teams id; returns what was known before (with the grant)."""
    known = await session.get(MemberRow, entra_id)
    if known is None:
        statement = insert(MemberRow).values(entra_id=entra_id, name=name, teams_id=teams_id)
        await session.execute(statement.on_conflict_do_nothing())
    elif (known.name, known.teams_id) != (name or known.name, teams_id or known.teams_id):
        known.name, known.teams_id = name or known.name, teams_id or known.teams_id
    return known


async def get(session: AsyncSession, entra_id: str) -> MemberRow | None:
    return await session.get(MemberRow, entra_id)


async def grant(
    session: AsyncSession, *, entra_id: str, role: Role | None, granted_by: str, now: datetime
) -> MemberRow:
    """Give a role, or take it away with None."""
    row = await session.get(MemberRow, entra_id, with_for_update=True)
    if row is None:
        row = MemberRow(entra_id=entra_id, name="")
        session.add(row)
    row.role, row.granted_by, row.granted_at = role, granted_by, now
    await session.flush()
    return row


async def everyone(session: AsyncSession) -> Sequence[MemberRow]:
    return (await session.scalars(select(MemberRow).order_by(MemberRow.name, MemberRow.entra_id))).all()


async def first_time(session: AsyncSession, keys: Sequence[str], *, now: datetime) -> bool:
    """Whether none of the keys was handled before; handles them from now on.

    Two deliveries at once wait for each other here: the second sees the first one's key when that commits.
    """
    stored = await session.execute(
        insert(InboxDedupRow)
        .values([{"key": key, "seen_at": now} for key in sorted(set(keys))])
        .on_conflict_do_nothing()
        .returning(InboxDedupRow.key)
    )
    return len(stored.all()) == len(set(keys))
