"""The shared limiter on a real Valkey: its rate, its queue, silence, and a Redis that goes away."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from benchmarks import limiter as benchmark
from connectors.limits import RedisLimiter
from lucy.errors import RetryLater, System
from sandbox.servers import ValkeyServer, embedded_valkey

GRAPH, SIAL = System.GRAPH, System.SIAL


LATE_S = 0.35  # on a machine that does other things too; nobody is ever early


@pytest.fixture
async def redis(valkey: ValkeyServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url) as pooled, pooled.client() as client:
        await client.flushall()
        yield client  # one connection: what is asked first arrives first


async def seconds_of(limiter: RedisLimiter, costs: list[int], system: System = GRAPH) -> list[float]:
    """When each was let through, asked for together in this order."""
    started = time.monotonic()

    async def one(cost: int) -> float:
        await limiter.acquire(system, cost)
        return time.monotonic() - started

    return await asyncio.gather(*(one(cost) for cost in costs))


def are_due_at(times: list[float], wanted: list[float]) -> bool:
    return all(-0.005 <= at - due < LATE_S for at, due in zip(times, wanted, strict=True))


async def test_a_rate_below_one_a_second_is_kept(redis: Redis) -> None:
    times = await seconds_of(RedisLimiter(redis, {SIAL: 2.5}, {SIAL: 1}), [1, 1, 1], SIAL)
    assert are_due_at(times, [0.4, 0.8, 1.2])


async def test_an_unknown_bucket_starts_empty_and_a_rested_one_gives_its_burst(redis: Redis) -> None:
    limiter = RedisLimiter(redis, {GRAPH: 5.0}, {GRAPH: 5})
    assert are_due_at(await seconds_of(limiter, [1]), [0.2])
    await asyncio.sleep(1.3)
    assert are_due_at(await seconds_of(limiter, [1] * 7), [0, 0, 0, 0, 0, 0.2, 0.4])


async def test_a_dear_request_goes_out_whole_and_the_next_one_pays_for_it(redis: Redis) -> None:
    limiter = RedisLimiter(redis, {GRAPH: 100.0}, {GRAPH: 10})
    times = await seconds_of(limiter, [40, 1, 40])
    assert are_due_at(times, [0.1, 0.41, 0.51])


async def test_first_come_first_served_whatever_the_cost(redis: Redis) -> None:
    order: list[int] = []
    limiters = [RedisLimiter(redis, {GRAPH: 100.0}, {GRAPH: 1}) for _ in range(4)]

    async def one(number: int) -> None:
        await limiters[number % 4].acquire(GRAPH, 20 if number % 3 == 0 else 1)
        order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(one(number))
            await asyncio.sleep(0.01)
    assert order == list(range(8))


async def test_waiting_takes_two_calls_and_no_polling(redis: Redis) -> None:
    limiter = RedisLimiter(redis, {SIAL: 1.0})
    await limiter.acquire(SIAL)
    before = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    await limiter.acquire(SIAL)
    assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] - before == 2


async def test_four_processes_keep_the_rate(valkey: ValkeyServer) -> None:
    case = benchmark.Case("test", rate=40.0, burst=10, costs=(5, 1, 2), seconds=4.0)
    grants = await asyncio.to_thread(benchmark.measure, valkey.url, case)
    # A few seconds on a busy machine cannot show 2 %: the benchmark does.
    assert benchmark.sustained(grants, case) >= 0.9
    assert benchmark.most_over(grants, case) <= case.burst + case.rate * LATE_S


async def test_silence_is_for_everybody_and_for_those_already_waiting(redis: Redis) -> None:
    rates = {GRAPH: 10.0}
    one, other = RedisLimiter(redis, rates, {GRAPH: 1}), RedisLimiter(redis, rates, {GRAPH: 1})
    waiting = asyncio.create_task(seconds_of(one, [1, 1, 1]))
    await asyncio.sleep(0.02)
    await other.hold_back(GRAPH, 0.6)
    assert 0.4 < await one.held_back_for(GRAPH) <= 0.6
    times = await waiting
    assert min(times) >= 0.6
    assert max(times) >= 0.8  # no rush when silence ends
    assert await one.held_back_for(GRAPH) == 0.0


async def test_the_longer_silence_stays_and_other_systems_go_on(redis: Redis) -> None:
    limiter = RedisLimiter(redis, {GRAPH: 10.0, SIAL: 100.0})
    await limiter.hold_back(GRAPH, 5)
    await limiter.hold_back(GRAPH, 1)
    await limiter.hold_back(GRAPH, 0)
    assert await limiter.held_back_for(GRAPH) > 4
    assert are_due_at(await seconds_of(limiter, [1], SIAL), [0.01])


async def test_a_system_without_a_rate_is_only_held_back(redis: Redis) -> None:
    limiter = RedisLimiter(redis, {}, longest_wait_s=1)
    assert max(await seconds_of(limiter, [5] * 50, System.TEAMS)) < 0.5
    await limiter.hold_back(System.TEAMS, 30)
    with pytest.raises(RetryLater) as raised:
        await limiter.acquire(System.TEAMS)
    assert raised.value.throttled
    assert raised.value.after_s == pytest.approx(30, abs=0.5)


async def test_nobody_waits_longer_than_the_lease_allows(redis: Redis) -> None:
    limiter = RedisLimiter(redis, {GRAPH: 1.0}, {GRAPH: 1}, longest_wait_s=0.5)
    with pytest.raises(RetryLater) as raised:
        await limiter.acquire(GRAPH)  # the bucket starts empty
    assert not raised.value.throttled
    assert raised.value.after_s == pytest.approx(1.0, abs=0.05)
    await asyncio.sleep(0.6)
    await limiter.acquire(GRAPH)  # whoever was sent away took no slot


async def test_a_flush_gives_nobody_a_second_burst(redis: Redis) -> None:
    limiter = RedisLimiter(redis, {GRAPH: 20.0}, {GRAPH: 10})
    await limiter.acquire(GRAPH)
    await asyncio.sleep(0.5)
    asked = asyncio.create_task(seconds_of(limiter, [1] * 20))
    await asyncio.sleep(0.1)
    await redis.flushall()
    times = sorted(await asked)
    assert sum(at < 0.3 for at in times) <= 10 + 6
    assert times[-1] >= 0.5  # ten at once, and no more of those after the flush


async def test_a_bucket_from_the_future_is_thrown_away(redis: Redis) -> None:
    """Redis's clock was set back by an hour."""
    limiter = RedisLimiter(redis, {GRAPH: 20.0})
    await redis.hset("lucy:rate:{graph}", mapping={"era": "1", "full_at": str(int((time.time() + 3600) * 1e6))})
    assert are_due_at(await seconds_of(limiter, [1]), [0.05])


