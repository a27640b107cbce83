"""Readings of the source lists: runs, checkpoints, and what could not be used."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import CheckpointRow, HeldRecordRow, IngestRunRow, StudentRow
from lucy.domain.ingest import HeldReason
from lucy.domain.students import SourceList


async def request_run(
    session: AsyncSession,
    source_list: SourceList,
    *,
    requested_by: str,
    now: datetime,
    full: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
) -> IngestRunRow:
    """Ask for a reading: from the checkpoint, of everything, or of a window. One that waits to begin serves."""
    windowed = since is not None
    waiting = await session.scalar(
        select(IngestRunRow).where(
            IngestRunRow.source_list == source_list,
            IngestRunRow.started_at.is_(None),
            IngestRunRow.finished_at.is_(None),
            IngestRunRow.full == full,
            IngestRunRow.windowed.is_(False),
        )
    )
    if waiting is not None and not windowed:
        return waiting
    row = IngestRunRow(
        source_list=source_list,
        requested_by=requested_by,
        requested_at=now,
        full=full,
        windowed=windowed,
        since=since,
        until=until,
    )
    session.add(row)
    await session.flush()
    return row


async def begin_run(session: AsyncSession, run_id: int, *, now: datetime, lease_s: float) -> IngestRunRow | None:
    """Take a run in hand; None when it is finished or another process has it."""
    row = await session.get(IngestRunRow, run_id, with_for_update=True)
    if (
        row is None
        or row.finished_at is not None
        or row.waits_for
        or (row.lease_until is not None and row.lease_until >= now)
    ):
        return None
    row.started_at = row.started_at or now
    row.lease_until = now + timedelta(seconds=lease_s)
    return row


async def keep_lease(session: AsyncSession, run_id: int, *, now: datetime, lease_s: float) -> None:
    await session.execute(
        update(IngestRunRow).where(IngestRunRow.id == run_id).values(lease_until=now + timedelta(seconds=lease_s))
    )


async def unattended_runs(session: AsyncSession, *, now: datetime) -> Sequence[int]:
    """Runs that nobody has in hand: their message was lost, or their process died; not those that wait for a person."""
    statement = select(IngestRunRow.id).where(
        IngestRunRow.finished_at.is_(None),
        IngestRunRow.waits_for == "",
        func.coalesce(IngestRunRow.lease_until, IngestRunRow.requested_at) < now,
    )
    return (await session.scalars(statement)).all()


async def latest_runs(session: AsyncSession, *, since: datetime) -> dict[SourceList, IngestRunRow]:
    """The newest finished run of each list since a moment."""
    rows = await session.scalars(
        select(IngestRunRow)
        .where(IngestRunRow.finished_at >= since)
        .order_by(IngestRunRow.source_list, IngestRunRow.finished_at.desc())
        .ext(distinct_on(IngestRunRow.source_list))
    )
    return {row.source_list: row for row in rows.all()}


async def checkpoint(session: AsyncSession, source_list: SourceList) -> datetime | None:
    row = await session.get(CheckpointRow, source_list)
    return row.read_until if row else None


async def forget_checkpoint(session: AsyncSession, source_list: SourceList) -> None:
    """The next reading is of everything."""
    await session.execute(delete(CheckpointRow).where(CheckpointRow.source_list == source_list))


async def move_checkpoint(session: AsyncSession, source_list: SourceList, read_until: datetime) -> None:
    statement = insert(CheckpointRow).values(source_list=source_list, read_until=read_until)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[CheckpointRow.source_list], set_={"read_until": statement.excluded.read_until}
        )
    )


async def hold(session: AsyncSession, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Keep entries aside with their reason; one that is there already is only seen again."""
    if not rows:
        return
    statement = insert(HeldRecordRow)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[HeldRecordRow.source_list, HeldRecordRow.entry_key],
            set_={
                "reason": new.reason,
                "detail": new.detail,
                "payload": new.payload,
                "last_seen_at": new.last_seen_at,
                "resolved_at": None,
            },
        ),
        [{**row, "first_seen_at": now, "last_seen_at": now} for row in rows],
    )


