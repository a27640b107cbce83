"""`lucy check`: try every outside system with one harmless question, and say what to mend."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from rich.console import Console

from lucy.domain.error_codes import explain
from lucy.domain.students import SourceList
from lucy.errors import RemoteError
from lucy.settings import Settings
from migrations.runner import is_current
from workers.runtime import Runtime


async def check_all(settings: Settings) -> bool:
    """Prints one line for each system; False when one of them has a problem."""
    console = Console()
    runtime = await Runtime.open(settings)
    try:
        asked: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("PostgreSQL", lambda: _database(runtime)),
            ("Graph", lambda: _graph(runtime)),
            ("Moodle", lambda: _moodle(runtime)),
            ("SIAL", lambda: _sial(runtime)),
        ]
        well = True
        for name, ask in asked:
            try:
                console.print(f"[bold]{name}[/bold]: {await ask()}")
            except RemoteError as error:
                well = False
                console.print(f"[bold]{name}[/bold]: {error.code}. {explain(error.code)} ({error})", markup=True)
    finally:
        await runtime.close()
    return well


async def _database(runtime: Runtime) -> str:
    current = await is_current(runtime.db.engine)
    return "ok, newest schema" if current else "reached, but not at the newest schema: lucy migrate"


async def _graph(runtime: Runtime) -> str:
    seats = await runtime.directory.licence_seats(runtime.house.licence_sku)
    return f"ok, {seats.free} of {seats.enabled} seats of {seats.part_number} are free"


async def _moodle(runtime: Runtime) -> str:
    await runtime.moodle.find_courses(["lucy-check"])
    return "ok, the token is accepted"


async def _sial(runtime: Runtime) -> str:
    async with aclosing(runtime.records.entries(SourceList.ASPIRANTES)) as entries:  # type: ignore[type-var]
        async for _entry in entries:
            return "ok, the list of aspirantes answers"
    return "ok, the list of aspirantes is empty"
