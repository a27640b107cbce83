"""The lanes on real servers: claims, leases, and what becomes of students whatever the providers do."""

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from cli.demo.expected import Wanted
from cli.demo.verify import verify
from lucy.db import claims
from lucy.db.claims import ClaimedStep
from lucy.db.engine import Database
from lucy.db.tables import AccountRow, BatchRow, EnrolmentRow, MoodleUserRow, SealedSecretRow, StepRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import StepEvent, StepState
from lucy.flows.lanes.base import Outcome
from lucy.flows.record_outcomes import record_outcomes
from lucy.flows.run_batch import cancel_batch
from tests.integration.support.people import Known, actor, course_rules, students
from tests.integration.support.works import Works
from workers.sweeper import sweep

PASSWORD = re.compile(r"Contraseña provisoria:\s+(\S+)")
ACTIVATION = (
    StepKind.ACCOUNT,
    StepKind.LICENCE,
    StepKind.CREDENTIALS_MAIL,
    StepKind.MOODLE_USER,
    StepKind.ENROLMENT,
)
ACCOUNTS_ONLY = BatchOptions(mail=False, moodle=False)
LOOKED_AT = 30  # repetitions where two things race


async def claim(db: Database, kind: StepKind, size: int, *, lease_s: float = 60) -> list[ClaimedStep]:
    async with db.transaction() as session:
        return await claims.claim(session, kind, size=size, now=datetime.now(UTC), lease_s=lease_s, in_hand=300)


async def states(works: Works, number: int, kind: StepKind | None = None) -> Counter[str]:
    return Counter(step.state.value for step in await works.steps(number, kind))


async def count(db: Database, table: type) -> int:
    async with db.transaction() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def all_is_well(works: Works, known: list[Known], *courses: str) -> None:
    """As the demo judges: each account once, licensed, one letter that opens it, Moodle with exactly these courses."""
    wanted = {one.document: Wanted(one.document, one.email, frozenset(courses)) for one in known}
    verdict = await verify(works.addresses, works.http, wanted, held=0)
    assert verdict.wrong == []
    assert all(row.well for row in verdict.counts), verdict.counts


# The whole of it


async def test_a_full_activation_ends_with_every_student_right_on_both_sides(works: Works) -> None:
    known = await students(works.db, 25)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    number = await works.activate()
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert await states(works, number) == {"done": 25 * 6}
    await all_is_well(works, known, "INGRESO-2026", "CONT-1")
    async with works.db.transaction() as session:
        accounts = (await session.scalars(select(AccountRow))).all()
        in_moodle = (await session.scalars(select(MoodleUserRow))).all()
        enrolments = (await session.scalars(select(EnrolmentRow))).all()
    assert {one.upn for one in accounts} == {one.upn for one in known}
    assert all(one.licensed and one.enabled and one.mailed_at and one.made_by_batch == number for one in accounts)
    assert {one.entra_id for one in accounts} == set(works.states.graph.users)
    assert {one.student_id for one in in_moodle} == {one.id for one in known}
    assert Counter(one.course for one in enrolments) == {"INGRESO-2026": 25, "CONT-1": 25}
    assert len(works.states.graph.control.calls("$batch")) == 4, "20 and 5 accounts, 20 and 5 licences"
    assert works.states.inbox.connections == 1, "letters go over one kept connection"


async def test_every_closed_step_has_an_audit_event(works: Works) -> None:
    known = await students(works.db, 3)
    await course_rules(works.db, "INGRESO-2026")
    works.states.graph.seed({"users": [{"userPrincipalName": known[0].upn, "employeeId": "99999999"}]})
    number = await works.activate()
    steps = [one for one in await works.steps(number) if one.state is not StepState.ALREADY or one.attempts]
    events = [one for one in await works.audit() if one.action.startswith("step.")]
    told = Counter((one.action, one.student_id, one.outcome) for one in events)
    assert told == Counter((f"step.{one.kind.value}", one.student_id, one.state.value) for one in steps)
    assert {one.outcome for one in events} == {"done", "failed", "skipped"}
    assert all(one.batch_id == number for one in events)
    (finished,) = await works.audit("batch.finish")
    assert finished.outcome == "finished_with_failures"


