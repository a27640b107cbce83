"""One-time links to the rows of a batch. Only the hash of a link's token is here: a reader of the table has no link."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import DownloadRow
from lucy.domain.audit import Actor
from lucy.domain.batches import BatchId


async def add(
    session: AsyncSession, token_hash: str, *, batch: BatchId, actor: Actor, now: datetime, expires_at: datetime
) -> None:
    row = DownloadRow(
        token_hash=token_hash,
        batch_id=batch,
        requested_by=actor.id,
        requested_by_name=actor.name,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    await session.flush()


async def is_open(session: AsyncSession, token_hash: str, *, now: datetime) -> bool:
    """Whether the link would still be answered; it is not used by asking."""
    row = await session.get(DownloadRow, token_hash)
    return row is not None and row.used_at is None and row.expires_at > now


async def use(session: AsyncSession, token_hash: str, *, now: datetime) -> tuple[BatchId, Actor] | None:
    """The batch and who asked for the link, once: of two at the same time the second waits here and finds nothing."""
    statement = (
        update(DownloadRow)
        .where(DownloadRow.token_hash == token_hash, DownloadRow.used_at.is_(None), DownloadRow.expires_at > now)
        .values(used_at=now)
        .returning(DownloadRow.batch_id, DownloadRow.requested_by, DownloadRow.requested_by_name)
    )
    row = (await session.execute(statement)).one_or_none()
    return (row.batch_id, Actor(row.requested_by, row.requested_by_name)) if row else None


async def purge_expired(session: AsyncSession, *, now: datetime) -> None:
    """Forget links whose time is over; the audit keeps who had them."""
    await session.execute(delete(DownloadRow).where(DownloadRow.expires_at < now))
