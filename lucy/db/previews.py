"""Pictures of letters, and pages of them that are opened once."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import LetterPageRow, LetterPictureRow


async def picture_token(session: AsyncSession, digest: str) -> str:
    """The address of the picture of a text; empty where it was not drawn."""
    statement = select(LetterPictureRow.token).where(LetterPictureRow.digest == digest)
    return await session.scalar(statement) or ""


async def picture(session: AsyncSession, token: str) -> bytes | None:
    return await session.scalar(select(LetterPictureRow.png).where(LetterPictureRow.token == token))


async def drawn(session: AsyncSession) -> set[str]:
    """The texts of which there is a picture, by their digests."""
    return set((await session.scalars(select(LetterPictureRow.digest))).all())


async def keep_picture(session: AsyncSession, digest: str, *, token: str, png: bytes, now: datetime) -> None:
    values = {"digest": digest, "token": token, "png": png, "drawn_at": now}
    await session.execute(insert(LetterPictureRow).values(**values).on_conflict_do_nothing())


async def forget_pictures(session: AsyncSession, *, but: Collection[str]) -> None:
    """Of texts that nobody looks at any more."""
    await session.execute(delete(LetterPictureRow).where(LetterPictureRow.digest.not_in(list(but))))


async def add_page(session: AsyncSession, token_hash: str, html: str, *, expires_at: datetime) -> None:
    session.add(LetterPageRow(token_hash=token_hash, html=html, expires_at=expires_at))
    await session.flush()


async def take_page(session: AsyncSession, token_hash: str, *, now: datetime) -> str | None:
    """The page, once; None for one that was opened, is too old or never was."""
    statement = delete(LetterPageRow).where(LetterPageRow.token_hash == token_hash, LetterPageRow.expires_at > now)
    return await session.scalar(statement.returning(LetterPageRow.html))


async def page_stands(session: AsyncSession, token_hash: str, *, now: datetime) -> bool:
    row = await session.get(LetterPageRow, token_hash)
    return row is not None and row.expires_at > now


async def purge_pages(session: AsyncSession, *, now: datetime) -> None:
    await session.execute(delete(LetterPageRow).where(LetterPageRow.expires_at < now))
