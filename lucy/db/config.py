"""What staff set, in all its versions; the newest of each key counts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import ConfigEntryRow
from lucy.domain.audit import Actor


async def newest(session: AsyncSession) -> dict[str, ConfigEntryRow]:
    """The newest version of each key that was ever set; its value is None where it went back to the default."""
    statement = (
        select(ConfigEntryRow)
        .ext(distinct_on(ConfigEntryRow.key))
        .order_by(ConfigEntryRow.key, ConfigEntryRow.version.desc())
    )
    return {row.key: row for row in (await session.scalars(statement)).all()}


async def values(session: AsyncSession) -> dict[str, str]:
    """The values in force that differ from the defaults; read afresh in each turn and job."""
    return {key: str(row.value) for key, row in (await newest(session)).items() if row.value is not None}


async def put(session: AsyncSession, key: str, value: str | None, *, version: int, actor: Actor, now: datetime) -> None:
    """Store a further version. A second one with that number (somebody was faster) raises IntegrityError."""
    row = {
        "key": key,
        "version": version,
        "value": value,
        "changed_by": actor.id,
        "changed_by_name": actor.name,
        "changed_at": now,
    }
    await session.execute(insert(ConfigEntryRow), [row])


async def history(session: AsyncSession, key: str) -> Sequence[ConfigEntryRow]:
    """The versions of a key, newest first."""
    statement = select(ConfigEntryRow).where(ConfigEntryRow.key == key).order_by(ConfigEntryRow.version.desc())
    return (await session.scalars(statement)).all()
