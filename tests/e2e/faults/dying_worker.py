"""A host of workers: each is killed by SIGKILL at one boundary of one lane, the next takes over, the last one lives.

    python -m tests.e2e.faults.dying_worker <boundary> <lane>:<n>:<calls url> …

The product has no hooks for this: the workers are the real ones, and only the lane that a worker is to die in is
wrapped. Lanes that it does not need wait, so that the worker dies with nothing else under way outside.
`claimed`: the claim is committed, nothing was asked for. `calling`: the n-th call is on the wire (the simulator tells).
`called`: the n-th outcome is known and not recorded.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn

import httpx
from dramatiq import Broker, Worker
from dramatiq.middleware import AsyncIO, ShutdownNotifications, TimeLimit
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.http import trust
from connectors.nudges import make_broker
from lucy.domain.operations import NEEDS, StepKind
from lucy.flows.lanes.base import Lane, Outcome
from lucy.log import configure_logging
from lucy.settings import Settings
from workers.actors.declare import declare_actors
from workers.broker import THREADS, OpenRuntime, run_worker

LEASE_S = 3.0  # of those that die; their students come back soon
LOOK_EVERY_S = 0.01


class Boundary(StrEnum):
    CLAIMED = "claimed"
    CALLING = "calling"
    CALLED = "called"


@dataclass(frozen=True)
class Death:
    """Where one worker ends. `calls`: where its simulator tells the calls of the lane."""

    boundary: Boundary
    lane: StepKind
    nth: int
    calls: str

    @classmethod
    def parse(cls, boundary: str, sent: str) -> "Death":
        lane, nth, calls = sent.split(":", 2)
        return cls(Boundary(boundary), StepKind(lane), int(nth), calls)


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed")


class Wrapped(Lane[Any]):
    """A lane that does all that another one does, until its worker is to end."""

    def __init__(self, lane: Lane[Any]) -> None:
        self._lane = lane
        self.kind, self.system, self.size = lane.kind, lane.system, lane.size  # type: ignore[misc]

    async def prepare(self, session: AsyncSession, claimed: Sequence[Any], *, now: datetime) -> Any:
        return await self._lane.prepare(session, claimed, now=now)

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        await self._lane.store(session, outcomes, now=now)


class Waiting(Wrapped):
    """Claims, and asks nothing of the outside."""

    async def perform(self, work: Any) -> AsyncIterator[Sequence[Outcome]]:
        await asyncio.Event().wait()
        yield []


class Dying(Wrapped):
    def __init__(self, lane: Lane[Any], death: Death, settings: Settings) -> None:
        super().__init__(lane)
        self._death, self._settings = death, settings

    async def perform(self, work: Any) -> AsyncIterator[Sequence[Outcome]]:
        if self._death.boundary is Boundary.CLAIMED:
            die()
        watching = asyncio.ensure_future(self._watch()) if self._death.boundary is Boundary.CALLING else None
        known = 0
        async for outcomes in self._lane.perform(work):
            known += 1
            if self._death.boundary is Boundary.CALLED and known == self._death.nth:
                die()
            yield outcomes
        raise AssertionError(f"this worker outlived its lane {watching}")

    async def _watch(self) -> None:
        async with httpx.AsyncClient(verify=trust(self._settings.ca_file), trust_env=False) as http:
            while len((await http.get(self._death.calls)).json()) < self._death.nth:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)
        die()


class DyingRuntime(OpenRuntime):
    """A runtime whose lanes are the real ones up to the one in which the worker dies."""

    def __init__(self, settings: Settings, death: Death) -> None:
        super().__init__(settings)
        self._death = death

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        super().before_worker_boot(broker, worker)
        assert self._runtime is not None
        lanes = self._runtime.lanes
        dying = Dying(lanes[self._death.lane], self._death, self._settings)
        for kind in set(lanes) - needed(self._death.lane):
            lanes[kind] = Waiting(lanes[kind])
        lanes[self._death.lane] = dying


def needed(lane: StepKind) -> set[StepKind]:
    """The lanes that must work so that this one has work."""
    direct = set(NEEDS[lane])
    return direct.union(*(needed(one) for one in direct))


def run_dying_worker(settings: Settings, death: Death) -> None:
    """As `workers.broker.run_worker`, with the runtime above; never returns."""
    opener = DyingRuntime(settings, death)
    broker = make_broker(settings.redis_url, [TimeLimit(), ShutdownNotifications(), AsyncIO(), opener])
    declare_actors(broker, opener.actors)
    worker = Worker(broker, worker_threads=THREADS)
    broker.emit_after("process_boot")
    worker.start()
    threading.Event().wait()


def main() -> None:
    configure_logging()
    settings = Settings.load()
    deaths = [Death.parse(sys.argv[1], sent) for sent in sys.argv[2:]]
    print('{"event": "host.ready"}', flush=True)
    for death in deaths:
        pid = os.fork()  # so early that there are no threads; everything is imported already
        if pid == 0:
            run_dying_worker(settings.model_copy(update={"lease_s": LEASE_S}), death)
        _pid, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"the worker that was to die in {death.lane} ended otherwise: {status}")
        print(f'{{"event": "host.died", "lane": "{death.lane.value}"}}', flush=True)
    run_worker(settings)


if __name__ == "__main__":
    main()
