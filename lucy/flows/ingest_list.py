"""Read one list of SIAL: new and changed people are stored, what cannot be used is kept aside, nothing is lost.

The rules are those of contracts/sial.md. A run goes: receive the whole answer, hold it against what is known, ask a
person where that is unusual, store. It alternates short transactions with calls; none is open during a call.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, config, listings, payloads, rules
from lucy.db import ingest as ingest_db
from lucy.db import students as students_db
from lucy.db.engine import Database
from lucy.db.tables import IngestRunRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.config import ingest_share
from lucy.domain.house import House
from lucy.domain.ingest import HeldReason, KnownCareer
from lucy.domain.ingest_guard import held_because
from lucy.domain.source import SourceEntry
from lucy.domain.students import SourceList, StudentId
from lucy.errors import RemoteError
from lucy.flows.ask_in_turn import in_turn
from lucy.flows.compare_list import Findings, compare_list
from lucy.flows.hold_run import hold_run, supersede
from lucy.flows.ingest_people import Counts, Ingest
from lucy.flows.reading import Key, Reading, mark
from lucy.flows.receive_list import receive_list
from lucy.flows.redraw import redraw_ingest
from lucy.flows.signs_of_life import signs_of_life
from lucy.ports import StudentRecords

LEASE_S = 120.0
TOUCHED_AT_ONCE = 5_000
TRIED_AGAIN = 200  # people aside, in one run: each costs a call to SIAL
AFTER_THE_LIST = 1_000_000  # the part under which their records are kept
MAY_BE_MENDED = (
    HeldReason.PERSONAL_FAILED,
    HeldReason.NO_PERSONAL_RECORD,
    HeldReason.NO_NAME,
    HeldReason.BAD_EMAIL,
    HeldReason.UNKNOWN_CAREER,
)
"""The list does not show when these are mended: the personal record and the careers that Lucy knows are elsewhere."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run was asked for, as it stood when it was taken in hand."""

    id: int
    source_list: SourceList
    since: datetime | None
    until: datetime | None
    windowed: bool
    received: bool
    released: bool
    started: datetime
    share: float
    careers: dict[int, KnownCareer]


async def ingest_list(
    db: Database, records: StudentRecords, run_id: int, *, house: House, lease_s: float = LEASE_S
) -> Counts | None:
    """Carry out a requested run; None when it is done, in other hands, or waits for a person.

    A list that fails ends the run with its error code and leaves the checkpoint where it was; a personal record that
    fails leaves what is known of that person as it was.
    """
    run = await _begin(db, run_id, house=house, lease_s=lease_s)
    if run is None:
        return None
    counts = Counts()

    async def renew(session: AsyncSession, now: datetime) -> None:
        await ingest_db.keep_lease(session, run_id, now=now, lease_s=lease_s)

    # Thousands of personal records at the source's pace take hours.
    async with signs_of_life(db, renew, lease_s=lease_s):
        try:
            await _receive(db, records, run)
        except RemoteError as error:
            await _close(db, run, counts, error=error, house=house)
            return counts
        reading = await Reading.open(db, records, run_id)
        whole = not records.windows or (run.since is None and run.until is None)
        found = await compare_list(db, reading, run.source_list, whole=whole)
        counts.seen = found.seen
        why = None if run.released else held_because(found.comparison, share=run.share)
        if why is not None:
            await hold_run(db, run_id, why, found.comparison, seen=found.seen)
            return None
        ingest = Ingest(db, records, run_id, run.source_list, run.careers)
        await _store(reading, found, ingest, counts)
        await _touch(db, run.source_list, found.unchanged)
        await _try_again(ingest, counts, before=run.started)
        await _close(db, run, counts, error=None, house=house, whole=whole)
    return counts


async def _begin(db: Database, run_id: int, *, house: House, lease_s: float) -> _Run | None:
    now = datetime.now(UTC)
    async with db.transaction() as session:
        row = await ingest_db.begin_run(session, run_id, now=now, lease_s=lease_s)
        if row is None:
            return None
        checkpoint = await ingest_db.checkpoint(session, row.source_list)
        if not row.windowed and row.received_at is None:
            overlap = timedelta(seconds=house.ingest_overlap_s)
            row.since = None if row.full or checkpoint is None else checkpoint - overlap
        return _Run(
            id=run_id,
            source_list=row.source_list,
            since=row.since,
            until=row.until,
            windowed=row.windowed,
            received=row.received_at is not None,
            released=bool(row.released_by),
            started=row.started_at or now,
            share=ingest_share(await config.values(session)),
            careers=await rules.careers(session),
        )


