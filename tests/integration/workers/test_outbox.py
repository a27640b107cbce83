"""Nudges leave after the commit, and wait while the queue is away."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lucy.db import outbox
from lucy.db.engine import Database
from lucy.db.tables import OutboxRow
from lucy.domain.batches import BatchState
from lucy.domain.nudges import Nudge
from lucy.domain.operations import StepKind
from lucy.errors import RetryLater
from lucy.flows.send_nudges import AT_ONCE, send_nudges
from sandbox.servers import ValkeyServer
from tests.integration.support.people import students
from tests.integration.support.queue import Queue
from tests.integration.support.works import CollectedNudges, Works


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """A Valkey of this test's own, which may be stopped."""
    with ValkeyServer(tmp_path / "own") as server, Queue(server) as opened:
        yield opened


async def put(db: Database, *nudges: Nudge, delay_s: float = 0) -> None:
    for nudge in nudges:
        async with db.transaction() as session:
            await outbox.put(session, [nudge], now=datetime.now(UTC), delay_s=delay_s)


async def waiting(db: Database) -> int:
    async with db.transaction() as session:
        return int(await session.scalar(select(func.count()).select_from(OutboxRow)) or 0)


async def test_nudges_reach_the_queue_once_and_carry_ids_only(db: Database, queue: Queue) -> None:
    await put(db, Nudge("start_batch", (7,)), Nudge("run_lane", ("account",)))
    assert await send_nudges(db, queue.nudger) == 2
    assert await send_nudges(db, queue.nudger) == 0
    assert queue.messages() == Counter({("start_batch", (7,)): 1, ("run_lane", ("account",)): 1})


async def test_a_queue_that_is_down_keeps_the_nudges(db: Database, queue: Queue) -> None:
    await put(db, Nudge("start_batch", (7,)), Nudge("announce"))
    queue.server.stop()
    with pytest.raises(RetryLater):
        await send_nudges(db, queue.nudger)
    assert await waiting(db) == 2
    queue.server.restart()
    assert await send_nudges(db, queue.nudger) == 2
    assert await waiting(db) == 0
    assert queue.messages() == Counter({("start_batch", (7,)): 1, ("announce", ()): 1})


async def test_a_transaction_that_fails_leaves_no_nudge(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as session:
            await outbox.put(session, [Nudge("announce")], now=datetime.now(UTC))
            raise ZeroDivisionError
    assert await waiting(db) == 0


async def test_a_nudge_is_not_sent_before_its_time(db: Database) -> None:
    await put(db, Nudge("announce"), delay_s=60)
    nudger = CollectedNudges()
    assert await send_nudges(db, nudger) == 0
    async with db.transaction() as session:
        assert await outbox.take(session, now=datetime.now(UTC) + timedelta(seconds=61)) == [Nudge("announce")]


async def test_several_senders_send_each_nudge_once(db: Database) -> None:
    async with db.transaction() as session:
        await outbox.put(session, [Nudge("start_batch", (number,)) for number in range(900)], now=datetime.now(UTC))
    nudger = CollectedNudges()
    for _ in range(3):
        await asyncio.gather(*(send_nudges(db, nudger) for _ in range(4)))
    assert Counter(nudger.sent) == {Nudge("start_batch", (number,)): 1 for number in range(900)}


async def test_nothing_is_left_behind_however_often_the_same_nudge_was_put(db: Database) -> None:
    for _ in range(5):
        async with db.transaction() as session:
            for _row in range(AT_ONCE // 2):
                await outbox.put(session, [Nudge("announce")], now=datetime.now(UTC))
    nudger = CollectedNudges()
    await send_nudges(db, nudger)
    assert await waiting(db) == 0
    assert set(nudger.sent) == {Nudge("announce")}
    assert len(nudger.sent) < 10, "once for each handful"


async def test_a_lane_records_its_work_though_the_queue_is_away(works: Works, queue: Queue) -> None:
    """What the provider did must not be forgotten, or blamed on the provider, because Redis is down."""
    await students(works.db, 3)
    number = await works.running()
    queue.server.stop()
    lanes = works.lanes(nudger=queue.nudger)
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE, StepKind.CREDENTIALS_MAIL):
        await lanes.run(kind)
        steps = await works.steps(number, kind)
        assert {(one.state.value, one.attempts, one.error_code) for one in steps} == {("done", 1, "")}
    assert len(works.states.inbox.messages) == 3
    assert await waiting(works.db) > 0
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
