"""Pause, resume, cancel, retry: whoever is in hand is finished, nobody is begun, nothing is lost."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lucy.db.tables import BatchRow, StudentHoldRow, StudentRow
from lucy.domain.batches import BatchState, Relation
from lucy.domain.nudges import Nudge
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import StepState
from lucy.flows.decide_batch import Declined
from lucy.flows.retry_batch import retry_batch
from lucy.flows.run_batch import cancel_batch, pause_batch, resume_batch, start_batch
from lucy.flows.send_nudges import send_nudges
from lucy.flows.store_batch import Requester
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import actor, course_rules, students
from tests.integration.support.works import Works

NO_MOODLE = BatchOptions(moodle=False)
Deed = Callable[..., Awaitable[BatchRow | Declined]]


async def does(works: Works, deed: Deed, number: int, who: int = 0) -> BatchRow | Declined:
    """Ana (0), who asked, or Bruno (1), who may touch the batches of others."""
    async with works.db.transaction() as session:
        return await deed(
            session,
            number,
            actor=actor(works.people[who]),
            may_touch_others=who == 1,
            house=works.runtime.house,
            now=datetime.now(UTC),
        )


async def retried(works: Works, number: int, **more: Any) -> BatchRow | Declined:
    async with works.db.transaction() as session:
        requester = Requester(actor(works.people[0]), works.people[0].id)
        return await retry_batch(
            session, number, requester=requester, house=works.runtime.house, now=datetime.now(UTC), **more
        )


async def states(works: Works, number: int) -> Counter[str]:
    return Counter(step.state.value for step in await works.steps(number))


async def half_way(open_works: OpenWorks) -> tuple[Works, int, set[int]]:
    """30 students, of whom a claim's worth is in hand and has an account; returns those."""
    works = await open_works(in_hand=10)
    await students(works.db, 30)
    number = await works.running(options=NO_MOODLE)
    await works.lanes().run(StepKind.ACCOUNT)
    begun = {step.student_id for step in await works.steps(number, StepKind.ACCOUNT) if step.state is StepState.DONE}
    assert 0 < len(begun) < 30
    return works, number, begun


async def test_a_pause_finishes_who_is_in_hand_and_a_resume_goes_on(open_works: OpenWorks) -> None:
    works, number, begun = await half_way(open_works)
    await does(works, pause_batch, number)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.PAUSED
    of_state = {step.student_id: step.state for step in await works.steps(number, StepKind.CREDENTIALS_MAIL)}
    assert {id_ for id_, state in of_state.items() if state is StepState.DONE} == begun
    assert await states(works, number) == {
        "done": len(begun) * 3,
        "due": 30 - len(begun),
        "waiting": (30 - len(begun)) * 2,
    }, "everybody is whole: finished, or not begun"
    assert "En pausa" in await works.text_of_card(number)
    await does(works, resume_batch, number)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert await states(works, number) == {"done": 90}
    assert len(works.states.inbox.messages) == len(works.states.graph.users) == 30


async def test_a_cancellation_finishes_who_is_in_hand_and_the_rest_can_be_asked_for_anew(open_works: OpenWorks) -> None:
    works, number, begun = await half_way(open_works)
    await does(works, cancel_batch, number)
    batch = await works.batch(number)
    assert (batch.state, batch.finished_at) == (BatchState.CANCELLED, None)
    assert isinstance(await retried(works, number), Declined), "not before it has come to rest"
    await works.drain()
    batch = await works.batch(number)
    assert (batch.state, batch.finished_at is not None) == (BatchState.CANCELLED, True)
    assert await states(works, number) == {"done": len(begun) * 3, "cancelled": (30 - len(begun)) * 3}
    assert len(works.states.inbox.messages) == len(works.states.graph.users) == len(begun)

    rest = await retried(works, number)
    assert not isinstance(rest, Declined)
    assert (rest.state, rest.students, rest.relation) == (
        BatchState.AWAITING_APPROVAL,
        30 - len(begun),
        Relation.REST,
    )
    await works.approve(rest.id)
    await works.drain()
    assert len(works.states.inbox.messages) == len(works.states.graph.users) == 30


