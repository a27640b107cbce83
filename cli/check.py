"""`lucy check`: try every part of the house with harmless questions, and say what to mend."""

import redis.asyncio as redis
from redis.exceptions import RedisError
from rich.console import Console

from lucy.db import rules
from lucy.flows.check_house import Finding, check_house
from lucy.settings import Settings
from migrations.runner import is_current
from workers.canaries import search_house
from workers.runtime import Runtime


async def check_all(settings: Settings, console: Console | None = None) -> bool:
    """Prints a line for each finding; False when something has to be mended."""
    console = console or Console()
    well = True
    runtime = await Runtime.open(settings)
    try:
        for finding in (await _database(runtime), await _queue(settings)):
            well &= _tell(console, finding)
        async with runtime.db.transaction() as session:
            courses = sorted({rule.course for rule in await rules.course_rules(session)})
        async for finding in check_house(
            runtime.directory,
            runtime.moodle_sites,
            runtime.records,
            runtime.mailer,
            runtime.returns,
            courses=courses,
            house=runtime.house,
        ):
            well &= _tell(console, finding)
    finally:
        await runtime.close()
    return well


async def check_canaries(settings: Settings, console: Console | None = None) -> bool:
    """Search for secrets where none may be; False when one was found."""
    console = console or Console()
    runtime = await Runtime.open(settings)
    try:
        searched, leaks = await search_house(runtime)
    finally:
        await runtime.close()
    for leak in leaks:
        _tell(
            console, Finding(leak.where, False, f"holds a secret ({leak.what}): change it, and find out who wrote it")
        )
    if not leaks:
        _tell(console, Finding("Secrets", True, f"{searched} kinds searched for in PostgreSQL, Redis and here"))
    return not leaks


def _tell(console: Console, finding: Finding) -> bool:
    mark = "[green]ok[/green]" if finding.good else "[red]to mend[/red]"
    console.print(f"[bold]{finding.what}[/bold]: {mark}: ", end="")
    console.print(finding.text, markup=False, highlight=False, soft_wrap=True)
    return finding.good


async def _database(runtime: Runtime) -> Finding:
    if await is_current(runtime.db.engine):
        return Finding("PostgreSQL", True, "newest schema")
    return Finding("PostgreSQL", False, "reached, but not at the newest schema: lucy migrate")


async def _queue(settings: Settings) -> Finding:
    client = redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5)
    try:
        await client.ping()
    except RedisError as error:
        return Finding("Redis", False, f"G-007. It cannot be reached ({type(error).__name__}): LUCY_REDIS_URL")
    finally:
        await client.aclose()
    return Finding("Redis", True, "answers")
