"""Read one list of SIAL: new and changed people are stored, what cannot be used is kept aside, nothing is lost.

The rules are those of contracts/sial.md. The run alternates short transactions with calls; none is open during a call.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import audit, rules
from lucy.db import ingest as ingest_db
from lucy.db import students as students_db
from lucy.db.engine import Database
from lucy.db.students import KnownStudent
from lucy.db.tables import IngestRunRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.house import House
from lucy.domain.ingest import Held, HeldReason, KnownCareer, StudentFacts, fingerprint, interpret, person_key
from lucy.domain.source import SourceEntry, SourcePerson
from lucy.domain.students import SourceList, StudentId, forward
from lucy.errors import RemoteError, RetryLater
from lucy.flows.redraw import redraw_ingest
from lucy.flows.signs_of_life import signs_of_life
from lucy.ports import StudentRecords

CHUNK = 500
PARALLEL = 16  # personal records asked for at once; the rate limiter paces them
LEASE_S = 120.0
NOT_OUR_TURN = "G-006"  # the limiter's: nothing was asked yet
TURNS_WAITED = 40

T = TypeVar("T")

Key = tuple[str, str]


@dataclass(slots=True)
class Counts:
    seen: int = 0
    new: int = 0
    changed: int = 0
    held: int = 0
    unanswered: int = 0  # personal records that the source did not give


@dataclass(frozen=True, slots=True)
class Person:
    """The entries of one person on the list, with the personal record where it was asked for."""

    key: Key
    entries: tuple[SourceEntry, ...]
    hash: str
    known: KnownStudent | None
    record: SourcePerson | None = None
    failed: bool = False  # the record was asked for and the source did not answer


@dataclass(slots=True)
class Chunk:
    """What one transaction writes."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    clean: list[str] = field(default_factory=list)
    emails: list[tuple[StudentId, str]] = field(default_factory=list)


async def ingest_list(
    db: Database, records: StudentRecords, run_id: int, *, house: House, lease_s: float = LEASE_S
) -> Counts | None:
    """Carry out a requested run; None when it is done or in other hands.

    A list that fails ends the run with its error code and leaves the checkpoint where it was; a personal record that
    fails leaves what is known of that person as it was.
    """
    started = datetime.now(UTC)
    async with db.transaction() as session:
        run = await ingest_db.begin_run(session, run_id, now=started, lease_s=lease_s)
        if run is None:
            return None
        checkpoint = await ingest_db.checkpoint(session, run.source_list)
        if not run.windowed:
            overlap = timedelta(seconds=house.ingest_overlap_s)
            run.since = None if run.full or checkpoint is None else checkpoint - overlap
        careers = await rules.careers(session)
        source_list, since, until = run.source_list, run.since, run.until
    counts = Counts()

    async def renew(session: AsyncSession, now: datetime) -> None:
        await ingest_db.keep_lease(session, run_id, now=now, lease_s=lease_s)

    # Thousands of personal records at the source's pace take hours.
    async with signs_of_life(db, renew, lease_s=lease_s):
        try:
            entries = await _in_turn(lambda: _read_list(records, source_list, since, until))
        except RemoteError as error:
            await _close(db, run_id, counts, error=error, started=started)
            return counts
        people, unusable = _by_person(entries)
        await _keep_unusable(db, source_list, unusable, counts)
        keys = list(people)
        for start in range(0, len(keys), CHUNK):
            part = {key: people[key] for key in keys[start : start + CHUNK]}
            await _ingest_chunk(db, records, source_list, part, careers, counts)
        await _close(db, run_id, counts, error=None, started=started)
    return counts


async def _read_list(
    records: StudentRecords, source_list: SourceList, since: datetime | None, until: datetime | None
) -> list[SourceEntry]:
    return [entry async for entry in records.entries(source_list, since=since, until=until)]


