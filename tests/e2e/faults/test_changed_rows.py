"""An approval is of each student as they were shown: who changed drops out and is asked for anew, the rest goes on."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from lucy.db import rules
from lucy.db.students import career_value
from lucy.db.tables import BatchRow, BatchStudentRow, StudentRow
from lucy.domain.batches import BatchState, Relation
from lucy.domain.course_rules import CourseRule
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.students import Stage
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import Known, career, course_rules, students
from tests.integration.support.works import Works


async def mend(works: Works, one: Known, **changes: Any) -> None:
    """The source says something else of a student now."""
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).where(StudentRow.id == one.id).values(**changes))


async def rows(works: Works, number: int) -> dict[int, BatchStudentRow]:
    async with works.db.transaction() as session:
        found = await session.scalars(select(BatchStudentRow).where(BatchStudentRow.batch_id == number))
        return {row.student_id: row for row in found.all()}


async def children(works: Works, number: int) -> list[BatchRow]:
    async with works.db.transaction() as session:
        found = await session.scalars(select(BatchRow).where(BatchRow.parent_id == number).order_by(BatchRow.id))
        return list(found.all())


async def states(works: Works, number: int) -> Counter[str]:
    return Counter(step.state.value for step in await works.steps(number))


async def test_three_of_forty_eight_changed_before_the_run(works: Works) -> None:
    """FEATURES B.1: the others are done, the three are asked for again with what changed, nothing extra happens."""
    known = await students(works.db, 48)
    await course_rules(works.db, "INGRESO-2026")
    number = await works.request()
    await works.approve(number)
    by_mail, by_name, by_stage = known[3], known[17], known[40]
    await mend(works, by_mail, personal_email="otra@example.com")
    await mend(works, by_name, last_name="Distinto")
    await mend(works, by_stage, stage=Stage.INGRESANTE)
    await works.drain()

    changed = {known[3].id, known[17].id, known[40].id}
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES
    assert await states(works, number) == {"done": 45 * 5, "dropped": 3 * 5}
    assert len(works.states.graph.users) == 45
    assert Counter(one.recipients[0] for one in works.states.inbox.messages) == {
        one.email: 1 for one in known if one.id not in changed
    }
    of_student = await rows(works, number)
    assert {id_: row.changed for id_, row in of_student.items() if row.changed} == {
        by_mail.id: ["cambió el correo"],
        by_name.id: ["cambió el nombre"],
        by_stage.id: ["pasó de aspirante a ingresante"],
    }
    assert len(await works.audit("student.drop")) == 3
    (again,) = await children(works, number)
    assert (again.relation, again.state, again.students) == (Relation.CHANGED, BatchState.AWAITING_APPROVAL, 3)
    assert again.requested_by == (await works.batch(number)).requested_by
    assert {row.asked_again_in for row in of_student.values() if row.changed} == {again.id}
    card = await works.text_of_card(again.id)
    assert "cambió el correo" in card
    assert "L-0001" in card
    assert "otra@example.com" not in card

    await works.approve(again.id)
    await works.drain()
    assert await states(works, again.id) == {"done": 3 * 5}
    assert len(works.states.graph.users) == 48
    assert "otra@example.com" in {one.recipients[0] for one in works.states.inbox.messages}


async def test_who_changes_while_the_batch_runs_drops_out_at_their_turn(open_works: OpenWorks) -> None:
    """A student whose turn has come is finished as approved; one whose turn is still to come is looked at again."""
    works = await open_works(in_hand=10)
    known = await students(works.db, 30)
    number = await works.running(options=BatchOptions(moodle=False))
    await works.lanes().run(StepKind.ACCOUNT)
    claimed = {row.student_id for row in (await rows(works, number)).values() if row.begun_at}
    assert 0 < len(claimed) < 30
    begun = next(one for one in known if one.id in claimed)
    not_begun = next(one for one in known if one.id not in claimed)
    for one in (begun, not_begun):
        await mend(works, one, first_name="Otra")
    await works.drain()
    assert await states(works, number) == {"done": 29 * 3, "dropped": 3}
    assert {id_ for id_, row in (await rows(works, number)).items() if row.changed} == {not_begun.id}
    assert [one.students for one in await children(works, number)] == [1]


async def test_a_rule_that_does_not_concern_a_student_does_not_touch_their_approval(works: Works) -> None:
    of_cp = await students(works.db, 2)
    of_la = await students(works.db, 2, careers=[career_value(career("LA"))])
    conta = CourseRule(1, "CONT-1", frozenset({"CP"}), frozenset())
    admin = CourseRule(2, "ADM-1", frozenset({"LA"}), frozenset())
    await _rules(works, conta, admin)
    number = await works.request()
    await works.approve(number)
    await _rules(works, CourseRule(1, "CONT-1", frozenset({"CP"}), frozenset({"PRES"})), admin)
    await works.drain()
    changed = {id_ for id_, row in (await rows(works, number)).items() if row.changed}
    assert changed == {one.id for one in of_cp}
    assert {row.changed[0] for row in (await rows(works, number)).values() if row.changed} == {
        "cambiaron las reglas de cursos que le tocan"
    }
    assert {one.upn for one in works.states.graph.users.values()} == {one.upn for one in of_la}


async def _rules(works: Works, *every: CourseRule) -> None:
    async with works.db.transaction() as session:
        await rules.replace_course_rules(session, every)


async def test_nothing_left_to_do_for_those_who_changed_asks_nobody(works: Works) -> None:
    """Two batches over the same students: when the second one's turn comes, everything is there."""
    await students(works.db, 6)
    first, second = [await works.request(words) for words in ("todos", "cohorte:2026")]
    for number in (first, second):
        await works.approve(number)
    await works.drain()
    assert {(await works.batch(first)).state, (await works.batch(second)).state} == {
        BatchState.FINISHED,
        BatchState.NOTHING_DONE,
    }
    assert await children(works, first) == []
    assert await children(works, second) == []
    assert len(works.states.inbox.messages) == 6


async def test_a_phone_that_changes_is_nobodys_business(works: Works) -> None:
    known = await students(works.db, 2)
    number = await works.request()
    await works.approve(number)
    await mend(works, known[0], phone="1", locality="Otra", changed_at=datetime.now(UTC))
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
