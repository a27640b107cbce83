"""Runs, held records, people on two lists, new addresses."""

import asyncio
from datetime import UTC, datetime, timedelta

from lucy.db import accounts as accounts_db
from lucy.db import ingest as ingest_db
from lucy.domain.ingest import HeldReason
from lucy.domain.students import SourceList, Stage
from lucy.flows.ingest_list import Counts, ingest_list
from sandbox.sial.data import SialEntry
from tests.integration.conftest import OpenWorks
from tests.integration.lucy.test_ingest import ASPIRANTES, INGRESANTES, add, everybody, held, mend, read, touch
from tests.integration.support.works import Works

# Held records


async def test_a_held_entry_is_resolved_when_the_source_mends_it(works: Works) -> None:
    mine = add(works, email="no tiene")
    await read(works)
    aside = await held(works)
    (first,) = aside.values()
    assert (first.reason, first.document_number) == (HeldReason.BAD_EMAIL, mine)
    await read(works)
    (still,) = (await held(works)).values()
    assert (still.id, still.first_seen_at) == (first.id, first.first_seen_at)
    assert still.last_seen_at > first.last_seen_at
    mend(works, mine, {"email": "ana@example.com"})
    run = await read(works)
    assert run.new == 1
    assert await held(works) == {}
    mend(works, mine, {"email": "otra vez no"})
    touch(works, mine)
    await read(works)
    assert len(await held(works)) == 1, "and held again when it breaks again"
    assert (await everybody(works))[mine].personal_email == "ana@example.com"


async def test_an_entry_without_a_number_is_resolved_by_a_full_reading_that_lacks_it(works: Works) -> None:
    add(works, None)
    await read(works)
    (aside,) = (await held(works)).values()
    assert aside.reason == HeldReason.NO_DOCUMENT
    entries = works.states.sial.data.lists["aspirantes"]
    entries[0] = SialEntry({**entries[0].body, "nrodoc": 40_123_456}, datetime.now(UTC))
    works.states.sial.data.records["40123456"] = {
        **(works.states.sial.data.records["None"] or {}),
        "nrodoc": "40123456",
    }
    run = await read(works, full=True)
    assert run.new == 1
    assert await held(works) == {}


# One person, two lists


async def test_two_lists_at_once_store_a_shared_person_once(open_works: OpenWorks) -> None:
    works = await open_works()
    shared = []
    for number in range(60):
        shared.append(add(works, 40_200_000 + number))
        works.states.sial.data.lists["ingresantes"].append(works.states.sial.data.lists["aspirantes"][-1])
    first, second = await asyncio.gather(read(works, ASPIRANTES), read(works, INGRESANTES))
    rows = await everybody(works)
    assert set(rows) == set(shared)
    assert {one.stage for one in rows.values()} == {Stage.INGRESANTE}
    assert first.new + second.new == 60
    assert first.error_code == second.error_code == ""


async def test_a_stage_only_moves_forward(works: Works) -> None:
    mine = add(works, where="ingresantes")
    add(works, where="preinscriptos")
    await read(works, INGRESANTES)
    assert (await everybody(works))[mine].stage is Stage.INGRESANTE
    touch(works, mine, where="preinscriptos")
    await read(works, SourceList.PREINSCRIPTOS)
    assert (await everybody(works))[mine].stage is Stage.INGRESANTE
    other = add(works, 40_123_999)
    await read(works, ASPIRANTES)
    works.states.sial.data.lists["ingresantes"].append(works.states.sial.data.lists["aspirantes"][-1])
    run = await read(works, INGRESANTES)
    assert run.changed >= 1
    assert (await everybody(works))[other].stage is Stage.INGRESANTE, "though its entry is the same"


async def test_documents_of_two_types_are_two_people(works: Works) -> None:
    add(works)
    entries = works.states.sial.data.lists["aspirantes"]
    entries.append(SialEntry({**entries[0].body, "tipodoc": "PAS"}, datetime.now(UTC)))
    run = await read(works)
    assert run.new == 2


# Contact changes


async def test_a_new_address_of_an_account_holder_is_kept_in_the_audit(works: Works) -> None:
    holder, other = add(works, 40_123_456), add(works, 40_123_457)
    await read(works)
    rows = await everybody(works)
    async with works.db.transaction() as session:
        now = datetime.now(UTC)
        account = {
            "student_id": rows[holder].id,
            "upn": f"a{holder}@eco.unrc.edu.ar",
            "entra_id": "x",
            "enabled": True,
            "licensed": True,
            "made_by_batch": None,
            "secret_fingerprint": "",
            "created_at": now,
            "verified_at": now,
        }
        await accounts_db.store_accounts(session, [account])
    for document in (holder, other):
        mend(works, document, {"email": f"nueva.{document}@example.com"})
        touch(works, document)
    await read(works)
    assert (await everybody(works))[holder].personal_email == f"nueva.{holder}@example.com"
    (event,) = await works.audit("student.email_changed")
    assert event.student_id == rows[holder].id
    assert "@" not in str(event.detail)


# Runs


async def test_a_run_is_carried_out_by_one_process_only(works: Works) -> None:
    for number in range(10):
        add(works, 40_300_000 + number)
    async with works.db.transaction() as session:
        run = await ingest_db.request_run(session, ASPIRANTES, requested_by="tests", now=datetime.now(UTC))
        again = await ingest_db.request_run(session, ASPIRANTES, requested_by="otra", now=datetime.now(UTC))
    assert again.id == run.id, "one that waits to begin serves"

    async def attempt() -> Counts | None:
        return await ingest_list(works.db, works.runtime.records, run.id, house=works.runtime.house)

    done = [one for one in await asyncio.gather(*(attempt() for _ in range(5))) if one is not None]
    assert [one.new for one in done] == [10]
    assert len(works.states.sial.control.calls("listas/aspirantes")) == 1
    assert await attempt() is None


async def test_a_reading_that_outlasts_its_lease_stays_in_hand(works: Works) -> None:
    """A first night at SIAL's pace takes hours."""
    for number in range(40):
        add(works, 40_400_000 + number)
    works.fault("sial", "datospersonales", "delay", delay_s=0.7, times=None)
    async with works.db.transaction() as session:
        run = await ingest_db.request_run(session, ASPIRANTES, requested_by="tests", now=datetime.now(UTC))

    async def attempt() -> Counts | None:
        return await ingest_list(works.db, works.runtime.records, run.id, house=works.runtime.house, lease_s=1.2)

    reading = asyncio.ensure_future(attempt())
    await asyncio.sleep(0.1)
    rivals = []
    while not reading.done():
        rivals.append(await attempt())
        await asyncio.sleep(0.05)
    assert (await reading or Counts()).new == 40
    assert len(rivals) > 5
    assert set(rivals) == {None}


async def test_a_run_whose_process_died_is_carried_on_by_another(works: Works) -> None:
    add(works)
    async with works.db.transaction() as session:
        run = await ingest_db.request_run(session, ASPIRANTES, requested_by="tests", now=datetime.now(UTC))
        died = datetime.now(UTC) - timedelta(hours=1)
        assert await ingest_db.begin_run(session, run.id, now=died, lease_s=60)
    counts = await ingest_list(works.db, works.runtime.records, run.id, house=works.runtime.house)
    assert counts is not None
    assert counts.new == 1
