"""`lucy demo`: set the stage, play the story, hold every student against what the simulators received."""

import asyncio
import shutil
import signal
import ssl
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from cli.demo.conversation import DemoFailed
from cli.demo.expected import wanted_aspirantes
from cli.demo.story import Story
from cli.demo.verify import Verdict, verify
from cli.stage import CHECKOUT, Stage, staged
from sandbox.processes import ProcessFailed
from sandbox.servers import ServerFailed
from sandbox.together import Population

SETTINGS = {"LUCY_LEASE_S": "6"}  # a killed worker's students come back soon enough to be watched


async def run_demo(students: int) -> int:
    """0 only when every student ended right; 130 when it was interrupted."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, interrupted.set)
    playing = asyncio.ensure_future(_play(students))
    waiting = asyncio.ensure_future(interrupted.wait())
    await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not playing.done():
        playing.cancel()
        await asyncio.wait({playing})
        return 130
    return playing.result()


async def _play(students: int) -> int:
    console = Console(soft_wrap=True, highlight=False)
    folder = CHECKOUT / ".run" / f"demo-{int(time.time() * 1000)}"
    cards = CHECKOUT / "build" / "demo"
    await asyncio.to_thread(_fresh, cards)
    population = Population(
        preinscriptos=students // 5, ingresantes=students // 10, aspirantes=students - students // 5 - students // 10
    )
    started = time.monotonic()
    console.print("Levantando PostgreSQL, Valkey, los simuladores, el bot, dos workers y el scheduler…", style="dim")
    try:
        async with staged(folder, population, settings=SETTINGS) as stage:
            console.print(f"Listo en {time.monotonic() - started:.1f} s.", style="dim")
            verdict = await _tell(stage, population, console, cards)
    except asyncio.CancelledError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except (DemoFailed, ProcessFailed, ServerFailed) as error:
        console.print(f"\nLa demostración falló: {error}", style="bold red")
        console.print(f"Los registros de cada proceso quedaron en {folder / 'logs'}.")
        return 1
    show(verdict, console)
    console.print(f"Duró {time.monotonic() - started:.0f} s. Las tarjetas están en {cards.relative_to(CHECKOUT)}/.")
    if not verdict.well:
        console.print(f"Los registros de cada proceso quedaron en {folder / 'logs'}.")
        return 1
    await asyncio.to_thread(shutil.rmtree, folder)
    return 0


async def _tell(stage: Stage, population: Population, console: Console, cards: Path) -> Verdict:
    trust = ssl.create_default_context(cafile=stage.addresses.ca_file)
    async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=30) as http:
        data = population.people()
        wanted = wanted_aspirantes(data)
        await Story(stage, http, console, cards, wanted).play()
        held = len({one.document for one in data.unusable("aspirantes")})
        return await verify(stage.addresses, http, wanted, held=held)


def show(verdict: Verdict, console: Console) -> None:
    """The summary, and what went wrong with whom."""
    table = Table(title="Lo que recibieron los simuladores")
    for name in ("", "pedidas", "hechas", "apartadas en SIAL", "mal"):
        table.add_column(name, justify="left" if not name else "right")
    for count in verdict.counts:
        table.add_row(count.name, str(count.wanted), str(count.done), str(count.held), str(count.failed))
    console.print()
    console.print(table)
    for line in verdict.wrong[:40]:
        console.print(f"MAL: {line}", style="red")
    console.print(
        "Todos los alumnos terminaron bien." if verdict.well else "Hay alumnos que no terminaron bien.",
        style="bold green" if verdict.well else "bold red",
    )


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
