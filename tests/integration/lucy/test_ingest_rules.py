"""The six rules of contracts/sial.md, each caused over HTTP and seen in PostgreSQL."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lucy.db import accounts as accounts_db
from lucy.db import cards as cards_db
from lucy.db import ingest as ingest_db
from lucy.db.tables import IngestPayloadRow, IngestRunRow, ListingRow, PostedCardRow
from lucy.domain.audit import Actor
from lucy.domain.ingest import HeldReason
from lucy.domain.ingest_guard import HeldRun
from lucy.domain.students import SourceList, Stage
from lucy.errors import RequestError
from lucy.flows.hold_run import discard_run, release_run, run_to_decide
from lucy.flows.ingest_list import ingest_list
from lucy.flows.replay_run import look_again, replay_run
from lucy.flows.set_config import set_config
from sandbox.sial.data import SialEntry
from tests.integration.conftest import OpenWorks
from tests.integration.lucy.test_ingest import (
    ASPIRANTES,
    INGRESANTES,
    add,
    asked_for,
    checkpoint,
    everybody,
    held,
    mend,
    read,
    touch,
)
from tests.integration.support.works import Works


async def ask(works: Works, source_list: SourceList = ASPIRANTES, **asked: Any) -> IngestRunRow:
    """A reading that may wait for a person."""
    async with works.db.transaction() as session:
        run = await ingest_db.request_run(session, source_list, requested_by="tests", now=datetime.now(UTC), **asked)
    await works.actors.ingest_list(run.id)
    return await again(works, run.id)


async def again(works: Works, run_id: int) -> IngestRunRow:
    async with works.db.transaction() as session:
        return await session.get_one(IngestRunRow, run_id)


async def lease_is_over(works: Works, run_id: int) -> None:
    async with works.db.transaction() as session:
        (await session.get_one(IngestRunRow, run_id)).lease_until = datetime.now(UTC) - timedelta(seconds=1)


def entries(works: Works, where: str = "aspirantes") -> list[SialEntry]:
    found: list[SialEntry] = works.states.sial.data.lists[where]
    return found


# Rule 1


@pytest.mark.parametrize("written", [40_123_456, "40123456", "40.123.456", " 40123456 ", 40123456.0])
async def test_rule_1_the_number_is_kept_as_text_digits_only(works: Works, written: Any) -> None:
    add(works, 40_123_456)
    entries(works)[0] = SialEntry({**entries(works)[0].body, "nrodoc": written}, datetime.now(UTC))
    await read(works)
    assert set(await everybody(works)) == {"40123456"}


async def test_rule_1_a_person_twice_on_a_list_and_far_apart_is_one_with_all_careers(works: Works) -> None:
    mine = add(works, 40_000_000)
    for number in range(1, 1200):
        add(works, 40_000_000 + number)
    career = {**entries(works)[0].body["carreras"][0], "id_carrera": 4, "nombre_carrera": "LIC. EN ADMINISTRACIÓN"}
    entries(works).append(SialEntry({**entries(works)[0].body, "carreras": [career]}, datetime.now(UTC)))
    run = await read(works)
    assert (run.seen, run.new) == (1201, 1200)
    assert {one["career_id"] for one in (await everybody(works))[mine].careers} == {3, 4}
    assert asked_for(works)[mine] == 1
    same = await read(works, full=True)
    assert (same.seen, same.new, same.changed) == (1201, 0, 0)


# Rule 2


async def test_rule_2_a_lower_list_moves_nobody_back(works: Works) -> None:
    mine = add(works, where="ingresantes")
    add(works, where="preinscriptos")
    await read(works, INGRESANTES)
    await read(works, SourceList.PREINSCRIPTOS)
    assert (await everybody(works))[mine].stage is Stage.INGRESANTE


async def test_rule_2_who_is_on_two_lists_is_read_once_though_their_entries_differ(works: Works) -> None:
    """Each list has its own print of a person: the other one does not make it a change."""
    mine = add(works)
    other = {**entries(works)[0].body["carreras"][0], "cohorte": 2025}
    entries(works, "ingresantes").append(SialEntry({**entries(works)[0].body, "carreras": [other]}, datetime.now(UTC)))
    for _ in range(2):
        await read(works, ASPIRANTES, full=True)
        last = await read(works, INGRESANTES, full=True)
    assert last.changed == 0
    assert asked_for(works)[mine] == 2


# Rule 3


async def test_rule_3_each_list_has_its_checkpoint_and_a_failed_run_moves_none(works: Works) -> None:
    add(works)
    await read(works)
    where = await checkpoint(works)
    works.fault("sial", "listas/aspirantes", "truncate")
    assert (await read(works)).error_code == "U-002"
    assert await checkpoint(works) == where
    assert await checkpoint(works, INGRESANTES) is None


async def test_rule_3_a_run_that_died_after_it_received_goes_on_without_asking_again(works: Works) -> None:
    add(works)

    class Dies(Exception):
        pass

    class Records:
        """The source, gone when the first personal record is asked for."""

        windows = True

        def __init__(self, real: Any) -> None:
            self.entries, self.identity = real.entries, real.identity
            self.read_entry, self.read_person = real.read_entry, real.read_person

        async def person(self, document_number: str) -> None:
            raise Dies

    async with works.db.transaction() as session:
        run = await ingest_db.request_run(session, ASPIRANTES, requested_by="tests", now=datetime.now(UTC))
    with pytest.raises(Dies):
        await ingest_list(works.db, Records(works.runtime.records), run.id, house=works.runtime.house)
    assert await everybody(works) == {}
    await lease_is_over(works, run.id)
    await works.actors.ingest_list(run.id)
    assert len(await everybody(works)) == 1
    assert len(works.states.sial.control.calls("listas/aspirantes")) == 1


async def test_rule_3_an_overlap_is_asked_for_so_that_nothing_falls_between_two_runs(works: Works) -> None:
    add(works)
    await read(works)
    where = await checkpoint(works)
    assert where is not None
    run = await read(works)
    assert run.since == where - timedelta(seconds=works.runtime.house.ingest_overlap_s)


# Rule 4


@pytest.mark.parametrize("field", ["telefono", "localidad", "fecha_natal"])
@pytest.mark.parametrize("empty", ["", None])
async def test_rule_4_a_field_that_turns_empty_erases_nothing(works: Works, field: str, empty: str | None) -> None:
    mine = add(works)
    await read(works)
    before = (await everybody(works))[mine]
    mend(works, mine, {field: empty})
    touch(works, mine)
    await read(works)
    after = (await everybody(works))[mine]
    assert (after.phone, after.locality, after.born_on) == (before.phone, before.locality, before.born_on)
    assert after.changed_at > before.changed_at


async def test_rule_4_a_new_address_of_an_account_holder_is_reported(works: Works) -> None:
    holder, other = add(works, 40_123_456), add(works, 40_123_457)
    await read(works)
    rows = await everybody(works)
    async with works.db.transaction() as session:
        now = datetime.now(UTC)
        await accounts_db.store_accounts(
            session,
            [
                {
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
            ],
        )
    for document in (holder, other):
        mend(works, document, {"email": f"otra.{document}@example.com"})
        touch(works, document)
    run = await read(works)
    assert (run.changed, run.emails) == (2, 1)
    assert (await everybody(works))[holder].personal_email == f"otra.{holder}@example.com"


# Rule 5


@pytest.mark.parametrize(
    ("entry", "record", "reason"),
    [
        ({"nrodoc": None}, {}, HeldReason.NO_DOCUMENT),
        ({"nrodoc": "sin número"}, {}, HeldReason.NO_DOCUMENT),
        ({}, {"nombre": "  "}, HeldReason.NO_NAME),
        ({}, {"apellido": None}, HeldReason.NO_NAME),
        ({}, {"email": "no tiene"}, HeldReason.BAD_EMAIL),
        ({"carreras": [{"id_carrera": 99, "nombre_carrera": "OTRA"}]}, {}, HeldReason.UNKNOWN_CAREER),
    ],
)
async def test_rule_5_what_cannot_be_used_is_kept_aside_and_stops_nobody(
    works: Works, entry: Mapping[str, Any], record: Mapping[str, Any], reason: HeldReason
) -> None:
    add(works, 40_123_456, **record)
    good = add(works, 40_123_457)
    entries(works)[0] = SialEntry({**entries(works)[0].body, **entry}, datetime.now(UTC))
    run = await read(works)
    assert (run.seen, run.new, run.held, run.error_code) == (2, 1, 1, "")
    assert set(await everybody(works)) == {good}
    (aside,) = (await held(works)).values()
    assert aside.reason == reason
    assert aside.payload["tipodoc"] == "DNI"


async def test_rule_5_an_entry_that_is_no_entry_at_all_is_kept_aside(works: Works) -> None:
    add(works)
    works.fault("sial", "listas/aspirantes", "status", status=200, body=["texto", 7, None, {"nrodoc": "1\x002"}])
    run = await read(works)
    assert (run.seen, run.new, run.held) == (4, 0, 4)
    assert len(await held(works)) == 4


async def test_rule_5_what_is_aside_is_tried_again_when_the_record_is_mended_though_the_list_does_not_show_it(
    works: Works,
) -> None:
    mine = add(works, email="no tiene")
    await read(works)
    entries(works)[0] = SialEntry(entries(works)[0].body, datetime.now(UTC) - timedelta(days=3))  # out of the window
    still = await read(works)
    assert still.seen == 0
    assert len(await held(works)) == 1
    mend(works, mine, {"email": "ana@example.com"})
    run = await read(works)
    assert (run.seen, run.new) == (0, 1)
    assert await held(works) == {}
    assert mine in await everybody(works)


# Rule 6


async def many(works: Works, count: int = 60) -> list[str]:
    documents = [add(works, 40_000_000 + number) for number in range(count)]
    await read(works, full=True)
    return documents


async def written(works: Works) -> object:
    """All that a reading might have written."""
    async with works.db.transaction() as session:
        listings = (await session.execute(select(ListingRow.student_id, ListingRow.hash, ListingRow.seen_at))).all()
    return {k: (v.changed_at, v.last_seen_at) for k, v in (await everybody(works)).items()}, sorted(listings)


@pytest.mark.parametrize(
    ("left", "why"), [(0, HeldRun.EMPTY), (45, HeldRun.SHORT), (48, None), (60, None)], ids=["0", "45", "48", "60"]
)
async def test_rule_6_a_whole_list_that_is_short_or_empty_stops_before_it_writes(
    works: Works, left: int, why: HeldRun | None
) -> None:
    await many(works)
    before, where, aside = await written(works), await checkpoint(works), await held(works)
    del entries(works)[left:]
    run = await ask(works, full=True)
    assert run.waits_for == (why or "")
    assert (run.finished_at is None) == (why is not None)
    if why is not None:
        assert await written(works) == before
        assert (await checkpoint(works), await held(works)) == (where, aside)


@pytest.mark.parametrize(("changed", "why"), [(12, None), (13, HeldRun.CHANGED)])
async def test_rule_6_more_changes_than_usual_stop_before_they_are_written(
    works: Works, changed: int, why: HeldRun | None
) -> None:
    documents = await many(works)
    before = await written(works)
    for document in documents[:changed]:
        touch(works, document)
    run = await ask(works)
    assert run.waits_for == (why or "")
    assert run.changed == (0 if why else changed)
    assert (await written(works) == before) == (why is not None)


async def test_rule_6_new_people_and_short_lists_are_never_unusual(works: Works) -> None:
    few = await many(works, 9)
    for document in few:
        touch(works, document)
    assert (await ask(works)).changed == 9
    for number in range(500):
        add(works, 41_000_000 + number)
    assert (await ask(works)).new == 500


async def test_rule_6_the_share_is_a_setting(works: Works) -> None:
    documents = await many(works)
    for document in documents[:30]:
        touch(works, document)
    async with works.db.transaction() as session:
        await set_config(session, "ingesta.proporcion", "60%", actor=Actor("x", "Carla"), now=datetime.now(UTC))
    assert (await ask(works)).changed == 30


async def test_rule_6_what_waits_is_written_from_what_was_received_then(works: Works) -> None:
    await many(works)
    kept = entries(works)[:]
    del entries(works)[10:]
    run = await ask(works, full=True)
    entries(works)[:] = kept  # the source is whole again; what was received is not
    calls = len(works.states.sial.control.calls("listas/aspirantes"))
    async with works.db.transaction() as session:
        waiting = await run_to_decide(session, run.id)
        await release_run(session, waiting, Actor("x", "Carla"), now=datetime.now(UTC))
    await works.actors.ingest_list(run.id)
    done = await again(works, run.id)
    assert done.finished_at is not None
    assert (done.seen, done.released_by, done.waits_for) == (10, "Carla", "")
    assert len(works.states.sial.control.calls("listas/aspirantes")) == calls
    async with works.db.transaction() as session:
        missing = (await session.scalars(select(ListingRow.student_id).where(ListingRow.missing == 1))).all()
    assert len(missing) == 50
    async with works.db.transaction() as session:
        with pytest.raises(RequestError, match="ya no espera"):
            await discard_run(session, await run_to_decide(session, run.id), Actor("x", "x"), now=datetime.now(UTC))


async def test_rule_6_a_later_reading_that_is_as_usual_replaces_what_waits(works: Works) -> None:
    await many(works)
    kept = entries(works)[:]
    entries(works).clear()
    first = await ask(works, full=True)
    second = await ask(works, full=True)
    assert (await again(works, first.id)).error_code == "U-006"
    entries(works)[:] = kept
    await read(works, full=True)
    assert (await again(works, second.id)).error_code == "U-006"
    assert (await again(works, second.id)).waits_for == ""


async def test_rule_6_a_run_that_waits_is_left_alone_by_the_sweeper(works: Works) -> None:
    await many(works)
    entries(works).clear()
    run = await ask(works, full=True)
    async with works.db.transaction() as session:
        assert await ingest_db.unattended_runs(session, now=datetime.now(UTC) + timedelta(days=1)) == []
    await works.actors.ingest_list(run.id)
    assert (await again(works, run.id)).waits_for == HeldRun.EMPTY


# What is kept


async def test_a_reading_is_kept_compressed_and_read_again_offline(works: Works) -> None:
    documents = await many(works, 30)
    async with works.db.transaction() as session:
        run = (await session.scalars(select(IngestRunRow))).one()
        kept = (await session.scalars(select(IngestPayloadRow.body))).all()
    assert sum(map(len, kept)) < 30 * 400 / 4
    assert all(b"nrodoc" not in body for body in kept)
    works.states.sial.data.lists["aspirantes"].clear()
    works.states.sial.data.records.clear()
    calls = len(works.states.sial.control.calls())
    async with works.db.transaction() as session:
        row = (await session.scalars(select(ListingRow).limit(1))).one()
        row.hash = "another"
    before = await written(works)
    seen = await look_again(works.db, works.runtime.records, run.id)
    assert (seen.seen, seen.comparison.changed, seen.comparison.unchanged) == (30, 1, 29)
    assert await written(works) == before
    done = await replay_run(works.db, works.runtime.records, run.id, requested_by="tests", house=works.runtime.house)
    assert done is not None
    assert (done.changed, done.unanswered) == (1, 0)
    assert set(await everybody(works)) == set(documents)
    assert len(works.states.sial.control.calls()) == calls


async def test_only_the_newest_readings_are_kept(open_works: OpenWorks) -> None:
    works = await open_works(payload_runs_kept=2)
    add(works)
    for _ in range(4):
        last = await read(works, full=True)
    async with works.db.transaction() as session:
        kept = set((await session.scalars(select(IngestPayloadRow.run_id))).all())
    assert kept == {last.id - 1, last.id}
    with pytest.raises(RequestError, match="Nothing is kept"):
        await look_again(works.db, works.runtime.records, last.id - 3)


async def test_a_card_asks_in_every_staff_channel(works: Works) -> None:
    await many(works)
    async with works.db.transaction() as session:
        await cards_db.remember_conversation(
            session,
            {
                "conversation_id": "19:staff",
                "kind": "channel",
                "service_url": "http://127.0.0.1/",
                "tenant_id": "t",
                "team_id": "t",
                "channel_id": "19:staff",
                "updated_at": datetime.now(UTC),
            },
        )
    entries(works).clear()
    run = await ask(works, full=True)
    async with works.db.transaction() as session:
        rows = (await session.scalars(select(PostedCardRow).where(PostedCardRow.shows == "ingest"))).all()
    assert [(row.subject, row.conversation_id, row.new_thread) for row in rows] == [(str(run.id), "19:staff", True)]
