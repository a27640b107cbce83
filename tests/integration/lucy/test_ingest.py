"""Reading SIAL over HTTP into PostgreSQL: every quirk of the source, and what a failure leaves behind."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis.asyncio
from sqlalchemy import select

from connectors.http import build_http_client
from connectors.limits import RedisLimiter
from connectors.sial.client import SialRecords
from lucy.db import ingest as ingest_db
from lucy.db.tables import HeldRecordRow, IngestRunRow, StudentRow
from lucy.domain.ingest import HeldReason
from lucy.domain.students import SourceList, Stage
from lucy.errors import System
from lucy.flows.ingest_list import Counts, ingest_list
from sandbox.sial.data import SialData, SialEntry, why_unusable
from sandbox.together import Population
from tests.integration.conftest import OpenWorks
from tests.integration.support.works import Works

ASPIRANTES, INGRESANTES = SourceList.ASPIRANTES, SourceList.INGRESANTES
OVERLAP_S = 600
REASONS = {
    "document": HeldReason.NO_DOCUMENT,
    "record": HeldReason.NO_PERSONAL_RECORD,
    "name": HeldReason.NO_NAME,
    "email": HeldReason.BAD_EMAIL,
    "career": HeldReason.UNKNOWN_CAREER,
}


async def read(works: Works, source_list: SourceList = ASPIRANTES, **asked: Any) -> IngestRunRow:
    """Ask for a reading and carry it out."""
    async with works.db.transaction() as session:
        run = await ingest_db.request_run(session, source_list, requested_by="tests", now=datetime.now(UTC), **asked)
    await works.actors.ingest_list(run.id)
    async with works.db.transaction() as session:
        done = await session.get(IngestRunRow, run.id)
    assert done is not None
    assert done.finished_at is not None
    return done


async def everybody(works: Works) -> dict[str, StudentRow]:
    async with works.db.transaction() as session:
        return {one.document_number: one for one in (await session.scalars(select(StudentRow))).all()}


async def held(works: Works) -> dict[str, HeldRecordRow]:
    """What is aside now, by entry key."""
    async with works.db.transaction() as session:
        rows = await session.scalars(select(HeldRecordRow).where(HeldRecordRow.resolved_at.is_(None)))
        return {one.entry_key: one for one in rows.all()}


async def checkpoint(works: Works, source_list: SourceList = ASPIRANTES) -> datetime | None:
    async with works.db.transaction() as session:
        return await ingest_db.checkpoint(session, source_list)


def add(works: Works, document: int | None = 40_123_456, *, where: str = "aspirantes", **record: Any) -> str:
    """One person at the source; `record` overrules the personal record."""
    entry = {
        "tipodoc": "DNI",
        "nrodoc": document,
        "carreras": [
            {
                "id_carrera": 3,
                "nombre_carrera": "CONTADOR PÚBLICO",
                "fecha_inscri": "20/11/2026 10:30:00",
                "modalidad": "1",
                "cohorte": None,
                "comisiones": [{"id_comision": 41, "nombre_comision": "COMISION 01"}],
            }
        ],
    }
    works.states.sial.data.lists[where].append(SialEntry(entry, datetime.now(UTC)))
    works.states.sial.data.records[str(document)] = {
        "tipodoc": "DNI",
        "nrodoc": str(document),
        "nombre": "Ana",
        "apellido": "Suárez",
        "email": f"ana.{document}@example.com",
        "fecha_natal": "03/09/99",
        "telefono": "54-358-400-0000",
        "localidad": "Río Cuarto",
        **record,
    }
    return str(document)


def mend(works: Works, document: str, changes: dict[str, Any]) -> None:
    """Change a personal record at the source; the list does not show that."""
    records = works.states.sial.data.records
    records[document] = {**(records[document] or {}), **changes}


def touch(works: Works, document: str, *, where: str = "aspirantes") -> None:
    """The source changed this entry, as its content shows."""
    entries = works.states.sial.data.lists[where]
    for place, one in enumerate(entries):
        if one.document == document:
            careers = [{**career, "cohorte": (career["cohorte"] or 2026) + 1} for career in one.body["carreras"]]
            entries[place] = SialEntry({**one.body, "carreras": careers}, datetime.now(UTC))


def asked_for(works: Works) -> Counter[str]:
    """Personal records that were asked for."""
    return Counter(one["nrodoc"] for one in works.states.sial.control.calls("datospersonales"))


# What the source holds


async def test_every_quirk_of_the_source(open_works: OpenWorks) -> None:
    works = await open_works(population=Population(aspirantes=30))
    data: SialData = works.states.sial.data
    run = await read(works)
    rows = await everybody(works)
    assert set(rows) == data.usable_documents("aspirantes")
    assert (run.seen, run.new, run.changed, run.error_code) == (30, len(rows), 0, "")
    aside = await held(works)
    expected = Counter(REASONS[one.reason] for one in data.unusable("aspirantes"))
    expected[HeldReason.INCONSISTENT_COMMISSION] = 1
    assert Counter(HeldReason(one.reason) for one in aside.values()) == expected
    assert run.held == sum(expected.values())
    for entry in data.lists["aspirantes"]:
        if entry.document is not None and why_unusable(entry, data.records[entry.document]) is None:
            _is_as_the_source_says(rows[entry.document], entry, data.records[entry.document] or {})
    names = {(one.first_name, one.last_name) for one in rows.values()}
    first_names = {one.first_name for one in rows.values()}
    assert ("Ángela Belén", "Núñez Güiraldes") in names
    assert ("Chiara", "D'Angelo") in names
    assert ("Juan Cruz", "Sosa") in names
    assert ("María del Carmen", "Rodríguez") in names
    assert any(last == "Pérez de la Fuente" for _first, last in names)
    assert any(one.born_on and one.born_on.isoformat() == "1958-09-03" for one in rows.values())
    assert {len(one.careers) for one in rows.values()} >= {0, 1, 2}
    assert not any(
        commission == "9999999" for one in rows.values() for c in one.careers for commission in c["commissions"]
    )
    assert len(first_names) > 5


def _is_as_the_source_says(row: StudentRow, entry: SialEntry, record: dict[str, Any]) -> None:
    assert row.personal_email == record["email"]
    assert row.stage is Stage.ASPIRANTE
    assert row.locality == record["localidad"]
    assert [one["career_id"] for one in row.careers] == sorted(one["id_carrera"] for one in entry.body["carreras"])
    for stored in row.careers:
        (source,) = [one for one in entry.body["carreras"] if one["id_carrera"] == stored["career_id"]]
        assert stored["modality"] == {"1": "PRES", "2": "DIST"}[source["modalidad"]]
        year = int(source["fecha_inscri"][6:10])
        assert stored["cohort"] == (source["cohorte"] or year)
        known = [one["nombre_comision"][-2:] for one in source["comisiones"] if one["id_comision"] != 9999999]
        assert stored["commissions"] == known


async def test_a_second_reading_of_the_same_is_nearly_free(open_works: OpenWorks) -> None:
    works = await open_works(population=Population(aspirantes=30))
    await read(works, full=True)
    before, asked, aside = await everybody(works), asked_for(works).total(), await held(works)
    again = await read(works, full=True)
    assert (again.seen, again.new, again.changed) == (30, 0, 0)
    assert set(await held(works)) == set(aside)
    unusable = {one.document for one in works.states.sial.data.unusable("aspirantes") if one.document}
    assert asked_for(works).total() - asked <= len(unusable) + 1, "only those that could not be used"
    after = await everybody(works)
    assert {k: v.changed_at for k, v in after.items()} == {k: v.changed_at for k, v in before.items()}
    assert all(after[one].last_seen_at > before[one].last_seen_at for one in after)


async def test_a_changed_entry_is_stored_and_only_it(works: Works) -> None:
    mine, other = add(works, 40_123_456), add(works, 40_123_457)
    await read(works)
    before = await everybody(works)
    touch(works, mine)
    mend(works, mine, {"apellido": "Suárez Luna", "telefono": None, "localidad": ""})
    run = await read(works)
    assert (run.new, run.changed) == (0, 1)
    after = await everybody(works)
    assert (after[mine].last_name, after[mine].cohort) == ("Suárez Luna", 2027)
    assert (after[mine].phone, after[mine].locality) == (before[mine].phone, "Río Cuarto"), "what is empty is not news"
    assert after[mine].changed_at > before[mine].changed_at
    assert after[other].changed_at == before[other].changed_at


# The checkpoint


async def test_a_success_moves_the_checkpoint_and_the_next_reading_begins_there(works: Works) -> None:
    add(works)
    before = datetime.now(UTC)
    await read(works)
    first = await checkpoint(works)
    assert first is not None
    assert before <= first <= datetime.now(UTC)
    await read(works)
    calls = works.states.sial.control.calls("listas/aspirantes")
    assert calls[0]["since"] is None
    since = first - timedelta(seconds=OVERLAP_S)
    zone = works.runtime.house.zone
    assert f"{since.astimezone(zone):%H:%M}"[:2] in str(calls[1]["since"])
    second = await checkpoint(works)
    assert second is not None
    assert second > first
    assert await checkpoint(works, INGRESANTES) is None


@pytest.mark.parametrize(
    ("action", "more"), [("status", {"status": 500}), ("truncate", {}), ("html", {}), ("cut_after", {})]
)
async def test_a_list_that_fails_leaves_everything_as_it_was(works: Works, action: str, more: dict[str, Any]) -> None:
    mine = add(works)
    await read(works)
    known, where = await everybody(works), await checkpoint(works)
    touch(works, mine)
    add(works, 40_123_457)
    works.fault("sial", "listas/aspirantes", action, **more)
    failed = await read(works)
    assert failed.error_code.startswith("U-")
    assert (failed.seen, failed.new, failed.changed) == (0, 0, 0)
    assert await checkpoint(works) == where
    assert {k: v.changed_at for k, v in (await everybody(works)).items()} == {mine: known[mine].changed_at}
    assert [one.outcome for one in await works.audit("ingest")] == ["done", f"failed {failed.error_code}"]
    mended = await read(works)
    assert (mended.new, mended.changed, mended.error_code) == (1, 1, "")


async def test_a_windowed_reading_moves_no_checkpoint(works: Works) -> None:
    add(works)
    await read(works)
    where = await checkpoint(works)
    now = datetime.now(UTC)
    run = await read(works, since=now - timedelta(days=2), until=now + timedelta(days=1))
    assert run.windowed
    assert run.seen == 1
    assert await checkpoint(works) == where
    before = await read(works, since=now - timedelta(days=30), until=now - timedelta(days=20))
    assert before.seen == 0
    assert await checkpoint(works) == where


async def test_a_full_reading_asks_for_everything_and_moves_the_checkpoint(works: Works) -> None:
    add(works)
    await read(works)
    where = await checkpoint(works)
    await read(works, full=True)
    assert [one["since"] for one in works.states.sial.control.calls("listas/aspirantes")] == [None, None]
    assert await checkpoint(works) != where


# Personal records that do not come


async def test_a_record_that_fails_keeps_what_is_known_and_is_read_again(works: Works) -> None:
    mine, new, other = add(works, 40_123_456), "40123457", add(works, 40_123_458)
    await read(works)
    where = await checkpoint(works)
    known = (await everybody(works))[mine]
    touch(works, mine)
    touch(works, other)
    add(works, 40_123_457)
    mend(works, mine, {"apellido": "Nueva"})
    for document in (mine, new):
        works.fault("sial", f"datospersonales {document}", "status", status=500)
    run = await read(works)
    rows = await everybody(works)
    assert set(rows) == {mine, other}
    assert (rows[mine].last_name, rows[mine].cohort) == (known.last_name, known.cohort)
    assert rows[other].cohort == 2027
    assert run.changed == 1
    assert await checkpoint(works) != where, "who is aside is asked for again by themselves"
    aside = await held(works)
    assert {one.reason for one in aside.values()} == {HeldReason.PERSONAL_FAILED}
    assert {one.document_number for one in aside.values()} == {mine, new}
    again = await read(works)
    rows = await everybody(works)
    assert (again.new, again.changed) == (1, 1)
    assert (rows[mine].last_name, rows[mine].cohort) == ("Nueva", 2027)
    assert new in rows
    assert await held(works) == {}


async def test_waiting_for_a_turn_at_the_source_is_not_a_failure_of_a_record(works: Works) -> None:
    """Three lists at SIAL's pace: more requests wait than the limiter lets wait at once."""
    for number in range(20):
        for place, name in enumerate(("preinscriptos", "aspirantes", "ingresantes")):
            add(works, 40_000_000 + 100 * place + number, where=name)
    client = redis.asyncio.from_url(works.settings.redis_url)
    limiter = RedisLimiter(client, {System.SIAL: 60.0}, {System.SIAL: 1}, longest_wait_s=0.3, prefix="tests:slow")
    async with build_http_client() as http:
        source = SialRecords(
            base_url=works.settings.sial_url,
            user=works.settings.sial_user,
            password=works.settings.sial_password.get_secret_value(),
            http=http,
            limiter=limiter,
            zone=works.runtime.house.zone,
            today=lambda: datetime.now(UTC).date(),
        )

        async def one(source_list: SourceList) -> Counts | None:
            async with works.db.transaction() as session:
                run = await ingest_db.request_run(session, source_list, requested_by="tests", now=datetime.now(UTC))
            return await ingest_list(works.db, source, run.id, house=works.runtime.house)

        counts = await asyncio.gather(*(one(source_list) for source_list in SourceList))
    await client.aclose()
    assert await held(works) == {}
    assert [count and (count.new, count.unanswered) for count in counts] == [(20, 0)] * 3
