"""`lucy up`: the stage of the demo, left running until Ctrl-C."""

import asyncio
import shutil
import time

from cli.serve import stopped
from cli.stage import CHECKOUT, staged
from sandbox.together import Population


async def run_up() -> None:
    """Start everything, say where it listens, and leave nothing behind at the end."""
    folder = CHECKOUT / ".run" / f"up-{int(time.time() * 1000)}"
    population = Population(preinscriptos=24, aspirantes=84, ingresantes=12)
    stop = stopped()
    print("Levantando PostgreSQL, Valkey, los simuladores, el bot, dos workers y el scheduler…")
    try:
        async with staged(folder, population) as stage:
            print(f"El bot escucha en {stage.bot_url}/api/messages (actividades de Bot Framework, sin firma).")
            print(f"Lo que publica se lee en {stage.addresses.teams_url}/_control/transcript")
            print("Ctrl-C termina todo.")
            await stop.wait()
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
