"""Moodle's courses against the rules: changed by hand, told, put right by a batch, and told no more."""

from lucy.domain.course_drift import CourseDrift
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.flows.check_enrolments import check_enrolments
from lucy.flows.view_drift import view_drift
from tests.integration.support.outcomes import enrolments, in_course, moodle_user, states
from tests.integration.support.people import Known, course_rules, students
from tests.integration.support.works import Works

M, S, E = CourseDrift.MISSING, CourseDrift.SUSPENDED, CourseDrift.EXTRA


async def check(works: Works) -> dict[CourseDrift, dict[str, int]]:
    await check_enrolments(works.db, works.runtime.moodle_sites)
    async with works.db.transaction() as session:
        return {group.drift: dict(group.courses) for group in (await view_drift(session)).courses}


async def enrolled(works: Works, many: int = 3) -> list[Known]:
    known = await students(works.db, many)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    await works.activate(options=BatchOptions(mail=False))
    return known


async def take_out(works: Works, student: Known, course: str) -> None:
    found = works.states.moodle.course_by_shortname(course)
    user = await moodle_user(works, student)
    assert found is not None
    store = works.states.moodle.store
    with store.transaction():
        store.remove_enrolment(store.enrolments[found.id, user.moodle_id])


async def suspend(works: Works, student: Known, course: str) -> None:
    found = works.states.moodle.course_by_shortname(course)
    user = await moodle_user(works, student)
    assert found is not None
    row = {"course_id": found.id, "user_id": user.moodle_id, "suspended": True}
    works.states.moodle.seed({"enrolments": [row]})


async def test_nothing_differs_after_an_activation(works: Works) -> None:
    await enrolled(works)
    assert await check(works) == {}


async def test_each_difference_is_told_and_put_right_by_enrolling(works: Works) -> None:
    out, off, _whole = await enrolled(works)
    await take_out(works, out, "CONT-1")
    await suspend(works, off, "INGRESO-2026")
    assert await check(works) == {M: {"CONT-1": 1}, S: {"INGRESO-2026": 1}}
    assert await check(works) == {M: {"CONT-1": 1}, S: {"INGRESO-2026": 1}}, "told until it is put right"
    number = await works.carry_out(await works.request(kind=BatchKind.ENROL))
    assert await states(works, number, StepKind.ENROLMENT) == {"already": 4, "done": 2}
    async with works.db.transaction() as session:
        assert (await view_drift(session)).courses == ()
    assert await check(works) == {}
    for student, course in ((out, "CONT-1"), (off, "INGRESO-2026")):
        user = await moodle_user(works, student)
        assert in_course(works, user.moodle_id, course) is True


async def test_an_undo_of_that_leaves_it_as_the_other_hand_wanted(works: Works) -> None:
    (off,) = await enrolled(works, 1)
    await suspend(works, off, "CONT-1")
    await check(works)
    number = await works.carry_out(await works.request(kind=BatchKind.ENROL))
    await works.undo(number)
    user = await moodle_user(works, off)
    assert in_course(works, user.moodle_id, "CONT-1") is False


async def test_who_is_in_a_course_that_no_rule_gives_is_extra(works: Works) -> None:
    await enrolled(works, 2)
    await course_rules(works.db, "INGRESO-2026")
    assert await check(works) == {E: {"CONT-1": 2}}
    removing = BatchOptions(removals=True)
    await works.carry_out(await works.request(kind=BatchKind.ENROL, options=removing))
    assert await check(works) == {}


async def test_a_token_that_sees_nobody_finds_nobody_missing(works: Works) -> None:
    (known,) = await enrolled(works, 1)
    works.states.moodle.seed({"site": {"missing_capabilities": ["moodle/user:viewdetails"]}})
    assert await check(works) == {}
    assert set(await enrolments(works, known)) == {"INGRESO-2026", "CONT-1"}


async def test_a_site_that_is_down_leaves_what_was_told(works: Works) -> None:
    (known,) = await enrolled(works, 1)
    await take_out(works, known, "CONT-1")
    assert await check(works) == {M: {"CONT-1": 1}}
    works.fault("moodle", "core_enrol_get_enrolled_users", "status", status=503, times=None)
    assert await check(works) == {M: {"CONT-1": 1}}
