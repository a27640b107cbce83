"""Enrolling, and taking out of courses: only what Lucy put there, also when answers are lost."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from lucy.db.tables import StepRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.steps import StepState
from tests.integration.support.outcomes import enrolments, in_course, moodle_user, states
from tests.integration.support.people import Known, course_rules, students
from tests.integration.support.works import Works, looked, until

REMOVALS = BatchOptions(removals=True)
ENROL = "enrol_manual_enrol_users"


def there_before(works: Works, student: Known, *enrolled: tuple[int, bool]) -> None:
    """A Moodle user with these enrolments: the course's id, and whether it is suspended."""
    user = {
        "id": 77,
        "username": student.upn,
        "firstname": "Ana",
        "lastname": "Antes",
        "email": student.upn,
        "idnumber": student.document,
        "auth": "oidc",
    }
    rows = [{"course_id": course, "user_id": 77, "suspended": suspended} for course, suspended in enrolled]
    works.states.moodle.seed({"users": [user], "enrolments": rows})


async def made_by(works: Works, student: Known) -> dict[str, tuple[int | None, bool]]:
    return {name: (row.made_by_batch, row.was_suspended) for name, row in (await enrolments(works, student)).items()}


async def test_removals_take_out_of_what_lucy_put_them_in_and_of_nothing_else(works: Works) -> None:
    before, new = await students(works.db, 2)
    there_before(works, before, (3, False), (4, True))
    await course_rules(works.db, "INGRESO-2026", "CONT-1", "ADM-1")
    first = await works.activate()
    assert await made_by(works, before) == {
        "INGRESO-2026": (first, False),
        "CONT-1": (None, False),
        "ADM-1": (first, True),
    }
    await course_rules(works.db, "ECON-1")
    number = await works.carry_out(await works.request(options=REMOVALS, kind=BatchKind.ENROL))
    assert (await works.batch(number)).state is BatchState.FINISHED, await works.text_of_card(number)
    assert await states(works, number, StepKind.UNENROL) == {"done": 1 + 3}
    assert set(await made_by(works, before)) == {"CONT-1", "ADM-1", "ECON-1"}
    assert set(await made_by(works, new)) == {"ECON-1"}
    new_id = (await moodle_user(works, new)).moodle_id
    courses = ("INGRESO-2026", "CONT-1", "ADM-1", "ECON-1")
    assert [in_course(works, 77, one) for one in courses] == [None, True, True, True]
    assert [in_course(works, new_id, one) for one in courses] == [None, None, None, True]
    undo = await works.undo(number)
    assert (await works.batch(undo)).state is BatchState.FINISHED, await works.text_of_card(undo)
    assert [in_course(works, 77, one) for one in courses] == [True, True, True, None]
    assert [in_course(works, new_id, one) for one in courses] == [True, True, True, None]


@pytest.mark.parametrize("suspended", [False, True])
@pytest.mark.parametrize("lost", ["answer", "worker"])
async def test_an_enrolment_whose_answer_was_lost_is_known_for_lucys(works: Works, lost: str, suspended: bool) -> None:
    (known,) = await students(works.db)
    there_before(works, known, *([(2, True)] if suspended else []))
    await course_rules(works.db, "INGRESO-2026")
    number = await works.running()
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE, StepKind.MOODLE_USER):
        await works.lanes().run(kind)
    works.fault("moodle", ENROL, "cut_after" if lost == "answer" else "delay", delay_s=0.2)
    dying = asyncio.ensure_future(works.lanes().run(StepKind.ENROLMENT))
    if lost == "worker":
        await until(looked(lambda: works.states.moodle.control.calls(ENROL)))
        dying.cancel()
    await asyncio.wait([dying])
    await until(looked(lambda: in_course(works, 77, "INGRESO-2026")))
    async with works.db.transaction() as session:
        late = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(StepRow).where(StepRow.state == StepState.RUNNING).values(lease_until=late))
    await works.drain()
    assert (await works.step(number, StepKind.ENROLMENT, known)).state is StepState.DONE
    assert await made_by(works, known) == {"INGRESO-2026": (number, suspended)}
    await works.undo(number)
    assert in_course(works, 77, "INGRESO-2026") is (False if suspended else None)


async def test_who_left_the_course_by_hand_is_told_apart(works: Works) -> None:
    one, other = await students(works.db, 2)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    await works.activate()
    moodle_id = (await moodle_user(works, one)).moodle_id
    store = works.states.moodle.store
    with store.transaction():
        store.remove_enrolment(store.enrolments[3, moodle_id])
    await course_rules(works.db, "INGRESO-2026")
    number = await works.carry_out(await works.request(options=REMOVALS, kind=BatchKind.ENROL))
    assert (await works.step(number, StepKind.UNENROL, one)).state is StepState.ALREADY
    assert (await works.step(number, StepKind.UNENROL, other)).state is StepState.DONE
    assert set(await enrolments(works, one)) == {"INGRESO-2026"}


async def test_a_token_that_sees_nobody_takes_nobody_for_gone(works: Works) -> None:
    (known,) = await students(works.db)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    await works.activate()
    await course_rules(works.db, "INGRESO-2026")
    number = await works.request(options=REMOVALS, kind=BatchKind.ENROL)
    works.states.moodle.seed({"site": {"missing_capabilities": ["moodle/user:viewdetails"]}})
    await works.carry_out(number)
    step = await works.step(number, StepKind.UNENROL, known)
    assert (step.state, step.error_code) == (StepState.FAILED, "M-003")
    assert set(await enrolments(works, known)) == {"INGRESO-2026", "CONT-1"}
