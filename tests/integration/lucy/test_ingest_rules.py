"""The six rules of contracts/sial.md, each caused over HTTP and seen in PostgreSQL."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lucy.db import accounts as accounts_db
from lucy.db import ingest as ingest_db
from lucy.db.tables import IngestRunRow
from lucy.domain.ingest import HeldReason
from lucy.domain.students import SourceList, Stage
from lucy.flows.ingest_list import ingest_list
from sandbox.sial.data import SialEntry
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