async def resolve_held(
    session: AsyncSession, source_list: SourceList, entry_keys: Collection[str], *, now: datetime
) -> None:
    """The source mended these entries."""
    if entry_keys:
        await session.execute(
            update(HeldRecordRow)
            .where(
                HeldRecordRow.source_list == source_list,
                HeldRecordRow.entry_key.in_(list(entry_keys)),
                HeldRecordRow.resolved_at.is_(None),
            )
            .values(resolved_at=now)
        )


async def resolve_unnamed(
    session: AsyncSession, source_list: SourceList, *, not_seen_since: datetime, now: datetime
) -> None:
    """Entries without a number that a reading of the whole list did not find again: nothing else tells them mended."""
    await session.execute(
        update(HeldRecordRow)
        .where(
            HeldRecordRow.source_list == source_list,
            HeldRecordRow.document_number == "",
            HeldRecordRow.last_seen_at < not_seen_since,
            HeldRecordRow.resolved_at.is_(None),
        )
        .values(resolved_at=now)
    )


async def held_to_try(
    session: AsyncSession,
    source_list: SourceList,
    reasons: Collection[HeldReason],
    *,
    not_seen_since: datetime,
    limit: int,
) -> list[tuple[str, Any]]:
    """Key and entries of what is aside for these reasons and was not in this reading; the longest untried first."""
    rows = await session.scalars(
        select(HeldRecordRow)
        .where(
            HeldRecordRow.source_list == source_list,
            HeldRecordRow.reason.in_([one.value for one in reasons]),
            HeldRecordRow.resolved_at.is_(None),
            HeldRecordRow.last_seen_at < not_seen_since,
        )
        .order_by(HeldRecordRow.last_seen_at, HeldRecordRow.id)
        .limit(limit)
    )
    return [(row.entry_key, row.payload) for row in rows.all()]


async def waiting_run(session: AsyncSession, source_list: SourceList) -> IngestRunRow | None:
    """The reading of a list that waits for a person, under lock; the newest where there are several."""
    statement = (
        select(IngestRunRow)
        .where(
            IngestRunRow.source_list == source_list, IngestRunRow.waits_for != "", IngestRunRow.finished_at.is_(None)
        )
        .order_by(IngestRunRow.id.desc())
        .with_for_update()
    )
    return (await session.scalars(statement)).first()


async def waiting_runs(session: AsyncSession) -> Sequence[IngestRunRow]:
    """Readings that wait for a person."""
    statement = select(IngestRunRow).where(IngestRunRow.waits_for != "", IngestRunRow.finished_at.is_(None))
    return (await session.scalars(statement.order_by(IngestRunRow.id))).all()


async def oldest_held(session: AsyncSession, source_list: SourceList | None, *, limit: int) -> Sequence[HeldRecordRow]:
    """What is aside now, of one list or of all, the oldest first."""
    statement = select(HeldRecordRow).where(HeldRecordRow.resolved_at.is_(None), *_of(source_list))
    return (await session.scalars(statement.order_by(HeldRecordRow.first_seen_at, HeldRecordRow.id).limit(limit))).all()


def _of(source_list: SourceList | None) -> list[ColumnElement[bool]]:
    return [] if source_list is None else [HeldRecordRow.source_list == source_list]


async def held_by_reason(session: AsyncSession, source_list: SourceList | None = None) -> list[tuple[HeldReason, int]]:
    """What is aside at this moment, by reason; the most frequent first."""
    rows = await session.execute(
        select(HeldRecordRow.reason, func.count().label("n"))
        .where(HeldRecordRow.resolved_at.is_(None), *_of(source_list))
        .group_by(HeldRecordRow.reason)
        .order_by(func.count().desc(), HeldRecordRow.reason)
    )
    return [(HeldReason(row.reason), row.n) for row in rows]


async def new_per_day(session: AsyncSession, *, since: datetime, zone: str) -> dict[date, int]:
    """Students seen for the first time, by local day."""
    day = cast(func.timezone(zone, StudentRow.first_seen_at), Date)
    rows = await session.execute(
        select(day.label("day"), func.count().label("n")).where(StudentRow.first_seen_at >= since).group_by(day)
    )
    return {row.day: row.n for row in rows}
