"""Read again what a run received, without asking SIAL: to see what it would do today, or to do it."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import cast

from sqlalchemy import insert, literal, select

from lucy.db import ingest as ingest_db
from lucy.db import payloads, rules
from lucy.db.engine import Database
from lucy.db.tables import IngestPayloadRow, IngestRunRow
from lucy.domain.house import House
from lucy.domain.ingest import HeldReason, interpret
from lucy.domain.ingest_guard import Comparison
from lucy.domain.source import SourceEntry, SourcePerson
from lucy.domain.students import SourceList
from lucy.errors import NotFound, RemoteError, RequestError, System
from lucy.flows.compare_list import compare_list
from lucy.flows.ingest_list import ingest_list
from lucy.flows.ingest_people import Counts
from lucy.flows.reading import Reading
from lucy.ports import StudentRecords


class KeptRecords:
    """`lucy.ports.StudentRecords` out of what a run kept; a personal record it did not keep is not to be had."""

    def __init__(self, records: StudentRecords, kept: Mapping[str, object]) -> None:
        self._records, self._kept = records, kept
        self.windows = records.windows

    async def entries(
        self, source_list: SourceList, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[object]:
        """The list itself is read from the run's parts, never from here."""
        raise NotFound(System.SIAL, "replay", "U-002", "a replay asks for no list")
        yield

    def identity(self, element: object) -> tuple[str, str]:
        return self._records.identity(element)

    def read_entry(self, element: object) -> SourceEntry:
        return self._records.read_entry(element)

    def read_person(self, element: object, *, document_number: str) -> SourcePerson:
        return self._records.read_person(element, document_number=document_number)

    async def person(self, document_number: str) -> SourcePerson | None:
        if document_number not in self._kept:
            raise NotFound(System.SIAL, "replay", "U-002", "this reading did not ask for that record")
        row = self._kept[document_number]
        return None if row is None else self.read_person(row, document_number=document_number)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a run would do today. `aside`: people by reason, of those whose personal record it kept."""

    source_list: SourceList
    seen: int
    comparison: Comparison
    aside: Mapping[HeldReason, int] = field(default_factory=dict)


async def look_again(db: Database, records: StudentRecords, run_id: int) -> Replayed:
    """Writes nothing. Raises RequestError where nothing is kept of the run."""
    run = await _kept_run(db, run_id)
    kept = KeptRecords(records, await _records(db, run_id))
    reading = await Reading.open(db, kept, run_id)
    whole = not records.windows or (run.since is None and run.until is None)
    found = await compare_list(db, reading, run.source_list, whole=whole)
    async with db.transaction() as session:
        careers = await rules.careers(session)
    aside: Counter[HeldReason] = Counter()
    for position in reading.parts:
        part = await reading.part(position)
        aside[HeldReason.NO_DOCUMENT] += len(part.unusable)
        read = await reading.entries(chain.from_iterable(part.people.values()))
        for key, refs in part.people.items():
            entries = [read[ref] for ref in refs]
            try:
                record = entries[0].personal or await kept.person(key[1])
            except RemoteError:
                continue  # not asked for then: they were as before
            aside.update(one.reason for one in interpret(entries, record, careers)[1][:1])
    return Replayed(run.source_list, found.seen, found.comparison, +aside)


async def replay_run(
    db: Database, records: StudentRecords, run_id: int, *, requested_by: str, house: House
) -> Counts | None:
    """Store what the run received, as a run of its own that moves no checkpoint. None where a person is asked first."""
    run = await _kept_run(db, run_id)
    now = datetime.now(UTC)
    async with db.transaction() as session:
        again = await ingest_db.request_run(
            session, run.source_list, requested_by=requested_by, now=now, since=run.since or now, until=run.until
        )
        again.since, again.received_at = run.since, now
        copied = select(literal(again.id), IngestPayloadRow.kind, IngestPayloadRow.position, IngestPayloadRow.body)
        await session.execute(
            insert(IngestPayloadRow).from_select(
                ["run_id", "kind", "position", "body"],
                copied.where(IngestPayloadRow.run_id == run_id, IngestPayloadRow.kind != payloads.RECORDS),
            )
        )
        number = again.id
    return await ingest_list(db, KeptRecords(records, await _records(db, run_id)), number, house=house)


async def _kept_run(db: Database, run_id: int) -> IngestRunRow:
    async with db.transaction() as session:
        run = await session.get(IngestRunRow, run_id)
        kept = run is not None and await payloads.positions(session, run_id, payloads.ENTRIES)
        if run is None or run.received_at is None or not kept:
            raise RequestError(f"Nothing is kept of reading {run_id}. `lucy ingest runs` lists those that are.")
        session.expunge(run)
        return run


async def _records(db: Database, run_id: int) -> dict[str, object]:
    found: dict[str, object] = {}
    async with db.transaction() as session:
        for position in await payloads.positions(session, run_id, payloads.RECORDS):
            found |= cast("dict[str, object]", await payloads.read(session, run_id, payloads.RECORDS, position))
    return found
