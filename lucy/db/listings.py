"""Who each source list has."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import ListingRow
from lucy.domain.students import SourceList, StudentId


async def note(
    session: AsyncSession, source_list: SourceList, hashes: Mapping[StudentId, str], *, now: datetime
) -> None:
    """These students are on the list, with these prints of their entries."""
    if not hashes:
        return
    statement = insert(ListingRow)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[ListingRow.student_id, ListingRow.source_list],
            set_={"hash": new.hash, "seen_at": new.seen_at, "missing": 0},
        ),
        [
            {"student_id": id_, "source_list": source_list, "hash": hash_, "seen_at": now, "missing": 0}
            for id_, hash_ in sorted(hashes.items())
        ],
    )


async def touch(session: AsyncSession, source_list: SourceList, ids: Sequence[StudentId], *, now: datetime) -> None:
    """These are on it still, unchanged."""
    await session.execute(
        update(ListingRow)
        .where(ListingRow.source_list == source_list, ListingRow.student_id.in_(ids))
        .values(seen_at=now, missing=0)
    )


async def count(session: AsyncSession, source_list: SourceList) -> int:
    """How many the last readings found on it."""
    statement = select(func.count()).where(ListingRow.source_list == source_list, ListingRow.missing == 0)
    return int(await session.scalar(statement) or 0)


async def count_missing(session: AsyncSession, source_list: SourceList, *, not_seen_since: datetime) -> None:
    """A whole reading has ended: whoever it did not have was missing once more."""
    await session.execute(
        update(ListingRow)
        .where(ListingRow.source_list == source_list, ListingRow.seen_at < not_seen_since, ListingRow.missing < 100)
        .values(missing=ListingRow.missing + 1)
    )
