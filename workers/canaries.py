"""Search this installation for secrets where none may be: its database, its Redis, its metrics, its environment."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog
from prometheus_client import generate_latest

from connectors.redis_texts import redis_texts
from lucy.flows.find_secrets import (
    Leak,
    Search,
    record_search,
    search_database,
    search_environment,
    search_texts,
    secrets_of,
)
from workers.runtime import Runtime

log = structlog.get_logger(__name__)


async def search_house(runtime: Runtime) -> tuple[int, list[Leak]]:
    """How many kinds of secrets were searched for, and where some were found; the audit keeps both."""
    async with runtime.db.transaction() as session:
        passwords = await secrets_of(session, runtime.sealer)
    settings = {
        part.strip(): f"LUCY_{name.upper()}"
        for name, value in runtime.settings.secrets().items()
        for part in value.split(",")
        if part.strip()
    }
    everything = Search(settings | passwords)
    leaks = [
        *await search_database(runtime.db, everything),
        *await search_texts(redis_texts(runtime.redis_client), everything),
        *await search_texts(_metrics(), everything),
        *search_environment(os.environ, Search(passwords)),
    ]
    async with runtime.db.transaction() as session:
        await record_search(session, leaks, searched=everything.size, now=datetime.now(UTC))
    for leak in leaks:
        log.error("secrets.found", where=leak.where, what=leak.what)
    return everything.size, leaks


async def _metrics() -> AsyncIterator[tuple[str, str]]:
    yield "metrics", generate_latest().decode()
