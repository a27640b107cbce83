"""Groups of courses, several Moodle sites, suspension in place of leaving, and why somebody is in a course."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from lucy.db import rules as rules_db
from lucy.domain.batches import BatchState
from lucy.domain.course_rules import CourseReason, CourseRule, reason_from
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.steps import StepState
from lucy.flows.check_courses import check_courses
from lucy.flows.view_rules import view_rules
from sandbox.control import serve
from sandbox.moodle.app import build_app
from sandbox.moodle.state import MoodleState
from tests.integration.conftest import OpenWorks
from tests.integration.support.outcomes import enrolments, in_course, moodle_user, states
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works

REMOVALS = BatchOptions(removals=True)
JOIN, MAKE = "core_group_add_group_members", "core_group_create_groups"


async def rules(works: Works, *wanted: CourseRule) -> None:
    async with works.db.transaction() as session:
        await rules_db.replace_course_rules(session, wanted)


def groups_of(works: Works, moodle_id: int) -> dict[str, list[str]]:
    """The groups of a user by course."""
    store, found = works.states.moodle.store, {}
    for course in store.courses.values():
        names = [one.name for one in store.groups_in(course.id) if moodle_id in store.members(one.id)]
        if names:
            found[course.shortname] = sorted(names)
    return found


@pytest.fixture
async def grouping(open_works: OpenWorks) -> Works:
    return await open_works(moodle_groups=True)


async def test_students_join_the_group_of_modality_and_commission(grouping: Works) -> None:
    works = grouping
    known = await students(works.db, 3)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    number = await works.activate()
    assert await states(works, number, StepKind.COURSE_GROUP) == {"done": 6}
    assert len(works.states.moodle.control.calls(MAKE)) == 2, "each group is made once"
    for one in known:
        user = await moodle_user(works, one)
        assert groups_of(works, user.moodle_id) == {"INGRESO-2026": ["PRES 01"], "CONT-1": ["PRES 01"]}
        assert {row.course: row.groups for row in (await enrolments(works, one)).values()} == {
            "INGRESO-2026": ["PRES 01"],
            "CONT-1": ["PRES 01"],
        }
    again = await works.request(kind=BatchKind.ENROL)
    assert (await works.batch(again)).state is BatchState.NOTHING_DONE


async def test_two_workers_that_make_one_group_at_once_make_one(grouping: Works) -> None:
    works = grouping
    await students(works.db, 8)
    await course_rules(works.db, "INGRESO-2026")
    number = await works.running()
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE, StepKind.MOODLE_USER, StepKind.ENROLMENT):
        await works.lanes().run(kind)
    works.states.moodle.seed({"site": {"latency_s": 0.05}})
    works.runtime.lanes[StepKind.COURSE_GROUP].size = 4
    await asyncio.gather(works.lanes().run(StepKind.COURSE_GROUP), works.lanes().run(StepKind.COURSE_GROUP))
    await works.drain()
    assert await states(works, number, StepKind.COURSE_GROUP) == {"done": 8}
    assert [group.name for group in works.states.moodle.store.groups.values()] == ["PRES 01"]


async def test_a_group_that_cannot_be_joined_costs_no_enrolment(grouping: Works) -> None:
    works = grouping
    (known,) = await students(works.db)
    await course_rules(works.db, "INGRESO-2026")
    works.states.moodle.seed({"site": {"missing_capabilities": ["moodle/course:managegroups"]}})
    number = await works.activate()
    assert (await works.step(number, StepKind.ENROLMENT, known)).state is StepState.DONE
    step = await works.step(number, StepKind.COURSE_GROUP, known)
    assert (step.state, step.error_code) == (StepState.FAILED, "M-003")


async def test_a_lost_answer_leaves_nobody_out_of_a_group(grouping: Works) -> None:
    works = grouping
    (known,) = await students(works.db)
    await course_rules(works.db, "INGRESO-2026")
    works.fault("moodle", JOIN, "cut_after")
    number = await works.activate()
    assert await states(works, number, StepKind.COURSE_GROUP) == {"done": 1}
    user = await moodle_user(works, known)
    assert groups_of(works, user.moodle_id) == {"INGRESO-2026": ["PRES 01"]}


async def test_an_undo_takes_out_of_groups_of_courses_that_stay(grouping: Works) -> None:
    """The enrolment was there before Lucy: she leaves it, and takes her group back."""
    works = grouping
    (known,) = await students(works.db)
    user = {"id": 77, "username": known.upn, "firstname": "A", "lastname": "B", "email": known.upn, "auth": "oidc"}
    user["idnumber"] = known.document
    works.states.moodle.seed({"users": [user], "enrolments": [{"course_id": 3, "user_id": 77}]})
    await course_rules(works.db, "CONT-1", "INGRESO-2026")
    number = await works.activate()
    assert groups_of(works, 77) == {"CONT-1": ["PRES 01"], "INGRESO-2026": ["PRES 01"]}
    undo = await works.undo(number)
    assert await states(works, undo, StepKind.LEAVE_COURSE_GROUP) == {"done": 1}
    assert groups_of(works, 77) == {}
    assert in_course(works, 77, "CONT-1") is True
    assert in_course(works, 77, "INGRESO-2026") is None


# Reasons


async def test_why_somebody_is_in_a_course_is_kept(works: Works) -> None:
    (known,) = await students(works.db)
    await rules(works, CourseRule(0, "CONT-1", frozenset({"CP"}), frozenset({"PRES"}), frozenset({"01"})))
    await works.activate()
    async with works.db.transaction() as session:
        (rule,) = await rules_db.course_rules(session)
    row = (await enrolments(works, known))["CONT-1"]
    assert reason_from(row.reason) == CourseReason(rule.id, "aspirante", "CP", "PRES", ("01",))


# Leaving


async def test_a_site_that_suspends_keeps_who_leaves_and_lets_them_in_again(open_works: OpenWorks) -> None:
    works = await open_works(moodle_leaving="suspend")
    (known,) = await students(works.db)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    await works.activate()
    user = await moodle_user(works, known)
    await course_rules(works.db, "INGRESO-2026")
    number = await works.carry_out(await works.request(options=REMOVALS, kind=BatchKind.ENROL))
    assert await states(works, number, StepKind.SUSPEND_ENROLMENT) == {"done": 1}
    assert in_course(works, user.moodle_id, "CONT-1") is False
    assert (await enrolments(works, known))["CONT-1"].suspended
    again = await works.request(options=REMOVALS, kind=BatchKind.ENROL)
    assert (await works.batch(again)).state is BatchState.NOTHING_DONE, "who is suspended does not leave again"
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    back = await works.carry_out(await works.request(kind=BatchKind.ENROL))
    assert in_course(works, user.moodle_id, "CONT-1") is True
    assert not (await enrolments(works, known))["CONT-1"].suspended
    await works.undo(back)
    assert in_course(works, user.moodle_id, "CONT-1") is False, "as that batch had found it"
    assert (await enrolments(works, known))["CONT-1"].suspended


async def test_staff_take_out_of_one_course(works: Works) -> None:
    one, other = await students(works.db, 2)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    await works.activate()
    asked = await works.request(one.document, kind=BatchKind.UNENROL, options=BatchOptions(courses=("CONT-1",)))
    number = await works.carry_out(asked)
    assert await states(works, number) == {"done": 1}
    assert set(await enrolments(works, one)) == {"INGRESO-2026"}
    assert set(await enrolments(works, other)) == {"INGRESO-2026", "CONT-1"}
    undo = await works.undo(number)
    assert (await works.batch(undo)).state is BatchState.FINISHED
    assert set(await enrolments(works, one)) == {"INGRESO-2026", "CONT-1"}


# Several sites


@asynccontextmanager
async def another_site() -> AsyncIterator[tuple[MoodleState, str]]:
    state = MoodleState(token="d" * 32)
    runner, port = await serve(build_app(state), port=0)
    try:
        yield state, f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def sites(url: str, **more: Any) -> dict[str, Any]:
    return {"moodle_sites": {"posgrado": {"url": url, "token": "d" * 32, "auth": "manual", **more}}}


async def test_courses_of_two_sites(open_works: OpenWorks) -> None:
    async with another_site() as (other, url):
        works = await open_works(**sites(url))
        (known,) = await students(works.db)
        await course_rules(works.db, "CONT-1", "posgrado:ADM-1")
        number = await works.activate()
        assert (await works.batch(number)).state is BatchState.FINISHED, await works.text_of_card(number)
        (there,) = [one for one in other.store.users.values() if one.idnumber == known.document]
        assert there.auth == "manual"
        assert (4, there.id) in other.store.enrolments
        here = await moodle_user(works, known)
        assert in_course(works, here.moodle_id, "CONT-1") is True
        assert in_course(works, here.moodle_id, "ADM-1") is None
        assert set(await enrolments(works, known)) == {"CONT-1", "posgrado:ADM-1"}
        undo = await works.undo(number)
        assert (await works.batch(undo)).state is BatchState.FINISHED, await works.text_of_card(undo)
        assert (4, there.id) not in other.store.enrolments
        assert other.store.users[there.id].suspended


async def test_a_site_that_is_down_does_not_keep_the_other_waiting(open_works: OpenWorks) -> None:
    async with another_site() as (other, url):
        works = await open_works(**sites(url))
        (known,) = await students(works.db)
        await course_rules(works.db, "CONT-1", "posgrado:ADM-1")
        other.seed({"site": {"token_expired": True}})
        number = await works.activate()
        here = await moodle_user(works, known)
        assert in_course(works, here.moodle_id, "CONT-1") is True
        ended = {(step.kind.value, step.target): step.state.value for step in await works.steps(number)}
        assert ended["enrolment", "CONT-1"] == "done"
        assert ended["moodle_user", "posgrado"] == "failed"
        assert ended["enrolment", "posgrado:ADM-1"] == "skipped"


async def test_a_site_that_is_not_in_the_settings_is_no_site(works: Works) -> None:
    (known,) = await students(works.db)
    await course_rules(works.db, "posgrado:ADM-1")
    number = await works.activate()
    step = await works.step(number, StepKind.ENROLMENT, known)
    assert (step.state, step.error_code) == (StepState.FAILED, "M-005"), "a shortname that the main site has not"


# The pre-flight


async def test_a_course_that_nobody_can_enter_is_told_before_the_approval(works: Works) -> None:
    await students(works.db, 2)
    await course_rules(works.db, "CONT-1", "NO-HAY")
    number = await works.request()
    await works.drain()
    text = await works.text_of_card(number)
    assert "Hoy en estos cursos no se puede matricular" in text
    assert "NO-HAY: El curso no existe en Moodle" in text
    assert "CONT-1:" not in text
    assert works.states.moodle.store.enrolments == {}, "looking enrols nobody"


async def test_the_look_at_the_courses_is_kept_and_shown(works: Works) -> None:
    await course_rules(works.db, "CONT-1", "NO-HAY")
    await check_courses(works.db, works.runtime.moodle_sites, house=works.runtime.house)
    async with works.db.transaction() as session:
        view = await view_rules(session)
    assert {line.course: bool(line.problems) for line in view.lines} == {"CONT-1": False, "NO-HAY": True}
    assert view.checked_at is not None
    assert view.checked_at <= datetime.now(UTC)
    works.fault("moodle", "core_webservice_get_site_info", "status", status=503, times=None)
    works.fault("moodle", "core_course_get_courses_by_field", "status", status=503, times=None)
    await course_rules(works.db, "CONT-1")
    await check_courses(works.db, works.runtime.moodle_sites, house=works.runtime.house)
    async with works.db.transaction() as session:
        (line,) = (await view_rules(session)).lines
    assert "Moodle está en mantenimiento" in line.problems[0]