async def test_a_password_is_destroyed_once_its_letter_is_accepted(works: Works) -> None:
    await students(works.db, 2)
    number = await works.running()
    await works.lanes().run(StepKind.ACCOUNT)
    assert await count(works.db, SealedSecretRow) == 2
    await works.lanes().run(StepKind.LICENCE)
    assert await count(works.db, SealedSecretRow) == 2
    await works.lanes().run(StepKind.CREDENTIALS_MAIL)
    assert await count(works.db, SealedSecretRow) == 0
    assert await states(works, number, StepKind.CREDENTIALS_MAIL) == {"done": 2}


# Claims


async def test_a_small_batch_overtakes_a_large_one(works: Works) -> None:
    await students(works.db, 500)
    (single,) = await students(works.db, 1, cohort=2025)
    large = await works.running("cohorte:2026", options=ACCOUNTS_ONLY)
    small = await works.running("cohorte:2025", options=ACCOUNTS_ONLY)
    claimed = await claim(works.db, StepKind.ACCOUNT, 20)
    assert Counter(one.batch_id for one in claimed) == {large: 19, small: 1}
    assert single.id in {one.student_id for one in claimed}


async def test_two_claimers_never_get_the_same_step(works: Works) -> None:
    await students(works.db, 90)
    for half in ("2026", "2025"):
        await students(works.db, 10, cohort=2025)
        await works.running(f"cohorte:{half}", options=ACCOUNTS_ONLY)

    async def take_all() -> list[ClaimedStep]:
        taken: list[ClaimedStep] = []
        misses = 0
        while misses < 5:
            some = await claim(works.db, StepKind.ACCOUNT, 7)
            misses = 0 if some else misses + 1
            taken += some
        return taken

    taken = [one for several in await asyncio.gather(*(take_all() for _ in range(4))) for one in several]
    assert len(taken) == len({one.id for one in taken}) == await count(works.db, StepRow) / 2


async def test_steps_of_batches_that_do_not_run_are_not_claimed(works: Works) -> None:
    await students(works.db, 2)
    number = await works.request(options=ACCOUNTS_ONLY)
    engine = works.lanes()
    for state in (BatchState.AWAITING_APPROVAL, BatchState.QUEUED, BatchState.HELD):
        async with works.db.transaction() as session:
            await session.execute(update(BatchRow).values(state=state))
        await engine.run(StepKind.ACCOUNT)
        assert await states(works, number, StepKind.ACCOUNT) == {"due": 2}, state
        assert not [one for one in await sweep(works.db) if one.actor == "run_lane"], state
    assert works.states.graph.users == {}
    async with works.db.transaction() as session:
        await session.execute(update(BatchRow).values(state=BatchState.RUNNING))
    await engine.run(StepKind.ACCOUNT)
    assert await states(works, number, StepKind.ACCOUNT) == {"done": 2}


async def test_a_step_is_not_claimed_before_its_time(works: Works) -> None:
    await students(works.db, 2)
    number = await works.running(options=ACCOUNTS_ONLY)
    later = datetime.now(UTC) + timedelta(minutes=1)
    async with works.db.transaction() as session:
        await session.execute(
            update(StepRow).where(StepRow.kind == StepKind.ACCOUNT, StepRow.position == 0).values(due_at=later)
        )
    await works.lanes().run(StepKind.ACCOUNT)
    assert await states(works, number, StepKind.ACCOUNT) == {"due": 1, "done": 1}