async def test_a_batch_paused_before_it_began_is_looked_at_as_any_other(works: Works) -> None:
    known = await students(works.db, 3)
    number = await works.request(options=NO_MOODLE)
    await works.approve(number)
    await does(works, pause_batch, number)
    async with works.db.transaction() as session:
        assert not await start_batch(session, number, house=works.runtime.house, now=datetime.now(UTC))
        await session.execute(
            update(StudentRow).where(StudentRow.id == known[0].id).values(personal_email="otra@example.com")
        )
    await does(works, resume_batch, number)
    assert (await works.batch(number)).state is BatchState.QUEUED
    await works.drain()
    assert await states(works, number) == {"done": 6, "dropped": 3}


@pytest.mark.parametrize("deed", [pause_batch, cancel_batch])
async def test_only_who_asked_or_may_approve_stops_a_batch(works: Works, deed: Deed) -> None:
    await students(works.db, 1)
    number = await works.running()
    refused = await does(works, deed, number, who=3)
    assert isinstance(refused, Declined)
    assert works.people[0].name in refused.text
    assert (await works.batch(number)).state is BatchState.RUNNING
    assert not isinstance(await does(works, deed, number, who=1), Declined)


@pytest.mark.parametrize(
    ("deed", "text"),
    [(pause_batch, "todavía espera aprobación"), (resume_batch, "todavía espera aprobación")],
)
async def test_what_cannot_be_is_said(works: Works, deed: Deed, text: str) -> None:
    await students(works.db, 1)
    number = await works.request()
    for one in (number, 99):
        refused = await does(works, deed, one)
        assert isinstance(refused, Declined)
        assert (text if one == number else "No hay ningún lote L-0099") in refused.text


async def test_a_retry_is_of_what_failed_only_or_of_one_student(works: Works) -> None:
    known = await students(works.db, 4)
    await course_rules(works.db, "INGRESO-2026")
    works.fault("graph", "POST /users", "status", status=403, times=2)
    number = await works.activate()
    assert await states(works, number) == {"done": 2 * 5, "failed": 2, "skipped": 2 * 4}
    letters = len(works.states.inbox.messages)
    await retried(works, number, student=known[0].id)
    await works.drain()
    assert await states(works, number) == {"done": 3 * 5, "failed": 1, "skipped": 4}
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES
    await retried(works, number)
    await works.drain()
    assert await states(works, number) == {"done": 4 * 5}
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert len(works.states.inbox.messages) == letters + 2
    nothing = await retried(works, number)
    assert isinstance(nothing, Declined)
    assert "no quedó nada" in nothing.text


async def test_a_student_is_in_one_hand_at_a_time_and_the_card_says_who_waits(open_works: OpenWorks) -> None:
    works = await open_works(in_hand=300)
    known = await students(works.db, 3)
    first = await works.running(known[0].document, options=NO_MOODLE)
    await works.lanes().run(StepKind.ACCOUNT)
    second = await works.running(
        " ".join(one.document for one in known), options=BatchOptions(mail=False, moodle=False)
    )
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE):
        await works.lanes().run(kind)
    done = [step for step in await works.steps(second) if step.state is StepState.DONE]
    assert {step.student_id for step in done} == {known[1].id, known[2].id}, "only that student waits"
    card = await works.text_of_card(second)
    assert "1 alumno espera a que L-0001 termine" in card
    await works.drain()
    assert (await works.batch(first)).state is BatchState.FINISHED
    assert Counter(one.recipients[0] for one in works.states.inbox.messages) == {known[0].email: 1}
    async with works.db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(StudentHoldRow)) == 0


async def test_when_one_is_finished_the_next_is_begun_without_the_sweeper(open_works: OpenWorks) -> None:
    works = await open_works(in_hand=1, batch_size=1)
    await students(works.db, 3)
    number = await works.running(options=BatchOptions(moodle=False, mail=False))
    await works.obey(Nudge("run_lane", (StepKind.ACCOUNT.value,)))
    await send_nudges(works.db, works.nudges)
    while nudges := works.nudges.take():
        for nudge in nudges:
            await works.obey(nudge)
        await send_nudges(works.db, works.nudges)
    assert (await works.batch(number)).state is BatchState.FINISHED