async def _receive(db: Database, records: StudentRecords, run: _Run) -> None:
    """Raises RemoteError."""
    if run.received:
        return
    await in_turn(
        lambda: receive_list(db, records, run.id, run.source_list, since=run.since, until=run.until),
    )
    async with db.transaction() as session:
        row = await session.get_one(IngestRunRow, run.id)
        row.received_at = datetime.now(UTC)


async def _store(reading: Reading, found: Findings, ingest: Ingest, counts: Counts) -> None:
    for position in reading.parts:
        fresh = found.fresh.get(position, set())
        if not fresh and position not in found.aside:
            continue
        part = await reading.part(position)
        wanted = {key: refs for key, refs in part.people.items() if mark(key) in fresh}
        entries = await reading.entries([*chain.from_iterable(wanted.values()), *part.unusable])
        if part.unusable:
            await ingest.keep_aside([entries[ref] for ref in part.unusable], counts)
        if wanted:
            people = {key: [entries[ref] for ref in refs] for key, refs in wanted.items()}
            await ingest.people(people, counts, position=position)


async def _touch(db: Database, source_list: SourceList, ids: list[StudentId]) -> None:
    """The source lists them still."""
    for start in range(0, len(ids), TOUCHED_AT_ONCE):
        some, now = ids[start : start + TOUCHED_AT_ONCE], datetime.now(UTC)
        async with db.transaction() as session:
            await students_db.touch(session, some, now=now)
            await listings.touch(session, source_list, some, now=now)


async def _try_again(ingest: Ingest, counts: Counts, *, before: datetime) -> None:
    """Who is aside and was not in this answer: their entries are kept, what was missing may be there now."""
    async with ingest.db.transaction() as session:
        aside = await ingest_db.held_to_try(
            session, ingest.source_list, MAY_BE_MENDED, not_seen_since=before, limit=TRIED_AGAIN
        )
    people: dict[Key, list[SourceEntry]] = {}
    for entry_key, payload in aside:
        document_type, _, number = entry_key.partition(":")
        kept = payload.get("entries", [payload])
        people[document_type, number] = [ingest.records.read_entry(one) for one in kept]
    if people:
        again = Counts()
        await ingest.people(people, again, position=AFTER_THE_LIST)
        counts.new += again.new
        counts.changed += again.changed
        counts.emails += again.emails
        log.info("ingest.tried_again", run=ingest.run_id, people=len(people), still_aside=again.held)


async def _close(
    db: Database, run: _Run, counts: Counts, *, error: RemoteError | None, house: House, whole: bool = False
) -> None:
    now = datetime.now(UTC)
    async with db.transaction() as session:
        row = await session.get(IngestRunRow, run.id, with_for_update=True)
        if row is None or row.finished_at is not None:
            return
        row.finished_at, row.lease_until = now, None
        for name, value in asdict(counts).items():
            setattr(row, name, value)
        if error is not None:
            row.error_code = error.code
            await payloads.forget(session, run.id)
        else:
            await supersede(session, run.source_list, before=run.id, now=now)
            if not run.windowed:
                await ingest_db.move_checkpoint(session, run.source_list, run.started)
            if whole and not run.windowed:
                await ingest_db.resolve_unnamed(session, run.source_list, not_seen_since=run.started, now=now)
                await listings.count_missing(session, run.source_list, not_seen_since=run.started)
        await session.flush()
        await payloads.keep_newest(session, run.source_list, house.payload_runs_kept)
        detail = {"list": run.source_list.value, **asdict(counts)}
        outcome = f"failed {error.code}" if error else "done"
        await audit.record(session, [AuditEvent(LUCY, "ingest", outcome, detail=detail)], now=now)
        await redraw_ingest(session, run.id, now=now)
