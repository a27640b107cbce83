"""Valkey loses everything, PostgreSQL ends every session, in the middle of the work: it costs time only."""

import asyncio

import pytest
import redis

from tests.e2e.faults.conftest import COURSES
from tests.e2e.faults.stagehand import Stagehand, until


async def test_a_queue_emptied_and_restarted_loses_nobody_of_500(hand: Stagehand) -> None:
    """FLUSHALL, and later a stop and an empty start on the same port: only the database knew what there was to do."""
    server = hand.stage.valkey
    assert server is not None
    known = await hand.students(500)
    await hand.workers(2)
    number = await hand.approved()
    await hand.some_accounts(100)
    with redis.Redis.from_url(server.url) as client:
        assert client.flushall()
    await hand.some_accounts(250)
    await asyncio.to_thread(server.stop)
    scheduler = hand.stage.processes["scheduler"]

    async def missed() -> bool:
        return '"scheduler.queue_away"' in scheduler.log_tail(1_000_000)

    await until(missed, "the scheduler to miss the queue")
    await asyncio.to_thread(server.start)
    await hand.finished(number, patience_s=150)  # 500 letters are recorded one by one
    await hand.ledger.check(number, known, COURSES)


@pytest.mark.parametrize("way", ["stopped", "killed"])
async def test_a_database_that_restarts_loses_nobody(hand: Stagehand, way: str) -> None:
    """`stopped` is PostgreSQL's fast shutdown. Meanwhile the bot says that it is not ready, and everybody lives on."""
    server = hand.stage.postgres
    assert server is not None
    known = await hand.students(40)
    await hand.hold_a_claim()
    await hand.workers(2)
    number = await hand.approved()
    await hand.some_accounts(5)
    await asyncio.to_thread(server.stop if way == "stopped" else server.kill)
    answer = await hand.http.get(f"{hand.stage.bot_url}/readyz")
    assert answer.status_code == 503
    await hand.post(hand.scene.channel_message(hand.stage.operator, "lotes"))
    assert (await hand.transcript())[-1]["text"].startswith("No pude hacerlo")
    await asyncio.to_thread(server.start)
    await hand.finished(number)
    assert all(process.running for process in hand.stage.processes.values()), "nobody ended"
    # At the moment of the stop each of the two workers may have had an accepted letter that it could not record.
    await hand.ledger.check(number, known, COURSES, letters_twice=range(3))
    told = await hand.talk.says(hand.stage.operator, f"lote L-{number}")
    assert "Terminada" in told["summary"], "the bot answers again"
