"""Removals over their threshold are withheld while the additions of the same request go on (FEATURES row 65)."""

from datetime import UTC, datetime

from sqlalchemy import select, update

from lucy.db import rules
from lucy.db.students import career_value
from lucy.db.tables import BatchRow, StudentRow
from lucy.domain.batches import BatchState, Relation
from lucy.domain.course_rules import CourseRule
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.flows.decide_batch import release_batch
from lucy.flows.set_config import set_config
from tests.integration.support.people import actor, career, students
from tests.integration.support.works import Works

CP, LA = (CourseRule(0, course, frozenset({code}), frozenset()) for course, code in (("CONT-1", "CP"), ("ADM-1", "LA")))
WITH_REMOVALS = BatchOptions(removals=True)


async def everybody_changes_career(works: Works, many: int) -> None:
    """They are in CONT-1 by Lucy's hand; since then the source says that they study something else."""
    async with works.db.transaction() as session:
        await rules.replace_course_rules(session, [CP, LA])
    await students(works.db, many)
    await works.activate()
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).values(careers=[career_value(career("LA"))]))


async def threshold(works: Works, value: str) -> None:
    async with works.db.transaction() as session:
        who = actor(works.people[2])
        await set_config(session, "umbral.matricular.bajas", value, actor=who, now=datetime.now(UTC))


def in_course(works: Works, shortname: str) -> int:
    course = works.states.moodle.course_by_shortname(shortname)
    assert course is not None
    return len(works.states.moodle.store.enrolments_in(course.id))


async def test_additions_go_on_while_removals_wait_with_their_numbers(works: Works) -> None:
    await everybody_changes_career(works, 4)
    await threshold(works, "3")
    number = await works.request(kind=BatchKind.ENROL, options=WITH_REMOVALS)
    async with works.db.transaction() as session:
        withheld = (await session.scalars(select(BatchRow).where(BatchRow.parent_id == number))).one()
    assert (await works.batch(number)).state is BatchState.AWAITING_APPROVAL
    assert (withheld.state, withheld.relation) == (BatchState.HELD, Relation.WITHHELD)
    assert "son 4 alumnos y el umbral es 3" in withheld.reason
    assert {step.kind for step in await works.steps(withheld.id)} == {StepKind.UNENROL}
    assert StepKind.UNENROL not in {step.kind for step in await works.steps(number)}

    await works.carry_out(number)
    assert (in_course(works, "ADM-1"), in_course(works, "CONT-1")) == (4, 4), "nobody was taken out"
    async with works.db.transaction() as session:
        now, house = datetime.now(UTC), works.runtime.house
        await release_batch(session, withheld.id, actor=actor(works.people[1]), version=None, house=house, now=now)
    await works.carry_out(withheld.id)
    assert (await works.batch(withheld.id)).state is BatchState.FINISHED, "the additions changed nothing about it"
    assert (in_course(works, "ADM-1"), in_course(works, "CONT-1")) == (4, 0)


async def test_under_the_threshold_it_is_one_batch(works: Works) -> None:
    await everybody_changes_career(works, 3)
    await threshold(works, "3")
    number = await works.request(kind=BatchKind.ENROL, options=WITH_REMOVALS)
    await works.carry_out(number)
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert (in_course(works, "ADM-1"), in_course(works, "CONT-1")) == (3, 0)
