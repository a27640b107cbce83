"""Who each source list has."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, BigInteger, DateTime, Text, any_, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import ListingRow
from lucy.domain.students import SourceList, StudentId

APART = timedelta(hours=6)
WITNESSES = 2  # whole readings that must not have somebody before they count as absent


async def note(
    session: AsyncSession, source_list: SourceList, hashes: Mapping[StudentId, str], *, now: datetime
) -> None:
    """These students are on the list, with these prints of their entries."""
    if not hashes:
        return
    rows = (
        func.unnest(cast(list(hashes), ARRAY(BigInteger)), cast(list(hashes.values()), ARRAY(Text)))
        .table_valued("id", "hash")
        .render_derived("new")
    )
    statement = insert(ListingRow).from_select(
        ["student_id", "source_list", "hash", "seen_at"],
        select(rows.c.id, literal(source_list.value), rows.c.hash, literal(now, DateTime(timezone=True))).order_by(
            rows.c.id
        ),
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[ListingRow.student_id, ListingRow.source_list],
            set_={"hash": statement.excluded.hash, "seen_at": statement.excluded.seen_at, "missing": 0},
        )
    )


async def touch(session: AsyncSession, source_list: SourceList, ids: Sequence[StudentId], *, now: datetime) -> None:
    """These are on it still, unchanged."""
    await session.execute(
        update(ListingRow)
        .where(ListingRow.source_list == source_list, ListingRow.student_id == any_(cast(list(ids), ARRAY(BigInteger))))
        .values(seen_at=now, missing=0)
    )


async def count(session: AsyncSession, source_list: SourceList) -> int:
    """How many the last readings found on it."""
    statement = select(func.count()).where(ListingRow.source_list == source_list, ListingRow.missing == 0)
    return int(await session.scalar(statement) or 0)


async def count_missing(session: AsyncSession, source_list: SourceList, *, not_seen_since: datetime) -> None:
    """A whole reading has ended: whoever it did not have was missing once more.

    Readings within a few hours of each other are one witness (FEATURES row 17).
    """
    long_ago = ListingRow.missed_at.is_(None) | (ListingRow.missed_at <= not_seen_since - APART)
    await session.execute(
        update(ListingRow)
        .where(
            ListingRow.source_list == source_list,
            ListingRow.seen_at < not_seen_since,
            ListingRow.missing < 100,
            (ListingRow.missing == 0) | long_ago,
        )
        .values(missing=ListingRow.missing + 1, missed_at=not_seen_since)
    )