async def test_an_expired_lease_comes_back_and_is_told_on_the_card(works: Works) -> None:
    known = await students(works.db, 3)
    number = await works.running(options=ACCOUNTS_ONLY)
    first = await claim(works.db, StepKind.ACCOUNT, 3, lease_s=-1)
    assert await claim(works.db, StepKind.ACCOUNT, 3) == [], "still leased, though late"
    await sweep(works.db)
    second = await claim(works.db, StepKind.ACCOUNT, 3, lease_s=-1)
    assert {one.id for one in second} == {one.id for one in first}
    assert {one.attempts for one in second} == {2}
    assert {one.first_claimed_at for one in second} == {one.first_claimed_at for one in first}
    await works.drain()
    assert "3 pasos volvieron a la cola" in await works.text_of_card(number)
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert len(works.states.graph.users) == len(known)


async def test_a_lease_in_force_is_left_alone(works: Works) -> None:
    await students(works.db, 3)
    number = await works.running(options=ACCOUNTS_ONLY)
    await claim(works.db, StepKind.ACCOUNT, 3)
    nudges = await sweep(works.db)
    assert await states(works, number, StepKind.ACCOUNT) == {"running": 3}
    assert not [one for one in nudges if one.actor == "run_lane"]


async def test_a_late_outcome_of_an_expired_claim_is_not_recorded(works: Works) -> None:
    (known,) = await students(works.db, 1)
    number = await works.running(options=ACCOUNTS_ONLY)
    (late,) = await claim(works.db, StepKind.ACCOUNT, 1, lease_s=-1)
    await sweep(works.db)
    (newer,) = await claim(works.db, StepKind.ACCOUNT, 1)
    lane = works.runtime.lanes[StepKind.ACCOUNT]

    async def record(step: ClaimedStep, code: str) -> list[Outcome]:
        async with works.db.transaction() as session:
            outcome = Outcome(step, StepEvent.FAIL, code=code)
            return await record_outcomes(session, lane, [outcome], house=works.runtime.house, now=datetime.now(UTC))

    assert await record(late, "T-003") == []
    step = await works.step(number, StepKind.ACCOUNT, known)
    assert (step.state, step.error_code) == (StepState.RUNNING, "")
    assert await works.audit("step.account") == []
    assert [one.code for one in await record(newer, "T-002")] == ["T-002"]
    assert (await works.step(number, StepKind.ACCOUNT, known)).error_code == "T-002"
    assert await record(newer, "T-003") == [], "an outcome is recorded once"
    assert len(await works.audit("step.account")) == 1


async def test_a_claim_that_takes_longer_than_its_lease_is_not_done_twice(works: Works) -> None:
    """Letters at Exchange's pace outlast a lease: their worker gives signs of life."""
    known = await students(works.db, 8)
    number = await works.running(options=BatchOptions(moodle=False))
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE):
        await works.lanes().run(kind)
    works.fault("inbox", "DATA", "delay", delay_s=0.15, times=None)
    slow = asyncio.ensure_future(works.lanes(lease_s=0.6).run(StepKind.CREDENTIALS_MAIL))
    while not slow.done():
        await sweep(works.db)
        await works.lanes(lease_s=0.6).run(StepKind.CREDENTIALS_MAIL)
        await asyncio.sleep(0.02)
    await slow
    await works.drain()
    # Where this machine stood still for a whole lease, the one letter on its way goes out again, and is counted.
    mailed = await works.steps(number, StepKind.CREDENTIALS_MAIL)
    again = {one.student_id: one.outcome.get("sent_again", 0) for one in mailed}
    received = Counter(one.recipients[0] for one in works.states.inbox.messages)
    assert received == {one.email: 1 + again[one.id] for one in known}
    assert (await works.batch(number)).state is BatchState.FINISHED


# The end of a batch


