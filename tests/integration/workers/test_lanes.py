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
from lucy.errors import System
from lucy.flows.lanes.base import Outcome
from lucy.flows.record_outcomes import record_outcomes
from lucy.flows.run_batch import cancel_batch
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import Known, actor, course_rules, students
from tests.integration.support.works import Works, audit_events, looked, until
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


# Graph


async def test_an_account_that_is_the_students_already_is_adopted_without_a_letter(works: Works) -> None:
    known = await students(works.db, 2)
    mine, other = known
    works.states.graph.seed(
        {
            "users": [
                {
                    "userPrincipalName": mine.upn,
                    "employeeId": mine.document,
                    "usageLocation": "AR",
                    "password": "Vieja-2020x",
                }
            ]
        }
    )
    number = await works.activate()
    account = await works.step(number, StepKind.ACCOUNT, mine)
    letter = await works.step(number, StepKind.CREDENTIALS_MAIL, mine)
    assert account.state is StepState.ALREADY
    assert (letter.state, letter.error_code) == (StepState.SKIPPED, "E-010")
    assert (await works.step(number, StepKind.LICENCE, mine)).state is StepState.DONE
    assert [one.recipients for one in works.states.inbox.messages] == [(other.email,)]
    assert await works.opens(mine.upn, "Vieja-2020x"), "its password is left alone"
    assert await count(works.db, SealedSecretRow) == 0
    async with works.db.transaction() as session:
        row = await session.get(AccountRow, mine.id)
    assert row is not None
    assert (row.made_by_batch, row.mailed_at) == (None, None)
    assert (await works.batch(number)).state is BatchState.FINISHED


async def test_an_account_without_a_number_is_adopted_by_its_name_only(works: Works) -> None:
    known = await students(works.db, 2, first_name="Ángela", last_name="Núñez")
    works.states.graph.seed(
        {
            "users": [
                {"userPrincipalName": known[0].upn, "displayName": "NUNEZ, Angela"},
                {"userPrincipalName": known[1].upn, "displayName": "Pérez, Juan"},
            ]
        }
    )
    number = await works.activate()
    assert (await works.step(number, StepKind.ACCOUNT, known[0])).state is StepState.ALREADY
    refused = await works.step(number, StepKind.ACCOUNT, known[1])
    assert (refused.state, refused.error_code) == (StepState.FAILED, "T-004")


async def test_a_strangers_account_is_a_conflict_and_what_depends_on_it_is_skipped(works: Works) -> None:
    known = await students(works.db, 3)
    await course_rules(works.db, "INGRESO-2026")
    stranger = known[1]
    works.states.graph.seed({"users": [{"userPrincipalName": stranger.upn, "employeeId": "20111222"}]})
    number = await works.activate()
    outcomes = {one.kind: (one.state.value, one.error_code) for one in await works.steps(number, None, stranger)}
    skipped = ("skipped", "G-002")
    planned = {one.kind for one in await works.steps(number)}
    assert outcomes == {kind: ("failed", "T-004") if kind is StepKind.ACCOUNT else skipped for kind in planned}
    assert (await works.step(number, StepKind.ACCOUNT, stranger)).remedy == "administrator"
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES
    card = await works.text_of_card(number)
    assert "T-004" in card
    assert stranger.document not in card
    assert f"●●●●{stranger.document[-4:]}" in card
    (user,) = [one for one in works.states.graph.users.values() if one.upn == stranger.upn]
    assert (user.properties["employeeId"], user.licences) == ("20111222", {})
    assert {one.recipients[0] for one in works.states.inbox.messages} == {known[0].email, known[2].email}
    assert await count(works.db, SealedSecretRow) == 0


async def test_429_inside_a_batch_postpones_only_those_and_everybody_waits(works: Works) -> None:
    known = await students(works.db, 12)
    number = await works.running(options=ACCOUNTS_ONLY)
    works.fault("graph", "POST /users", "throttle", after=4, times=5, retry_after_s=1)
    await works.lanes().run(StepKind.ACCOUNT)
    asked_at = datetime.now(UTC)
    assert await states(works, number, StepKind.ACCOUNT) == {"done": 7, "due": 5}
    postponed = [one for one in await works.steps(number, StepKind.ACCOUNT) if one.state is StepState.DUE]
    assert {one.error_code for one in postponed} == {"T-010"}
    assert all(one.due_at and timedelta(0) < one.due_at - asked_at <= timedelta(seconds=1) for one in postponed)
    assert "Graph pidió esperar 1 s" in await works.text_of_card(number)
    assert 0 < await works.runtime.limiter.held_back_for(System.GRAPH) <= 1
    calls = len(works.states.graph.control.calls())
    await works.lanes().run(StepKind.LICENCE)
    assert len(works.states.graph.control.calls()) == calls, "silence is for every worker and lane"
    await works.drain(hurry=False)
    assert await states(works, number) == {"done": 24}
    creations = works.states.graph.control.calls("POST /users")
    assert Counter(Counter(one["upn"] for one in creations).values()) == {1: 7, 2: 5}
    assert len(works.states.graph.users) == len(known)


