"""The Graph lanes: what is looked at first, what is tried again."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from lucy.db.tables import AccountRow, SealedSecretRow, StepRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import StepState
from lucy.errors import System
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works, looked, until
from tests.integration.workers.test_lanes import ACCOUNTS_ONLY, PASSWORD, count, states


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
