"""A system that goes away: noticed together, told once, tried by one, and nobody is lost for it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from cards.as_text import as_text
from lucy.db import cards as cards_db
from lucy.db import outages
from lucy.db.tables import OutageRow, PostedCardRow
from lucy.domain.batches import BatchState
from lucy.domain.circuits import CircuitRules
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import StepState
from lucy.errors import System
from lucy.flows.find_obstacles import obstacles
from lucy.flows.run_batch import cancel_batch
from lucy.flows.watch_systems import UNNEEDED_AFTER
from sandbox.teams.transcript import Entry
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import actor, course_rules, students
from tests.integration.support.works import Works, looked, until
from workers.lanes import LaneEngine
from workers.sweeper import sweep

RULES = CircuitRules()
ACCOUNTS_ONLY = BatchOptions(mail=False, moodle=False)
NO_LETTERS = BatchOptions(mail=False)
AVAILABLE = (StepKind.ACCOUNT, StepKind.LICENCE, StepKind.CREDENTIALS_MAIL)


@pytest.fixture
async def works(open_works: OpenWorks) -> Works:
    """A worker with a channel to tell."""
    opened = await open_works(circuits=RULES)
    await channel(opened)
    return opened


async def channel(works: Works) -> None:
    """A channel where Lucy was spoken to."""
    directory = works.states.teams.directory
    async with works.db.transaction() as session:
        await cards_db.remember_conversation(
            session,
            {
                "conversation_id": directory.team.channels[1].id,
                "kind": "channel",
                "service_url": works.addresses.teams_url,
                "tenant_id": directory.tenant_id,
                "team_id": directory.team.id,
                "channel_id": directory.team.channels[1].id,
                "updated_at": datetime.now(UTC),
            },
        )


async def all_outages(works: Works) -> list[OutageRow]:
    async with works.db.transaction() as session:
        return list((await session.scalars(select(OutageRow).order_by(OutageRow.id))).all())


def is_open(works: Works, system: System) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        async with works.db.transaction() as session:
            return system.value in {one.system for one in await outages.open_ones(session)}

    return look


async def fail_until_open(works: Works, engine: LaneEngine, kind: StepKind, system: System) -> None:
    """Work a lane whose system is down until everybody knows it."""
    async with asyncio.timeout(15):
        while not await is_open(works, system)():
            await engine.run(kind)
            if not await is_open(works, system)():
                await works.hurry()


async def its_time(works: Works) -> None:
    """The next try is due."""
    async with works.db.transaction() as session:
        await session.execute(update(OutageRow).values(next_try_at=datetime.now(UTC)))
    await works.hurry()


async def tell(works: Works) -> list[Entry]:
    """What the channel was told of outages."""
    await works.announcer.run()
    async with works.db.transaction() as session:
        ids = (await session.scalars(select(PostedCardRow.activity_id).where(PostedCardRow.shows == "outage"))).all()
    return [one for one in works.states.teams.transcript.since(0) if one.activity_id in ids]


def words(entry: Entry) -> str:
    assert entry.card is not None
    return as_text(entry.card)


async def ready_for_moodle(works: Works, many: int) -> int:
    """A batch of which only Moodle is left."""
    await students(works.db, many)
    await course_rules(works.db, "INGRESO-2026")
    number = await works.running()
    for kind in AVAILABLE:
        await works.lanes().run(kind)
    return number


async def test_moodle_is_away_for_a_while(works: Works) -> None:
    number = await ready_for_moodle(works, 6)
    works.fault("moodle", "*", "cut_before", times=None)
    engine = works.lanes()
    await fail_until_open(works, engine, StepKind.MOODLE_USER, System.MOODLE)

    (outage,) = await all_outages(works)
    assert (outage.system, outage.code, outage.failures) == ("moodle", "M-010", RULES.failures)
    steps = await works.steps(number, StepKind.MOODLE_USER)
    assert {(one.state, one.attempts, one.tries) for one in steps} == {(StepState.DUE, RULES.failures, 0)}
    (posted,) = await tell(works)
    assert posted.kind == "create"
    assert "Moodle no responde desde las " in words(posted)
    assert "12 pasos esperan, no se perdió nada. Próximo intento " in words(posted)
    asked = len(works.states.moodle.control.calls())
    await works.hurry()
    await engine.run(StepKind.MOODLE_USER)
    assert len(works.states.moodle.control.calls()) == asked, "left alone"

    for tries in (1, 2):
        await its_time(works)
        await engine.run(StepKind.MOODLE_USER)
        assert len(works.states.moodle.control.calls()) == asked + tries, "one call for one step"
    steps = await works.steps(number, StepKind.MOODLE_USER)
    assert sum(one.attempts for one in steps) == 6 * RULES.failures + 2
    assert {(one.state, one.tries) for one in steps} == {(StepState.DUE, 0)}
    assert [one.kind for one in await tell(works)] == ["create", "update"]

    works.states.moodle.control.clear_faults()
    await its_time(works)
    await works.drain(hurry=False)
    assert Counter(one.state for one in await works.steps(number)) == {StepState.DONE: 6 * 5}
    (outage,) = await all_outages(works)
    assert outage.closed_at is not None
    assert outage.waiting == 12
    said = await tell(works)
    assert {one.activity_id for one in said} == {posted.activity_id}
    assert "Moodle volvió a las " in words(said[-1])
    assert "Los 12 pasos siguieron solos." in words(said[-1])
    assert [(one.action, one.outcome) for one in await works.audit() if one.action.startswith("system.")] == [
        ("system.down", "moodle"),
        ("system.up", "moodle"),
    ]


async def test_what_waited_goes_on_by_itself(open_works: OpenWorks) -> None:
    """Nobody does anything but sweep and obey, as the scheduler and the workers do."""
    works = await open_works(circuits=CircuitRules(first_wait_s=0.2, longest_wait_s=0.4))
    number = await ready_for_moodle(works, 3)
    works.fault("moodle", "*", "cut_before", times=None)
    await fail_until_open(works, works.lanes(), StepKind.MOODLE_USER, System.MOODLE)
    works.states.moodle.control.clear_faults()
    async with asyncio.timeout(40):
        while (await works.batch(number)).state is BatchState.RUNNING:
            await works.drain(hurry=False)
    assert (await works.batch(number)).state is BatchState.FINISHED


async def test_the_others_go_on_while_moodle_is_away(works: Works) -> None:
    await ready_for_moodle(works, 2)
    works.fault("moodle", "*", "status", status=502, times=None)
    await fail_until_open(works, works.lanes(), StepKind.MOODLE_USER, System.MOODLE)
    await students(works.db, 3, cohort=2025)
    number = await works.running("cohorte:2025", options=ACCOUNTS_ONLY)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert await is_open(works, System.MOODLE)()


@pytest.mark.parametrize("action", ["html", "maintenance", "cut_after"])
async def test_other_ways_to_be_away_cost_no_student_either(works: Works, action: str) -> None:
    number = await ready_for_moodle(works, 3)
    works.fault("moodle", "*", action, times=None)
    await fail_until_open(works, works.lanes(), StepKind.MOODLE_USER, System.MOODLE)
    works.states.moodle.control.clear_faults()
    await its_time(works)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert not await is_open(works, System.MOODLE)()


async def test_workers_that_fail_at_once_open_it_once(open_works: OpenWorks) -> None:
    works = await open_works(batch_size=1)
    await channel(works)
    await students(works.db, 12)
    await works.running(options=ACCOUNTS_ONLY)
    works.fault("graph", "$batch", "cut_before", times=None)
    await asyncio.gather(*(works.lanes().run(StepKind.ACCOUNT) for _ in range(8)))
    assert len(await all_outages(works)) == 1
    assert len(await works.audit("system.down")) == 1
    async with works.db.transaction() as session:
        shown = (await session.scalars(select(PostedCardRow).where(PostedCardRow.shows == "outage"))).all()
    assert len(shown) == 1


async def test_of_two_rivals_one_tries_with_one_step(works: Works) -> None:
    number = await ready_for_moodle(works, 5)
    works.fault("moodle", "*", "cut_before", times=None)
    first, second = works.lanes(), works.lanes()
    await fail_until_open(works, first, StepKind.MOODLE_USER, System.MOODLE)
    works.states.moodle.control.clear_faults()
    works.fault("moodle", "*", "delay", delay_s=0.4)
    await its_time(works)
    asked = len(works.states.moodle.control.calls())
    trying = asyncio.ensure_future(first.run(StepKind.MOODLE_USER))
    await until(looked(lambda: len(works.states.moodle.control.calls()) > asked))
    await asyncio.wait_for(second.run(StepKind.MOODLE_USER), 0.3)
    states = Counter(one.state for one in await works.steps(number, StepKind.MOODLE_USER))
    assert states == {StepState.RUNNING: 1, StepState.DUE: 4}
    assert not [one for one in await sweep(works.db) if one.args == ("moodle_user",)], "one tries: no nudge"
    await trying
    assert {one.state for one in await works.steps(number, StepKind.MOODLE_USER)} == {StepState.DONE}


async def test_a_prober_that_died_is_replaced(works: Works) -> None:
    await ready_for_moodle(works, 2)
    works.fault("moodle", "*", "cut_before", times=None)
    await fail_until_open(works, works.lanes(), StepKind.MOODLE_USER, System.MOODLE)
    works.states.moodle.control.clear_faults()
    await its_time(works)
    async with works.db.transaction() as session:
        await session.execute(update(OutageRow).values(probing_until=datetime.now(UTC) + timedelta(minutes=1)))
    await works.lanes().run(StepKind.MOODLE_USER)
    assert await is_open(works, System.MOODLE)()
    async with works.db.transaction() as session:
        await session.execute(update(OutageRow).values(probing_until=datetime.now(UTC) - timedelta(seconds=1)))
    await works.lanes().run(StepKind.MOODLE_USER)
    assert not await is_open(works, System.MOODLE)()


async def test_the_turn_to_try_is_not_lost_on_a_lane_without_work(works: Works) -> None:
    """The enrolments wait for their users: whoever asks for them first has nothing to try with."""
    number = await ready_for_moodle(works, 2)
    works.fault("moodle", "*", "cut_before", times=None)
    await fail_until_open(works, works.lanes(), StepKind.MOODLE_USER, System.MOODLE)
    works.states.moodle.control.clear_faults()
    await its_time(works)
    await works.lanes().run(StepKind.ENROLMENT)
    await works.lanes().run(StepKind.MOODLE_USER)
    assert {one.state for one in await works.steps(number, StepKind.MOODLE_USER)} == {StepState.DONE}


async def test_throttling_is_no_outage(works: Works) -> None:
    await students(works.db, 3)
    number = await works.running(options=ACCOUNTS_ONLY)
    works.fault("graph", "$batch", "status", status=429, retry_after_s=0.02, times=8)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert await all_outages(works) == []
    assert {one.tries for one in await works.steps(number)} == {0}, "told to wait is not tried"


async def test_a_recipient_that_asks_to_wait_is_no_outage(works: Works) -> None:
    (known,) = await students(works.db, 1)
    works.fault("inbox", f"RCPT {known.email}", "reply", status=451, times=8)
    number = await works.activate(options=BatchOptions(moodle=False))
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert await all_outages(works) == []


async def test_a_success_drops_the_suspicion(works: Works) -> None:
    await ready_for_moodle(works, 2)
    works.fault("moodle", "*", "cut_before", times=3)
    engine = works.lanes()
    for _ in range(3):
        await engine.run(StepKind.MOODLE_USER)
        await works.hurry()
    (suspected,) = await all_outages(works)
    assert (suspected.failures, suspected.opened_at) == (3, None)
    await engine.run(StepKind.MOODLE_USER)
    assert await all_outages(works) == []
    assert await tell(works) == []


async def test_a_step_that_always_fails_alone_is_given_up_and_blames_nobody(works: Works) -> None:
    bad, *_others = await students(works.db, 3)
    works.fault("graph", f"POST /users {bad.upn}", "status", status=500, times=None)
    number = await works.activate(options=ACCOUNTS_ONLY)
    step = await works.step(number, StepKind.ACCOUNT, bad)
    assert (step.state, step.error_code) == (StepState.FAILED, "G-004")
    assert await works.audit("system.down") == []
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES


async def test_a_batch_says_what_holds_it_up(works: Works) -> None:
    number = await ready_for_moodle(works, 4)
    now = datetime.now(UTC)
    async with works.db.transaction() as session:
        assert await obstacles(session, number, now) == ()
    works.fault("moodle", "*", "cut_before", times=None)
    async with works.db.transaction() as session:
        await cards_db.add_card(
            session, shows="batch", subject=str(number), service_url="", tenant_id="", conversation_id="x"
        )
    await fail_until_open(works, works.lanes(), StepKind.MOODLE_USER, System.MOODLE)
    (outage,) = await all_outages(works)
    async with works.db.transaction() as session:
        (found,) = await obstacles(session, number, now)
        card = (await session.scalars(select(PostedCardRow).where(PostedCardRow.shows == "batch"))).one()
    assert (found.system, found.owner, found.waiting) == ("moodle", "", 8)
    assert (found.since, found.until) == (outage.first_failed_at, outage.next_try_at)
    assert card.wanted_version > RULES.failures, "drawn again when it opened too"
    assert not [one for one in await sweep(works.db) if one.args == ("moodle_user",)], "no nudge while it is left alone"
    await its_time(works)
    assert [one for one in await sweep(works.db) if one.args == ("moodle_user",)]


async def test_an_outage_that_nobody_waits_for_any_more_is_closed(works: Works) -> None:
    number = await ready_for_moodle(works, 2)
    works.fault("moodle", "*", "cut_before", times=None)
    await fail_until_open(works, works.lanes(), StepKind.MOODLE_USER, System.MOODLE)
    overdue = datetime.now(UTC) - UNNEEDED_AFTER - timedelta(seconds=1)
    async with works.db.transaction() as session:
        await session.execute(update(OutageRow).values(next_try_at=overdue))
    await sweep(works.db)
    assert await is_open(works, System.MOODLE)(), "somebody waits"
    async with works.db.transaction() as session:
        await cancel_batch(
            session,
            number,
            actor=actor(works.people[0]),
            may_touch_others=False,
            house=works.runtime.house,
            now=datetime.now(UTC),
        )
    await sweep(works.db)
    (outage,) = await all_outages(works)
    assert outage.closed_at is not None
    assert [one.outcome for one in await works.audit("system.up")] == ["unneeded"]
    assert "Ya no queda nada que espere" in words((await tell(works))[-1])