async def test_a_lost_answer_to_a_creation_makes_one_account_and_its_letter_opens_it(works: Works) -> None:
    known = await students(works.db, 6)
    number = await works.running(options=BatchOptions(moodle=False))
    works.fault("graph", "$batch", "cut_after")
    await works.lanes().run(StepKind.ACCOUNT)
    assert len(works.states.graph.users) == 6, "it was done"
    assert await states(works, number, StepKind.ACCOUNT) == {"due": 6}, "and not known"
    await works.drain()
    assert len(works.states.graph.users) == 6
    assert await states(works, number, StepKind.ACCOUNT) == {"done": 6}
    letters = {one.recipients[0]: one for one in works.states.inbox.messages}
    for one in known:
        found = PASSWORD.search(letters[one.email].text)
        assert found is not None
        assert await works.opens(one.upn, found[1])
    assert (await works.batch(number)).state is BatchState.FINISHED


@pytest.mark.parametrize("action", ["cut_before", "html", "truncate"])
async def test_other_ways_to_lose_an_answer_cost_time_only(works: Works, action: str) -> None:
    known = await students(works.db, 3)
    works.fault("graph", "$batch", action)
    number = await works.activate(options=BatchOptions(moodle=False))
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert {one.upn for one in works.states.graph.users.values()} == {one.upn for one in known}
    for one, letter in zip(known, sorted(works.states.inbox.messages, key=lambda m: m.recipients), strict=True):
        found = PASSWORD.search(letter.text)
        assert found is not None
        assert await works.opens(one.upn, found[1])


