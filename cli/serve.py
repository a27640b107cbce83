"""The three processes of production, each until SIGTERM or SIGINT."""

import asyncio
import signal
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from bot.app import build_app, serving
from bot.downloads import download_routes
from bot.handler import LucyHandler
from bot.letter_pages import letter_routes
from connectors.nudges import RedisNudger, make_broker
from lucy.db.engine import Database
from lucy.settings import Settings
from migrations.runner import is_current
from workers.broker import run_worker
from workers.scheduler import Scheduler

log = structlog.get_logger(__name__)


def worker(settings: Settings) -> None:
    run_worker(settings)


async def bot(settings: Settings) -> None:
    """Answer Teams."""
    db = Database(settings.database_url)
    broker = make_broker(settings.redis_url)
    handler = LucyHandler(settings, db, RedisNudger(broker), clock=_now)
    routes = [*download_routes(db, settings.house(), clock=_now), *letter_routes(db, clock=_now)]

    async def readiness() -> Mapping[str, str]:
        problems: dict[str, str] = {}
        try:
            if not await is_current(db.engine):
                problems["migrations"] = "the database is not at this version's schema: lucy migrate"
        except OSError as error:
            problems["database"] = type(error).__name__
        try:
            await asyncio.to_thread(broker.client.ping)
        except OSError as error:
            problems["queue"] = type(error).__name__
        return problems

    try:
        async with serving(settings, build_app(settings, handler, readiness, routes=routes)) as listening:
            log.info("bot.ready", host=listening.host, port=listening.port)
            await stopped().wait()
    finally:
        await db.close()
        broker.close()


async def scheduler(settings: Settings) -> None:
    """Watch the clock and sweep."""
    db = Database(settings.database_url, pool_size=4)
    broker = make_broker(settings.redis_url)
    stop = stopped()
    log.info("scheduler.ready")
    try:
        await Scheduler(db, RedisNudger(broker), settings.house()).run(stop)
    finally:
        await db.close()
        broker.close()


def _now() -> datetime:
    return datetime.now(UTC)


def stopped() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
