"""The scheduler process: one is active by an advisory lock, the others stand by and take over when it goes."""

import asyncio
from datetime import UTC, datetime

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from lucy.db import audit, schedules
from lucy.db.engine import Database
from lucy.domain.house import House
from lucy.errors import RetryLater
from lucy.flows.run_schedules import plan_schedules, run_due_schedules
from lucy.flows.send_nudges import send_nudges
from lucy.ports import Nudger
from workers.sweeper import sweep, tidy

log = structlog.get_logger(__name__)

TICK_S = 1.0
SEAL_EVERY = 3  # ticks
TIDY_EVERY = 600  # ticks


class Scheduler:
    """Watches the clock, sweeps, seals the audit. Everything it does is safe to do twice."""

    def __init__(self, db: Database, nudger: Nudger, house: House, *, tick_s: float = TICK_S) -> None:
        self._db, self._nudger, self._house, self._tick_s = db, nudger, house, tick_s

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A database that goes away is waited for."""
        while not stop.is_set():
            try:
                async with self._db.engine.connect() as connection:
                    connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    if await schedules.become_active(connection):
                        log.info("scheduler.active")
                        try:
                            await self._watch(connection, stop)
                        finally:  # back in the pool it would hold the lock on
                            await connection.invalidate()
            except (DBAPIError, OSError) as error:  # a cut connection comes as the plainest DBAPIError
                log.warning("scheduler.database_away", error=type(error).__name__)
            await _sleep(stop, self._tick_s)

    async def _watch(self, connection: AsyncConnection, stop: asyncio.Event) -> None:
        """Tick while the lock's connection lives."""
        async with self._db.transaction() as session:
            await plan_schedules(session, house=self._house, now=datetime.now(UTC))
        tick = 0
        while not stop.is_set():
            await connection.execute(text("select 1"))
            await self._tick(tick)
            tick += 1
            await _sleep(stop, self._tick_s)

    async def _tick(self, tick: int) -> None:
        async with self._db.transaction() as session:
            started = await run_due_schedules(session, house=self._house, now=datetime.now(UTC))
        for name in started:
            log.info("scheduler.started", schedule=name)
        try:
            await self._nudger.send(await sweep(self._db))
            await send_nudges(self._db, self._nudger)
        except RetryLater as error:
            log.warning("scheduler.queue_away", error=str(error))
        if tick % SEAL_EVERY == 0:
            await self._seal()
        if tick % TIDY_EVERY == 0:
            await tidy(self._db)

    async def _seal(self) -> None:
        """Chain the new audit events; when writers are busy the next tick tries again."""
        try:
            async with self._db.transaction() as session:
                await audit.seal_next(session, now=datetime.now(UTC))
        except DBAPIError as error:
            if "LockNotAvailable" not in repr(error.orig):
                raise
            log.info("scheduler.seal_postponed")


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, or wake at once when told to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
