"""The Moodle and mail lanes, and two batches over the same people."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from lucy.db.claims import ClaimedStep
from lucy.db.tables import AccountRow, EnrolmentRow, SealedSecretRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import StepEvent, StepState
from lucy.flows.lanes.base import Outcome
from lucy.flows.record_outcomes import record_outcomes
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works, audit_events
from tests.integration.workers.test_lanes import ACCOUNTS_ONLY, ACTIVATION, PASSWORD, all_is_well, claim, count, states
from workers.sweeper import sweep

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