async def test_a_worker_that_dies_after_the_creation_leaves_nobody_behind(works: Works) -> None:
    """Claimed, created, and then the process is gone before it could record."""
    known = await students(works.db, 5)
    number = await works.running(options=BatchOptions(moodle=False))
    works.fault("graph", "$batch", "delay", delay_s=0.3)
    dying = asyncio.ensure_future(works.lanes(lease_s=0.2).run(StepKind.ACCOUNT))
    await until(looked(lambda: works.states.graph.control.calls("$batch")))
    dying.cancel()
    await asyncio.wait([dying])
    await until(looked(lambda: len(works.states.graph.users) == 5))  # the provider goes on
    assert await states(works, number, StepKind.ACCOUNT) == {"running": 5}
    async with works.db.transaction() as session:
        await session.execute(update(StepRow).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    await works.drain()
    assert len(works.states.graph.users) == 5
    assert (await works.batch(number)).state is BatchState.FINISHED
    for letter in works.states.inbox.messages:
        (one,) = [known_ for known_ in known if known_.email == letter.recipients[0]]
        found = PASSWORD.search(letter.text)
        assert found is not None
        assert await works.opens(one.upn, found[1])
    assert len(works.states.inbox.messages) == 5


async def test_a_licence_waits_for_an_account_that_is_not_replicated_yet(works: Works) -> None:
    await students(works.db, 3)
    works.states.graph.seed({"replication_s": 0.6})
    number = await works.running(options=BatchOptions(moodle=False))
    await works.lanes().run(StepKind.ACCOUNT)
    await works.lanes().run(StepKind.LICENCE)
    waiting = await works.steps(number, StepKind.LICENCE)
    assert {(one.state, one.error_code) for one in waiting} == {(StepState.DUE, "T-013")}
    await works.drain()
    assert await states(works, number, StepKind.LICENCE) == {"done": 3}
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert len(works.states.graph.users) == 3


async def test_an_account_deleted_meanwhile_is_not_waited_for_for_ever(works: Works) -> None:
    (known,) = await students(works.db, 1)
    number = await works.running(options=BatchOptions(moodle=False))
    await works.lanes().run(StepKind.ACCOUNT)
    works.states.graph.reset()
    async with works.db.transaction() as session:
        await session.execute(update(AccountRow).values(created_at=datetime.now(UTC) - timedelta(hours=1)))
    await works.drain()
    licence = await works.step(number, StepKind.LICENCE, known)
    assert (licence.state, licence.error_code) == (StepState.FAILED, "T-007")


async def test_when_seats_run_out_the_rest_says_so_and_gets_no_letter(open_works: OpenWorks) -> None:
    works = await open_works(seats=5)
    await students(works.db, 5)
    number = await works.running()
    works.states.graph.seats = 2  # somebody else took them while the batch ran
    await works.drain()
    licences = await works.steps(number, StepKind.LICENCE)
    assert Counter((one.state.value, one.error_code) for one in licences) == {("done", ""): 2, ("failed", "T-005"): 3}
    assert len(works.states.inbox.messages) == 2
    assert await states(works, number, StepKind.MOODLE_USER) == {"done": 5}
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES


# Moodle


async def test_one_bad_row_among_many_costs_only_itself(works: Works) -> None:
    """Somebody else holds one student's address: Moodle refuses the whole array and does not say why."""
    known = await students(works.db, 20)
    await course_rules(works.db, "INGRESO-2026")
    bad = known[7]
    works.states.moodle.seed(
        {"users": [{"username": "otra", "firstname": "Otra", "lastname": "Persona", "email": bad.upn, "idnumber": "1"}]}
    )
    number = await works.activate()
    refused = await works.step(number, StepKind.MOODLE_USER, bad)
    assert (refused.state, refused.error_code) == (StepState.FAILED, "M-008")
    enrolment = await works.step(number, StepKind.ENROLMENT, bad)
    assert (enrolment.state, enrolment.error_code) == (StepState.SKIPPED, "G-002")
    assert await states(works, number, StepKind.ENROLMENT) == {"done": 19, "skipped": 1}
    course = works.states.moodle.course_by_shortname("INGRESO-2026")
    assert course is not None
    assert len(works.states.moodle.store.enrolments_in(course.id)) == 19
    assert await states(works, number, StepKind.CREDENTIALS_MAIL) == {"done": 20}, "the letter does not wait for Moodle"


async def test_enrolments_into_a_bad_course_do_not_cost_the_good_one(works: Works) -> None:
    known = await students(works.db, 6)
    await course_rules(works.db, "INGRESO-2026", "SIN-MANUAL", "NO-EXISTE")
    number = await works.activate()
    enrolments = await works.steps(number, StepKind.ENROLMENT)
    assert Counter((one.target, one.state.value, one.error_code) for one in enrolments) == {
        ("INGRESO-2026", "done", ""): 6,
        ("SIN-MANUAL", "failed", "M-013"): 6,
        ("NO-EXISTE", "failed", "M-005"): 6,
    }
    assert len(known) == 6
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES


async def test_a_moodle_user_that_was_there_keeps_what_it_had(works: Works) -> None:
    (known,) = await students(works.db, 1)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    works.states.moodle.seed(
        {
            "users": [
                {
                    "id": 77,
                    "username": known.upn,
                    "firstname": "Ana",
                    "lastname": "Antes",
                    "email": known.upn,
                    "idnumber": known.document,
                    "auth": "oidc",
                }
            ],
            "enrolments": [{"course_id": 3, "user_id": 77}],
        }
    )
    number = await works.activate()
    assert (await works.step(number, StepKind.MOODLE_USER, known)).state is StepState.ALREADY
    outcomes = {one.target: one.state for one in await works.steps(number, StepKind.ENROLMENT)}
    assert outcomes == {"INGRESO-2026": StepState.DONE, "CONT-1": StepState.ALREADY}
    async with works.db.transaction() as session:
        made = {one.course: one.made_by_batch for one in (await session.scalars(select(EnrolmentRow))).all()}
    assert made == {"INGRESO-2026": number, "CONT-1": None}
    assert works.states.moodle.store.users[77].lastname == "Antes"


@pytest.mark.parametrize("action", ["cut_after", "maintenance"])
async def test_a_moodle_that_fails_for_a_while_costs_time_only(works: Works, action: str) -> None:
    known = await students(works.db, 4)
    await course_rules(works.db, "INGRESO-2026")
    for function in ("core_user_create_users", "enrol_manual_enrol_users"):
        works.fault("moodle", function, action)
    number = await works.activate()
    assert await states(works, number, StepKind.ENROLMENT) == {"done": 4}, await works.text_of_card(number)
    await all_is_well(works, known, "INGRESO-2026")


# Mail


async def test_a_refused_recipient_fails_alone_and_keeps_no_password(works: Works) -> None:
    known = await students(works.db, 3)
    refused = known[1]
    works.fault("inbox", f"RCPT {refused.email}", "reply", status=550, times=None)
    number = await works.activate()
    letter = await works.step(number, StepKind.CREDENTIALS_MAIL, refused)
    assert (letter.state, letter.error_code, letter.remedy) == (StepState.FAILED, "E-004", "source")
    assert {one.recipients[0] for one in works.states.inbox.messages} == {known[0].email, known[2].email}
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES


async def test_greylisting_is_waited_out(works: Works) -> None:
    known = await students(works.db, 2)
    number = await works.running(options=BatchOptions(moodle=False))
    works.fault("inbox", f"RCPT {known[0].email}", "reply", status=451, times=2)
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE, StepKind.CREDENTIALS_MAIL):
        await works.lanes().run(kind)
    waiting = await works.step(number, StepKind.CREDENTIALS_MAIL, known[0])
    assert (waiting.state, waiting.error_code) == (StepState.DUE, "E-003")
    assert await count(works.db, SealedSecretRow) == 1
    await works.drain()
    assert await states(works, number, StepKind.CREDENTIALS_MAIL) == {"done": 2}
    done = await works.step(number, StepKind.CREDENTIALS_MAIL, known[0])
    assert (done.attempts, done.error_code) == (3, "")
    assert Counter(one.recipients[0] for one in works.states.inbox.messages) == {one.email: 1 for one in known}
    assert await count(works.db, SealedSecretRow) == 0


