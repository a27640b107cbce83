"""Each defect of the earlier system that concerns the connectors, caused here: FEATURES, C.17, by its number."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from lucy.db import ingest as ingest_db
from lucy.db import students as students_db
from lucy.db.tables import IngestRunRow, StudentRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.selections import parse_selection
from lucy.domain.students import SourceList
from lucy.flows.run_schedules import bring_forward, run_due_schedules
from tests.integration.lucy.test_ingest import add, checkpoint, everybody, mend, read, touch
from tests.integration.support.outcomes import moodle_user, the_account
from tests.integration.support.people import Known, actor, course_rules, students
from tests.integration.support.works import Works

ALONE = BatchOptions(mail=False, moodle=False)


async def test_1_a_list_that_fails_moves_no_checkpoint(works: Works) -> None:
    add(works)
    await read(works)
    where = await checkpoint(works)
    works.fault("sial", "listas/aspirantes", "status", status=500)
    assert (await read(works)).error_code == "U-002"
    assert await checkpoint(works) == where


async def test_2_a_personal_record_that_fails_blanks_nothing(works: Works) -> None:
    mine = add(works)
    await read(works)
    touch(works, mine)
    works.fault("sial", f"datospersonales {mine}", "status", status=500, times=None)
    await read(works)
    row = (await everybody(works))[mine]
    assert (row.first_name, row.last_name, row.locality) == ("Ana", "Suárez", "Río Cuarto")
    assert row.personal_email == f"ana.{mine}@example.com"


async def test_3_a_reading_leaves_the_account_of_a_student_alone(works: Works) -> None:
    mine = add(works)
    await read(works)
    await works.activate(mine, options=ALONE)
    row = (await everybody(works))[mine]
    known = Known(row.id, mine, row.personal_email)
    before = await the_account(works, known)
    touch(works, mine)
    mend(works, mine, {"email": "otra@example.com"})
    await read(works, full=True)
    after = await the_account(works, known)
    assert (after.upn, after.entra_id, after.licensed) == (before.upn, before.entra_id, before.licensed)


async def test_8_what_can_be_set_is_used(works: Works) -> None:
    """A full reading that is asked for is one, by command and by the agenda."""
    add(works)
    await read(works)
    assert (await read(works)).since is not None
    assert (await read(works, full=True)).since is None
    now = datetime.now(UTC)
    async with works.db.transaction() as session:
        await bring_forward(session, "ingesta-completa", actor=actor(works.people[2]), now=now)
        await run_due_schedules(session, house=works.runtime.house, now=now)
    async with works.db.transaction() as session:
        asked = (await session.scalars(select(IngestRunRow).where(IngestRunRow.finished_at.is_(None)))).all()
    assert asked
    assert all(run.full for run in asked)


async def test_10_a_reading_whose_process_died_goes_on_and_two_processes_read_once(works: Works) -> None:
    add(works)
    async with works.db.transaction() as session:
        run = await ingest_db.request_run(session, SourceList.ASPIRANTES, requested_by="tests", now=datetime.now(UTC))
        assert await ingest_db.begin_run(session, run.id, now=datetime.now(UTC) - timedelta(hours=1), lease_s=60)
    await asyncio.gather(*(works.actors.ingest_list(run.id) for _process in range(3)))
    assert len(await everybody(works)) == 1
    assert len(works.states.sial.control.calls("listas/aspirantes")) == 1


async def test_11_every_career_and_commission_counts(works: Works) -> None:
    mine = add(works)
    entry = works.states.sial.data.lists["aspirantes"][0]
    second = {
        **entry.body["carreras"][0],
        "id_carrera": 4,
        "comisiones": [
            {"id_comision": 42, "nombre_comision": "COMISION 02"},
            {"id_comision": 43, "nombre_comision": "COMISION 03"},
        ],
    }
    entry.body["carreras"].append(second)
    await read(works)
    careers = {one["code"]: one["commissions"] for one in (await everybody(works))[mine].careers}
    assert careers == {"CP": ["01"], "LA": ["02", "03"]}


@pytest.mark.parametrize(("written", "born"), [("03/09/68", 1968), ("03/09/99", 1999), ("03/09/05", 2005)])
async def test_12_birth_years_of_two_digits_lie_in_the_past(works: Works, written: str, born: int) -> None:
    mine = add(works, fecha_natal=written)
    await read(works)
    assert (await everybody(works))[mine].born_on == date(born, 9, 3)


@pytest.mark.parametrize(
    ("kind", "plan"),
    [
        (BatchKind.UNENROL, "3 desmatriculaciones"),
        (BatchKind.UNLICENSE, "3 retiros de licencia"),
        (BatchKind.DISABLE, "3 deshabilitaciones de cuenta"),
    ],
)
async def test_13_what_takes_away_is_shown_and_waits_for_a_second_person(
    works: Works, kind: BatchKind, plan: str
) -> None:
    await students(works.db, 3)
    await course_rules(works.db, "CONT-1")
    await works.activate()
    calls = len(works.states.graph.control.calls()) + len(works.states.moodle.control.calls())
    number = await works.request(kind=kind)
    assert (await works.batch(number)).state is BatchState.AWAITING_APPROVAL
    assert plan in await works.text_of_card(number)
    assert len(works.states.graph.control.calls()) + len(works.states.moodle.control.calls()) == calls


async def test_14_enrolling_reads_no_list_of_participants(works: Works) -> None:
    """However many are in the course: nobody's list is downloaded for anybody."""
    await students(works.db, 40)
    await course_rules(works.db, "CONT-1", "ADM-1")
    number = await works.activate(options=BatchOptions(mail=False))
    assert {step.state.value for step in await works.steps(number, StepKind.ENROLMENT)} == {"done"}
    assert works.states.moodle.control.calls("core_enrol_get_enrolled_users") == []
    assert works.states.moodle.control.calls("core_enrol_get_users_courses") == []


async def test_18_filters_look_at_what_they_say(works: Works) -> None:
    """`con:moodle` is a Moodle user, `con:matricula` an enrolment, `con:cuenta` an account; no career, no address."""
    enrolled, activated, nothing = await students(works.db, 3)
    await course_rules(works.db, "CONT-1")
    await works.activate(enrolled.document, options=BatchOptions(mail=False))
    await works.activate(activated.document, options=ALONE)
    assert await moodle_user(works, enrolled)

    async def of(words: str) -> set[int]:
        async with works.db.transaction() as session:
            selection = parse_selection(words, today=datetime.now(UTC).date())
            return set(await students_db.select_ids(session, selection, zone=works.runtime.house.zone))

    assert await of("con:cuenta") == {enrolled.id, activated.id}
    assert await of("sin:cuenta") == {nothing.id}
    assert await of("con:moodle") == await of("con:matricula") == {enrolled.id}
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).values(careers=[]))
    assert await of("con:matricula") == {enrolled.id}