async def _in_turn(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask, waiting for our own turn as long as it takes: several lists at the source's pace make a long queue."""
    for _attempt in range(TURNS_WAITED):
        try:
            return await ask()
        except RetryLater as error:
            if error.code != NOT_OUR_TURN:
                raise
            await asyncio.sleep(error.after_s)
    return await ask()


def _by_person(entries: Sequence[SourceEntry]) -> tuple[dict[Key, list[SourceEntry]], list[SourceEntry]]:
    """Entries by person (the source repeats some), and those without a usable number."""
    people: dict[Key, list[SourceEntry]] = {}
    unusable: list[SourceEntry] = []
    for entry in entries:
        key = person_key(entry)
        if key is None:
            unusable.append(entry)
        else:
            people.setdefault(key, []).append(entry)
    return people, unusable


async def _keep_unusable(db: Database, source_list: SourceList, entries: Sequence[SourceEntry], counts: Counts) -> None:
    counts.seen += len(entries)
    counts.held += len(entries)
    if entries:
        now = datetime.now(UTC)
        async with db.transaction() as session:
            rows = [_held_row(source_list, _payload_key(one), "", Held(HeldReason.NO_DOCUMENT), one) for one in entries]
            await ingest_db.hold(session, list({row["entry_key"]: row for row in rows}.values()), now=now)


async def _ingest_chunk(
    db: Database,
    records: StudentRecords,
    source_list: SourceList,
    part: Mapping[Key, list[SourceEntry]],
    careers: Mapping[int, KnownCareer],
    counts: Counts,
) -> None:
    async with db.transaction() as session:
        known = await students_db.known(session, list(part))
    hashes = {key: fingerprint(entries) for key, entries in part.items()}
    unchanged = [one for key, one in known.items() if _is_unchanged(one, hashes[key], source_list)]
    same = {one.id for one in unchanged}
    fresh = [
        Person(key, tuple(entries), hashes[key], known.get(key))
        for key, entries in part.items()
        if key not in known or known[key].id not in same
    ]
    people = await _with_records(records, fresh)
    now = datetime.now(UTC)
    async with db.transaction() as session:
        chunk = await _write(session, people, source_list, careers, now)
        await students_db.touch(session, [one.id for one in unchanged], now=now)
    counts.seen += sum(len(entries) for entries in part.values())
    counts.new += len(chunk.new)
    counts.changed += len(chunk.changed)
    counts.held += len({row["entry_key"] for row in chunk.held})
    counts.unanswered += sum(1 for person in people if person.failed)


def _is_unchanged(known: KnownStudent, hash_: str, source_list: SourceList) -> bool:
    """The same content as last time, and no step forward by being on this list."""
    return known.source_hash == hash_ and forward(known.stage, source_list.stage) is known.stage


async def _with_records(records: StudentRecords, people: Sequence[Person]) -> list[Person]:
    """Ask for the personal record of each, some at a time; one that fails does not stop the others."""
    gate = asyncio.Semaphore(PARALLEL)

    async def one(person: Person) -> Person:
        carried = next((entry.personal for entry in person.entries if entry.personal is not None), None)
        if carried is not None:
            return Person(person.key, person.entries, person.hash, person.known, carried)
        async with gate:
            try:
                record = await _in_turn(lambda: records.person(person.key[1]))
            except RemoteError:
                return Person(person.key, person.entries, person.hash, person.known, None, failed=True)
        return Person(person.key, person.entries, person.hash, person.known, record)

    return list(await asyncio.gather(*(one(person) for person in people)))


def _sort(
    people: Sequence[Person], source_list: SourceList, careers: Mapping[int, KnownCareer], now: datetime
) -> Chunk:
    """What each person's entries lead to."""
    chunk = Chunk()
    for person in people:
        entry_key = ":".join(person.key)
        if person.failed:
            held = [Held(HeldReason.PERSONAL_FAILED)]
            facts: StudentFacts | None = None
        else:
            facts, held = interpret(person.entries, person.record, careers)
        chunk.held += [_held_row(source_list, entry_key, person.key[1], one, person.entries[0]) for one in held[:1]]
        if not held:
            chunk.clean.append(entry_key)
        if facts is not None:
            _add(chunk, person, facts, source_list, now)
    return chunk


def _add(chunk: Chunk, person: Person, facts: StudentFacts, source_list: SourceList, now: datetime) -> None:
    values: dict[str, Any] = {
        "first_name": facts.first_name,
        "last_name": facts.last_name,
        "personal_email": facts.personal_email,
        "stage": forward(person.known.stage if person.known else None, source_list.stage),
        "careers": [students_db.career_value(career) for career in facts.careers],
        "source_hash": person.hash,
        "last_seen_at": now,
        "changed_at": now,
    }
    optional = {
        "phone": facts.phone,
        "locality": facts.locality,
        "born_on": date.fromisoformat(facts.born_on) if facts.born_on else None,
        "cohort": facts.cohort,
    }
    if person.known is None:
        document_type, number = person.key
        identity = {"document_type": document_type, "document_number": number, "first_seen_at": now}
        chunk.new.append({**identity, **values, **optional})
        return
    chunk.changed.append({"id": person.known.id, **values, **optional})
    if person.known.personal_email != facts.personal_email:
        chunk.emails.append((person.known.id, facts.personal_email))


async def _write(
    session: AsyncSession,
    people: Sequence[Person],
    source_list: SourceList,
    careers: Mapping[int, KnownCareer],
    now: datetime,
) -> Chunk:
    """Store what the people's entries lead to, against what is known of them now and under lock.

    Another list may be read at the same time, with some of the same people: who it stored first is updated.
    """
    latest = await students_db.known(session, [person.key for person in people], lock=True)
    chunk = _sort([replace(person, known=latest.get(person.key)) for person in people], source_list, careers, now)
    added = await students_db.add(session, chunk.new)
    late = [person for person in people if person.key not in added and person.key not in latest and not person.failed]
    if late:
        stored = await students_db.known(session, [person.key for person in late], lock=True)
        again = [replace(person, known=stored[person.key]) for person in late if person.key in stored]
        overtaken = _sort(again, source_list, careers, now)
        chunk.new = [row for row in chunk.new if (row["document_type"], row["document_number"]) in added]
        chunk.changed += overtaken.changed
        chunk.emails += overtaken.emails
    await _store(session, chunk, source_list, now)
    return chunk


async def _store(session: AsyncSession, chunk: Chunk, source_list: SourceList, now: datetime) -> None:
    await students_db.change(session, chunk.changed)
    await ingest_db.hold(session, chunk.held, now=now)
    await ingest_db.resolve_held(session, source_list, chunk.clean, now=now)
    holders = await accounts_db.accounts(session, [student for student, _email in chunk.emails])
    events = [
        AuditEvent(LUCY, "student.email_changed", "noted", student=student)
        for student, _email in chunk.emails
        if student in holders
    ]
    await audit.record(session, events, now=now)


def _held_row(source_list: SourceList, entry_key: str, number: str, held: Held, entry: SourceEntry) -> dict[str, Any]:
    return {
        "source_list": source_list,
        "entry_key": entry_key,
        "document_number": number,
        "reason": held.reason.value,
        "detail": held.detail,
        "payload": dict(entry.raw),
    }


def _payload_key(entry: SourceEntry) -> str:
    body = json.dumps(entry.raw, sort_keys=True, ensure_ascii=False, default=str)
    return "payload:" + hashlib.sha256(body.encode()).hexdigest()[:32]


async def _close(db: Database, run_id: int, counts: Counts, *, error: RemoteError | None, started: datetime) -> None:
    now = datetime.now(UTC)
    async with db.transaction() as session:
        run = await session.get(IngestRunRow, run_id, with_for_update=True)
        if run is None or run.finished_at is not None:
            return
        run.finished_at, run.lease_until = now, None
        run.seen, run.new, run.changed, run.held = counts.seen, counts.new, counts.changed, counts.held
        if error is not None:
            run.error_code = error.code
        elif not (counts.unanswered or run.windowed):  # else the window is read again
            await ingest_db.move_checkpoint(session, run.source_list, started)
            if run.since is None:
                await ingest_db.resolve_unnamed(session, run.source_list, not_seen_since=started, now=now)
        detail = {
            "list": run.source_list.value,
            "seen": counts.seen,
            "new": counts.new,
            "changed": counts.changed,
            "held": counts.held,
        }
        outcome = f"failed {error.code}" if error else "done"
        await audit.record(session, [AuditEvent(LUCY, "ingest", outcome, detail=detail)], now=now)
        await redraw_ingest(session, run_id, now=now)
