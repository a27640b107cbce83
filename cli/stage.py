"""A whole Lucy on this machine: embedded servers, simulators, and the processes of production, each separate.

Used by `lucy demo`, `lucy up` and the end-to-end tests. Everything lives in one folder and ends with the block.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from lucy.db.engine import Database
from migrations.runner import migrate
from sandbox.processes import Process, http_probe, log_probe
from sandbox.servers import PostgresServer, ValkeyServer
from sandbox.servers.server import free_port
from sandbox.teams.directory import Directory, Person, example_directory
from sandbox.together import Addresses, Population

CHECKOUT = Path(__file__).parent.parent
DATABASE = "lucy"


@dataclass
class Stage:
    """What runs. `operator` asks, `approver` decides; both are administrators of this installation."""

    folder: Path
    addresses: Addresses
    env: dict[str, str]
    bot_url: str
    postgres: PostgresServer | None
    valkey: ValkeyServer | None
    directory: Directory = field(default_factory=example_directory)
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def operator(self) -> Person:
        return self.directory.people[0]

    @property
    def approver(self) -> Person:
        return self.directory.people[1]

    def database(self) -> Database:
        """A view of Lucy's own records, for whoever checks them."""
        return Database(self.env["LUCY_DATABASE_URL"], pool_size=2)

    async def start(self, name: str, command: str) -> Process:
        """Start one of our processes and wait until it is ready."""
        process = Process(
            name,
            [sys.executable, "-m", "cli", command],
            self.folder / "logs" / f"{name}.log",
            env=self.env,
            cwd=CHECKOUT,
        )
        self.processes[name] = process
        process.start()
        probe = http_probe(f"{self.bot_url}/readyz") if command == "bot" else log_probe(process, f'"{command}.ready"')
        await process.wait_ready(probe)
        return process


@asynccontextmanager
async def staged(
    folder: Path,
    population: Population,
    *,
    workers: int = 2,
    seats: int = 500,
    settings: Mapping[str, str] | None = None,
    durable: bool = True,
) -> AsyncIterator[Stage]:
    """Everything is up when the block begins and gone when it ends. `settings` are further `LUCY_…` variables.

    Where LUCY_DATABASE_URL or LUCY_REDIS_URL is set, that server is used instead of an embedded one.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        (postgres, database_url), (valkey, redis_url), addresses = await asyncio.gather(
            _postgres(stack, folder, durable=durable),
            _valkey(stack, folder),
            _sandbox(stack, folder, population, seats),
        )
        port = free_port()
        directory = example_directory()
        env = {name: value for name, value in os.environ.items() if not name.startswith("LUCY_")}
        env |= _environment(addresses, directory, database_url=database_url, redis_url=redis_url, bot_port=port)
        env |= dict(settings or {})
        stage = Stage(folder, addresses, env, f"http://127.0.0.1:{port}", postgres, valkey, directory)
        db = stage.database()
        await migrate(db.engine)
        await db.close()
        stack.push_async_callback(_stop_all, stage)
        names = {f"worker-{number}": "worker" for number in range(1, workers + 1)}
        names |= {"bot": "bot", "scheduler": "scheduler"}
        await asyncio.gather(*(stage.start(name, command) for name, command in names.items()))
        yield stage


def _environment(
    addresses: Addresses, directory: Directory, *, database_url: str, redis_url: str, bot_port: int
) -> dict[str, str]:
    people = directory.people
    return {
        "LUCY_MODE": "sandbox",
        "LUCY_DATABASE_URL": database_url,
        "LUCY_REDIS_URL": redis_url,
        "LUCY_SECRET_KEYS": Fernet.generate_key().decode(),
        "LUCY_ADMINS": f"{people[0].aad_object_id},{people[1].aad_object_id}",
        "LUCY_TENANT_ID": directory.tenant_id,
        "LUCY_ALLOWED_TEAMS": directory.team.id,
        "LUCY_BOT_PORT": str(bot_port),
        "LUCY_GRAPH_URL": addresses.graph_url,
        "LUCY_LOGIN_URL": addresses.login_url,
        "LUCY_GRAPH_TENANT_ID": addresses.tenant_id,
        "LUCY_GRAPH_CLIENT_ID": addresses.graph_client_id,
        "LUCY_GRAPH_CLIENT_SECRET": addresses.graph_client_secret,
        "LUCY_CA_FILE": addresses.ca_file,
        "LUCY_MOODLE_URL": addresses.moodle_url,
        "LUCY_MOODLE_TOKEN": addresses.moodle_token,
        "LUCY_SIAL_URL": addresses.sial_url,
        "LUCY_SIAL_USER": addresses.sial_user,
        "LUCY_SIAL_PASSWORD": addresses.sial_password,
        "LUCY_SMTP_HOST": addresses.smtp_host,
        "LUCY_SMTP_PORT": str(addresses.smtp_port),
        "LUCY_SMTP_SECURITY": "none",
        "LUCY_IMAP_HOST": addresses.imap_host,
        "LUCY_IMAP_PORT": str(addresses.imap_port),
        "LUCY_IMAP_SECURITY": "none",
        "LUCY_IMAP_USER": addresses.imap_user,
        "LUCY_IMAP_PASSWORD": addresses.imap_password,
        "LUCY_MAIL_RETURN": addresses.imap_user,
        "LUCY_MAIL_FROM": "Aula virtual FCE <aula.virtual@eco.unrc.edu.ar>",
        # The simulators bear more than the real services; Graph keeps its real pace unless told otherwise.
        "LUCY_RATE_SIAL": "6000",
        "LUCY_RATE_MAIL": "1200",
        "PYTHONUNBUFFERED": "1",
    }


async def _postgres(stack: AsyncExitStack, folder: Path, *, durable: bool) -> tuple[PostgresServer | None, str]:
    given = os.environ.get("LUCY_DATABASE_URL")
    if given:
        return None, given
    server = stack.enter_context(PostgresServer(folder / "postgres", durable=durable))
    await asyncio.to_thread(server.create_database, DATABASE)
    return server, server.url(DATABASE)


async def _valkey(stack: AsyncExitStack, folder: Path) -> tuple[ValkeyServer | None, str]:
    given = os.environ.get("LUCY_REDIS_URL")
    if given:
        return None, given
    server = stack.enter_context(ValkeyServer(folder / "valkey"))
    return server, server.url


async def _sandbox(stack: AsyncExitStack, folder: Path, population: Population, seats: int) -> Addresses:
    place = folder / "sandbox"
    command = [sys.executable, "-m", "sandbox", "--folder", str(place), "--seats", str(seats)]
    for name in ("seed", "preinscriptos", "aspirantes", "ingresantes"):
        command += [f"--{name}", str(getattr(population, name))]
    process = Process("sandbox", command, folder / "logs" / "sandbox.log", cwd=CHECKOUT)
    written = place / "addresses.json"
    written.unlink(missing_ok=True)

    async def ready() -> bool:
        return written.exists()

    process.start()
    stack.push_async_callback(process.stop)
    await process.wait_ready(ready)
    return Addresses(**json.loads(written.read_text()))


async def _stop_all(stage: Stage) -> None:
    await asyncio.gather(*(process.stop() for process in stage.processes.values()))
