"""Store people of a list: their personal records are asked for side by side, then all is one transaction."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import audit, listings, payloads
from lucy.db import ingest as ingest_db
from lucy.db import students as students_db
from lucy.db.engine import Database
from lucy.db.students import KnownStudent
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.ingest import Held, HeldReason, KnownCareer, StudentFacts, entry_print, interpret, join_prints
from lucy.domain.source import SourceEntry, SourcePerson
from lucy.domain.students import SourceList, StudentId, forward
from lucy.errors import RemoteError
from lucy.flows.ask_in_turn import in_turn
from lucy.flows.reading import Key
from lucy.ports import StudentRecords

PARALLEL = 16  # personal records asked for at once; the rate limiter paces them


@dataclass(slots=True)
class Counts:
    """`unanswered`: personal records that the source did not give. `emails`: account holders with a new address."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    held: int = 0
    unanswered: int = 0
    emails: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """The entries of one person on the list, with the personal record where it was asked for."""

    key: Key
    entries: tuple[SourceEntry, ...]
    hash: str
    known: KnownStudent | None = None
    record: SourcePerson | None = None
    failed: bool = False  # the record was asked for and the source did not answer


@dataclass(slots=True)
class Chunk:
    """What one transaction writes. `hashes`: prints of the entries of who is stored, by document."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    clean: list[str] = field(default_factory=list)
    emails: list[tuple[StudentId, str]] = field(default_factory=list)
    hashes: dict[Key, str] = field(default_factory=dict)
    holders: int = 0


@dataclass(frozen=True, slots=True)
class Ingest:
    """One run's way of storing people. `run_id`: under which the personal records are kept."""

    db: Database
    records: StudentRecords
    run_id: int
    source_list: SourceList
    careers: Mapping[int, KnownCareer]

    async def people(self, people: Mapping[Key, Sequence[SourceEntry]], counts: Counts, *, position: int) -> None:
        """A record that fails leaves what is known of that person, and they are aside until it comes."""
        asked = await self._with_records(
            [
                Person(key, tuple(entries), join_prints(entry_print(one.raw) for one in entries))
                for key, entries in people.items()
            ]
        )
        now = datetime.now(UTC)
        kept = {one.key[1]: dict(one.record.raw) if one.record else None for one in asked if not one.failed}
        async with self.db.transaction() as session:
            await payloads.keep(session, self.run_id, payloads.RECORDS, position, kept)
            chunk = await _write(session, asked, self.source_list, self.careers, now)
        counts.new += len(chunk.new)
        counts.changed += len(chunk.changed)
        counts.held += len({row["entry_key"] for row in chunk.held})
        counts.unanswered += sum(1 for one in asked if one.failed)
        counts.emails += chunk.holders

    async def keep_aside(self, entries: Sequence[SourceEntry], counts: Counts) -> None:
        """Entries without a usable number."""
        now = datetime.now(UTC)
        rows = [
            _held_row(self.source_list, _payload_key(one), "", Held(HeldReason.NO_DOCUMENT), [one]) for one in entries
        ]
        async with self.db.transaction() as session:
            await ingest_db.hold(session, list({row["entry_key"]: row for row in rows}.values()), now=now)
        counts.held += len(entries)

    async def _with_records(self, people: Sequence[Person]) -> list[Person]:
        """Some at a time; one that fails does not stop the others."""
        gate = asyncio.Semaphore(PARALLEL)

        async def one(person: Person) -> Person:
            carried = next((entry.personal for entry in person.entries if entry.personal is not None), None)
            if carried is not None:
                return replace(person, record=carried)
            async with gate:
                try:
                    return replace(person, record=await in_turn(lambda: self.records.person(person.key[1])))
                except RemoteError:
                    return replace(person, failed=True)

        return list(await asyncio.gather(*(one(person) for person in people)))


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
    latest = await students_db.known(session, [person.key for person in people], source_list, lock=True)
    chunk = _sort([replace(person, known=latest.get(person.key)) for person in people], source_list, careers, now)
    added = await students_db.add(session, chunk.new)
    ids = {key: one.id for key, one in latest.items()} | added
    late = [person for person in people if person.key not in ids and not person.failed]
    if late:
        stored = await students_db.known(session, [person.key for person in late], source_list, lock=True)
        again = [replace(person, known=stored[person.key]) for person in late if person.key in stored]
        overtaken = _sort(again, source_list, careers, now)
        chunk.new = [row for row in chunk.new if (row["document_type"], row["document_number"]) in added]
        chunk.changed += overtaken.changed
        chunk.emails += overtaken.emails
        ids |= {key: one.id for key, one in stored.items()}
    listed = {ids[key]: hash_ for key, hash_ in chunk.hashes.items() if key in ids}
    await listings.note(session, source_list, listed, now=now)
    await _store(session, chunk, source_list, now)
    return chunk


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
        chunk.held += [_held_row(source_list, entry_key, person.key[1], one, person.entries) for one in held[:1]]
        if not held:
            chunk.clean.append(entry_key)
        if facts is not None:
            _add(chunk, person, facts, source_list, now)
    return chunk


def _add(chunk: Chunk, person: Person, facts: StudentFacts, source_list: SourceList, now: datetime) -> None:
    chunk.hashes[person.key] = person.hash
    values: dict[str, Any] = {
        "first_name": facts.first_name,
        "last_name": facts.last_name,
        "personal_email": facts.personal_email,
        "stage": forward(person.known.stage if person.known else None, source_list.stage),
        "careers": [students_db.career_value(career) for career in facts.careers],
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
        chunk.emails.append((person.known.id, person.known.personal_email))


async def _store(session: AsyncSession, chunk: Chunk, source_list: SourceList, now: datetime) -> None:
    await students_db.change(session, chunk.changed)
    await ingest_db.hold(session, chunk.held, now=now)
    await ingest_db.resolve_held(session, source_list, chunk.clean, now=now)
    accounts = await accounts_db.accounts(session, [student for student, _former in chunk.emails])
    holders = {student: former for student, former in chunk.emails if student in accounts}
    await students_db.keep_former_emails(session, holders, now=now)
    events = [AuditEvent(LUCY, "student.email_changed", "noted", student=student) for student in holders]
    chunk.holders = len(events)
    await audit.record(session, events, now=now)


def _held_row(
    source_list: SourceList, entry_key: str, number: str, held: Held, entries: Sequence[SourceEntry]
) -> dict[str, Any]:
    return {
        "source_list": source_list,
        "entry_key": entry_key,
        "document_number": number,
        "reason": held.reason.value,
        "detail": held.detail,
        "payload": dict(entries[0].raw) if len(entries) == 1 else {"entries": [dict(one.raw) for one in entries]},
    }


def _payload_key(entry: SourceEntry) -> str:
    body = json.dumps(entry.raw, sort_keys=True, default=str)
    return "payload:" + hashlib.sha256(body.encode()).hexdigest()[:32]