async def test_a_letter_whose_answer_was_lost_keeps_its_message_id(works: Works) -> None:
    """It may come twice: the same letter, told by its Message-ID, with the password that opens the account."""
    (known,) = await students(works.db, 1)
    works.fault("inbox", "DATA", "cut_after")
    number = await works.activate(options=BatchOptions(moodle=False))
    first, second = works.states.inbox.messages
    assert first.message_id == second.message_id != ""
    found = [PASSWORD.search(one.text) for one in (first, second)]
    assert found[0] and found[1] and found[0][1] == found[1][1]
    assert await works.opens(known.upn, found[1][1])
    assert (await works.batch(number)).state is BatchState.FINISHED


async def test_a_password_that_is_not_the_last_one_is_never_mailed(works: Works) -> None:
    (known,) = await students(works.db, 1)
    number = await works.running(options=BatchOptions(moodle=False))
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE):
        await works.lanes().run(kind)
    async with works.db.transaction() as session:
        await session.execute(update(AccountRow).values(secret_fingerprint="set by somebody later"))
    await works.drain()
    letter = await works.step(number, StepKind.CREDENTIALS_MAIL, known)
    assert (letter.state, letter.error_code) == (StepState.FAILED, "E-007")
    assert works.states.inbox.messages == []


# Two batches over the same people


async def test_batches_over_the_same_students_give_each_one_account_and_one_letter(works: Works) -> None:
    known = await students(works.db, 20)
    await course_rules(works.db, "INGRESO-2026")
    first, second = await works.request(), await works.request("cohorte:2026")
    for number in (first, second):
        await works.approve(number)
        await works.start(number)
    rivals = [works.lanes() for _ in range(2)]
    async with asyncio.timeout(30):
        while {(await works.batch(number)).state for number in (first, second)} & {BatchState.RUNNING}:
            await asyncio.gather(*(rival.run(kind) for kind in ACTIVATION for rival in rivals))
            await works.hurry()
            await asyncio.sleep(0.01)
    await all_is_well(works, known, "INGRESO-2026")


async def test_a_second_batch_does_not_take_over_what_the_first_one_made(works: Works) -> None:
    """The first one's answer was lost; the second finds the account and would adopt it, and nobody would be told."""
    known = await students(works.db, 3)
    first, second = [
        await works.request(words, options=BatchOptions(moodle=False)) for words in ("todos", "cohorte:2026")
    ]
    await works.approve(first)
    await works.start(first)
    works.fault("graph", "$batch", "cut_after")
    await works.lanes().run(StepKind.ACCOUNT)
    await works.approve(second)
    await works.start(second)
    await works.lanes().run(StepKind.ACCOUNT)
    await works.drain()
    assert {(await works.batch(number)).state for number in (first, second)} <= {
        BatchState.FINISHED,
        BatchState.NOTHING_DONE,
    }
    assert Counter(one.recipients[0] for one in works.states.inbox.messages) == {one.email: 1 for one in known}
    for letter in works.states.inbox.messages:
        (one,) = [known_ for known_ in known if known_.email == letter.recipients[0]]
        found = PASSWORD.search(letter.text)
        assert found is not None
        assert await works.opens(one.upn, found[1])


async def test_sweeping_while_late_outcomes_are_recorded_ends_in_no_deadlock(works: Works) -> None:
    await students(works.db, 200)
    number = await works.running(options=ACCOUNTS_ONLY)
    lane = works.runtime.lanes[StepKind.ACCOUNT]

    async def late(step: ClaimedStep) -> None:
        async with works.db.transaction() as session:
            await record_outcomes(
                session,
                lane,
                [Outcome(step, StepEvent.FAIL, code="T-003")],
                house=works.runtime.house,
                now=datetime.now(UTC),
            )

    for _ in range(20):
        claimed = await claim(works.db, StepKind.ACCOUNT, 10, lease_s=-1)
        await asyncio.gather(sweep(works.db), *(late(one) for one in claimed))
    found = await states(works, number, StepKind.ACCOUNT)
    assert found.total() == 200
    assert not found["running"]
    assert len(await audit_events(works.db, "step.account")) == found["failed"]