async def test_lanes_that_end_the_last_steps_together_finish_the_batch_once(works: Works) -> None:
    """The last enrolment and the last letter are recorded at the same moment, many times over."""
    known = await students(works.db, LOOKED_AT)
    await course_rules(works.db, "INGRESO-2026")
    numbers = [await works.running(one.document) for one in known]
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE, StepKind.MOODLE_USER):
        await works.lanes().run(kind)
    last = (StepKind.CREDENTIALS_MAIL, StepKind.ENROLMENT)
    held = {kind: await claim(works.db, kind, len(known)) for kind in last}
    assert all(len(claimed) == len(known) for claimed in held.values())

    async def record(kind: StepKind, step: ClaimedStep) -> None:
        async with works.db.transaction() as session:
            outcome = Outcome(step, StepEvent.COMPLETE)
            await record_outcomes(
                session, works.runtime.lanes[kind], [outcome], house=works.runtime.house, now=datetime.now(UTC)
            )

    by_batch = {
        number: [(kind, one) for kind in last for one in held[kind] if one.batch_id == number] for number in numbers
    }
    for pair in by_batch.values():
        await asyncio.gather(*(record(kind, step) for kind, step in pair))
    assert {(await works.batch(number)).state for number in numbers} == {BatchState.FINISHED}
    assert Counter(one.batch_id for one in await works.audit("batch.finish")) == dict.fromkeys(numbers, 1)


async def test_rival_workers_finish_a_batch_together_and_exactly_once(works: Works) -> None:
    known = await students(works.db, 45)
    await course_rules(works.db, "INGRESO-2026")
    number = await works.running()
    rivals = [works.lanes() for _ in range(3)]

    async def work(kind: StepKind) -> None:
        while (await works.batch(number)).state is BatchState.RUNNING:
            await asyncio.gather(*(rival.run(kind) for rival in rivals))
            await asyncio.sleep(0.05)

    async with asyncio.timeout(120):
        await asyncio.gather(*(work(kind) for kind in ACTIVATION))
    assert len(await works.audit("batch.finish")) == 1
    assert (await works.batch(number)).state is BatchState.FINISHED
    await all_is_well(works, known, "INGRESO-2026")


@pytest.mark.parametrize("mend", ["postponed", "expired"])
async def test_who_was_in_hand_when_a_batch_was_cancelled_is_finished_and_nothing_is_left_over(
    works: Works, mend: str
) -> None:
    """An account without its letter would lock its student out."""
    known = await students(works.db, 3)
    number = await works.running()
    lane = works.runtime.lanes[StepKind.ACCOUNT]
    claimed = await claim(works.db, StepKind.ACCOUNT, 2, lease_s=-1 if mend == "expired" else 60)
    async with works.db.transaction() as session:
        await cancel_batch(
            session,
            number,
            actor=actor(works.people[0]),
            may_touch_others=False,
            house=works.runtime.house,
            now=datetime.now(UTC),
        )
    if mend == "expired":
        await sweep(works.db)
    else:
        async with works.db.transaction() as session:
            outcomes = [Outcome(one, StepEvent.POSTPONE, after_s=0.0) for one in claimed]
            recorded = await record_outcomes(session, lane, outcomes, house=works.runtime.house, now=datetime.now(UTC))
        assert len(recorded) == 2
    assert (await works.batch(number)).finished_at is None
    await works.drain()
    batch = await works.batch(number)
    assert (batch.state, batch.finished_at is not None) == (BatchState.CANCELLED, True)
    assert await states(works, number) == {"done": 2 * 4, "cancelled": 4}
    in_hand = {one.student_id for one in claimed}
    assert {one.recipients[0] for one in works.states.inbox.messages} == {
        one.email for one in known if one.id in in_hand
    }


async def test_a_batch_of_which_nothing_was_left_to_do_does_nothing(works: Works) -> None:
    known = await students(works.db, 2)
    await works.activate()
    letters, users = len(works.states.inbox.messages), len(works.states.graph.users)
    again = await works.request(known[0].document)
    assert (await works.batch(again)).state is BatchState.NOTHING_DONE
    await works.drain()
    assert (len(works.states.inbox.messages), len(works.states.graph.users)) == (letters, users)
