"""`python -m sandbox`: run all simulators until told to stop, their addresses in `<folder>/addresses.json`."""

import argparse
import asyncio
import signal
from pathlib import Path

from sandbox.alone import simulating_one
from sandbox.together import Population, simulating, simulators, write_addresses


async def run(folder: Path, population: Population, seats: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with simulating(simulators(population, seats=seats), folder) as addresses:
        write_addresses(addresses, folder / "addresses.json")
        await stop.wait()


async def run_alone(name: str, folder: Path, population: Population, seats: int, *, port: int) -> None:
    """Serve one of them until SIGTERM or SIGINT; says where. Raises ValueError for a name that is none."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with simulating_one(name, simulators(population, seats=seats), folder, port=port) as variables:
        for variable, value in variables.items():
            print(
                f"Status page and control API: {value}" if variable == "status" else f"{variable}={value}", flush=True
            )
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".run/sandbox"))
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--preinscriptos", type=int, default=0)
    parser.add_argument("--aspirantes", type=int, default=0)
    parser.add_argument("--ingresantes", type=int, default=0)
    parser.add_argument("--seats", type=int, default=500)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    population = Population(given.seed, given.preinscriptos, given.aspirantes, given.ingresantes)
    asyncio.run(run(given.folder, population, given.seats))


if __name__ == "__main__":
    main()
