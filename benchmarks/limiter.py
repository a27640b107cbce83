"""How exactly the shared limiter keeps its rate: four processes contend for one bucket on an embedded Valkey.

Prints, for each case, the sustained rate over the setting, the most that fell into one second, and the most that a
window of any length held over the rate, against what it may. The targets: within 2 %; never over by more than the
burst (or one dearer request), but for the milliseconds by which a sleeper wakes late.
"""

import asyncio
import multiprocessing
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.asyncio import Redis

from connectors.limits import RedisLimiter
from lucy.errors import System
from sandbox.servers import ValkeyServer

PROCESSES = 4

Grants = list[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Case:
    """`costs` are what each process asks for, in turn."""

    name: str
    rate: float
    burst: int
    costs: tuple[int, ...]
    seconds: float


CASES = (
    Case("Graph, $batch of 20", 10.0, 10, (20,), 20.0),
    Case("Graph, batches and single calls", 10.0, 10, (20, 1, 5, 1), 20.0),
    Case("Moodle", 30.0, 30, (1,), 10.0),
    Case("SIAL, 60 a minute", 1.0, 1, (1,), 15.0),
    Case("quotas lifted", 500.0, 500, (20,), 10.0),
)


async def contend(url: str, case: Case, run: str) -> Grants:
    """One process: ask again as soon as it is let through. Returns when each of its requests might be sent."""
    grants: Grants = []
    async with Redis.from_url(url) as redis:
        limiter = RedisLimiter(redis, {System.GRAPH: case.rate}, {System.GRAPH: case.burst}, prefix=run)
        await redis.incr(f"{run}:ready")
        while int(await redis.get(f"{run}:ready") or 0) < PROCESSES:  # noqa: ASYNC110 - others' processes, no event
            await asyncio.sleep(0.01)
        ends_at = time.time() + case.seconds
        for cost in cycle(case.costs):
            await limiter.acquire(System.GRAPH, cost)
            now = time.time()
            if now > ends_at:
                break
            grants.append((now, cost))
    return grants


def worker(url: str, case: Case, run: str) -> Grants:
    return asyncio.run(contend(url, case, run))


def sustained(grants: Grants, case: Case) -> float:
    """The rate over the setting. A dear request is paid after it went out, a cheap one before."""
    paid = sum(min(cost, case.burst) for _, cost in grants[1:]) + sum(
        max(cost - case.burst, 0) for _, cost in grants[:-1]
    )
    return paid / (grants[-1][0] - grants[0][0]) / case.rate


def busiest_second(grants: Grants) -> int:
    return max(sum(cost for at, cost in grants if start <= at < start + 1.0) for start, _ in grants)


def most_over(grants: Grants, case: Case) -> float:
    """What the fullest window of any length held beyond `rate` times its length; the burst is what it may hold."""
    most = emptiest = 0.0
    paid = 0
    for number, (at, cost) in enumerate(grants):
        before = paid - case.rate * (at - grants[0][0])
        emptiest = before if number == 0 else min(emptiest, before)
        paid += cost
        most = max(most, before + cost - emptiest)
    return most


def measure(url: str, case: Case) -> Grants:
    """Every grant of all processes, in the order of time."""
    run = f"bench:{uuid.uuid4()}"
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        workers = [pool.submit(worker, url, case, run) for _ in range(PROCESSES)]
        return sorted(grant for one in workers for grant in one.result())


def main() -> None:
    with TemporaryDirectory() as folder, ValkeyServer(Path(folder)) as server:
        print(
            f"{'case':34} {'rate/s':>7} {'grants':>7} {'sustained':>10} {'busiest second':>15} {'over':>7} {'may':>5}"
        )
        for case in CASES:
            grants = measure(server.url, case)
            numbers = f"{len(grants):7} {sustained(grants, case):10.4f} {busiest_second(grants):15}"
            may = max(case.burst, *case.costs)
            print(f"{case.name:34} {case.rate:7.1f} {numbers} {most_over(grants, case):7.1f} {may:5}")


if __name__ == "__main__":
    main()