async def test_a_redis_that_is_gone_is_a_short_wait_and_silence_is_not_forgotten(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as server, Redis.from_url(server.url) as client:
        limiter = RedisLimiter(client, {GRAPH: 100.0})
        await limiter.acquire(GRAPH)
        await asyncio.to_thread(server.stop)
        with pytest.raises(RetryLater) as raised:
            await limiter.acquire(GRAPH)
        assert (raised.value.code, raised.value.throttled) == ("G-006", False)
        await limiter.hold_back(GRAPH, 60)
        assert await limiter.held_back_for(GRAPH) > 50
        await asyncio.to_thread(server.start)
        with pytest.raises(RetryLater) as raised:
            await limiter.acquire(GRAPH)
        assert raised.value.throttled
        assert await RedisLimiter(client, {}).held_back_for(GRAPH) > 40  # said to everybody, now that it can be


async def test_a_restarted_redis_takes_scripts_and_slots_anew(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as server, Redis.from_url(server.url) as client:
        limiter = RedisLimiter(client, {GRAPH: 4.0}, {GRAPH: 1})
        await limiter.acquire(GRAPH, 4)
        waiting = asyncio.create_task(seconds_of(limiter, [1]))  # its slot is a second from now
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.restart)
        assert (await waiting)[0] >= 1.2  # it woke at its slot, found the bucket gone and queued anew


async def test_a_cancelled_waiter_leaves_the_queue_working(redis: Redis) -> None:
    limiter = RedisLimiter(redis, {GRAPH: 10.0}, {GRAPH: 1})
    waiting = asyncio.create_task(limiter.acquire(GRAPH, 2))
    await asyncio.sleep(0.02)
    waiting.cancel()
    assert (await seconds_of(limiter, [1]))[0] < 0.5


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        RedisLimiter(Redis(), {GRAPH: 0.0})
