"""Bot and scheduler are killed, with and without a worker: nobody is lost, nothing runs twice, people get answers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx
from sqlalchemy import text

from cli.demo.conversation import Entry
from cli.demo.faults import kill_a_busy_worker
from lucy.domain.audit import LUCY
from lucy.flows.run_schedules import bring_forward
from sandbox.processes import Process
from tests.e2e.faults.conftest import COURSES
from tests.e2e.faults.stagehand import Stagehand, until

NIGHTLY = "ingesta-nocturna"


async def test_bot_scheduler_and_a_worker_killed_in_the_middle(hand: Stagehand) -> None:
    """The bot while it answers an approval; then scheduler, bot and a worker with accounts in hand."""
    known = await hand.students(40)
    await hand.hold_a_claim()
    number, card = await hand.requested()
    await kill_the_bot_at_an_approval(hand, number, card)
    await asyncio.gather(hand.stage.start("bot", "bot"), hand.workers(2))
    await hand.talk.presses(hand.stage.approver, card, "Aprobar")
    await hand.some_accounts(5)

    processes = hand.stage.processes
    processes["bot"].kill()
    processes["scheduler"].kill()
    worker, held = await kill_a_busy_worker(hand.stage, hand.db)
    await until(hand_is_idle(hand, number), "the other worker to be done with what it can do")
    left = await hand.scalar("select count(*) from step where batch_id = :id and state = 'running'", id=number)
    assert left >= held, "nobody gives back what the dead worker holds"

    await asyncio.gather(
        hand.stage.start("bot", "bot"), hand.stage.start("scheduler", "scheduler"), hand.worker(worker.name)
    )
    await hand.finished(number)
    found = await hand.ledger.check(number, known, COURSES, letters_twice=range(2))
    assert found.attempts("account")[2] >= held
    told = await hand.talk.says(hand.stage.operator, f"lote L-{number}")
    assert "Terminada" in told["summary"]


def hand_is_idle(hand: Stagehand, number: int) -> Callable[[], Awaitable[object]]:
    """Only what leases keep is left: they have run out, and nothing else of the batch is due or in hand."""

    async def idle() -> object:
        return await hand.scalar(
            """select coalesce(bool_and(lease_until < now()), false) from step
               where batch_id = :id and state in ('due', 'running')""",
            id=number,
        )

    return idle


async def kill_the_bot_at_an_approval(hand: Stagehand, number: int, card: Entry) -> None:
    """It dies within the transaction of the approval, which waits for the batch's lock; so nothing was decided."""
    waiting = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%batch%')"

    async def waits() -> object:
        return await hand.scalar(waiting)

    async with hand.db.transaction() as session:
        await session.execute(text("select from batch where id = :id for update"), {"id": number})
        pressing = asyncio.ensure_future(hand.post(hand.press(card, hand.stage.approver)))
        await until(waits, "the approval to wait for the batch")
        hand.stage.processes["bot"].kill()
    await asyncio.wait([pressing])
    assert isinstance(pressing.exception(), httpx.TransportError)
    assert await hand.scalar("select state from batch where id = :id", id=number) == "awaiting_approval"


async def test_of_two_schedulers_one_works_and_the_other_takes_over(hand: Stagehand) -> None:
    known = await hand.students(40)
    await hand.hold_a_claim()
    await asyncio.gather(hand.workers(2), hand.stage.start("scheduler-2", "scheduler"))
    pair = [hand.stage.processes[name] for name in ("scheduler", "scheduler-2")]

    async def one_is_active() -> bool:
        return any(is_active(one) for one in pair)

    await until(one_is_active, "an active scheduler")
    (active,) = [one for one in pair if is_active(one)]
    (standing_by,) = [one for one in pair if one is not active]
    runs, readings = await counted(hand)

    number = await hand.approved()
    await hand.some_accounts(5)
    worker, held = await kill_a_busy_worker(hand.stage, hand.db)
    await brought_forward(hand)
    await until(counts(hand, runs + 1, readings + 3), "the night's run, three lists")
    assert not is_active(standing_by)

    active.kill()

    async def taken_over() -> bool:
        return is_active(standing_by)

    await until(taken_over, "the other scheduler to take over")
    await brought_forward(hand)
    await hand.worker(worker.name)
    await hand.finished(number)
    await until(counts(hand, runs + 2, readings + 6), "the second run, three lists")
    found = await hand.ledger.check(number, known, COURSES, letters_twice=range(2))
    assert found.attempts("account")[2] >= held
    doubled = await hand.scalar(
        "select count(*) - count(distinct planned_at) from schedule_run where schedule = :name", name=NIGHTLY
    )
    assert doubled == 0
    started = await hand.scalar(
        "select count(*) from audit_event where action = :action and outcome = 'started'", action=f"schedule.{NIGHTLY}"
    )
    assert started == runs + 2


def is_active(scheduler: Process) -> bool:
    return '"scheduler.active"' in scheduler.log_tail(1_000_000)


async def brought_forward(hand: Stagehand) -> None:
    """As `lucy run-now` does."""
    async with hand.db.transaction() as session:
        await bring_forward(session, NIGHTLY, actor=LUCY, now=datetime.now(UTC))


async def counted(hand: Stagehand) -> tuple[int, int]:
    """Runs of the night, and lists read to their end."""
    runs = await hand.scalar("select count(*) from schedule_run where schedule = :name", name=NIGHTLY)
    readings = await hand.scalar(
        "select count(*) from ingest_run where requested_by = :name and finished_at is not null and error_code = ''",
        name=NIGHTLY,
    )
    return int(runs), int(readings)


def counts(hand: Stagehand, runs: int, readings: int) -> Callable[[], Awaitable[object]]:
    async def so() -> object:
        return await counted(hand) == (runs, readings)

    return so
