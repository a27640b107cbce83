"""What a test does with a whole house of processes: people write, processes and servers are killed, faults wait.

The house stays up from one test to the next, as a real one does; each test has students, a batch and workers of its own
and finds the simulators empty.
"""

import asyncio
import io
import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from sqlalchemy import text

from cli.demo.conversation import Conversation, Entry, find_action
from cli.stage import CHECKOUT, Stage
from connectors.http import trust
from lucy.db.engine import Database
from sandbox.processes import Process, http_probe, log_probe
from sandbox.servers.server import free_port
from sandbox.teams.people import Activity, Scene
from tests.e2e.faults.ledger import Ledger
from tests.integration.support.people import Known, students

PATIENCE_S = 60.0
_cohorts = itertools.count(2031)  # one for each test's students: what their batch is asked for by


async def until(true: Callable[[], Awaitable[object]], what: str, *, patience_s: float = PATIENCE_S) -> None:
    """Look until it is so; the test fails with `what` when it does not come about."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while not await true():
        assert asyncio.get_running_loop().time() < deadline, f"waited {patience_s:g} s for {what}"
        await asyncio.sleep(0.05)


@dataclass
class Stagehand:
    stage: Stage
    db: Database
    http: httpx.AsyncClient
    folder: Path
    cohort: int = 0

    def __post_init__(self) -> None:
        stage = self.stage
        self.scene = Scene(stage.directory, stage.directory.team.channels[1], stage.addresses.teams_url)
        quiet = Console(file=io.StringIO())
        self.talk = Conversation(self.scene, stage.bot_url, stage.addresses.teams_url, self.http, quiet, self.folder)
        self.ledger = Ledger(self.db, stage.addresses, self.http)

    # People

    async def students(self, many: int) -> list[Known]:
        return await students(self.db, many, cohort=self.cohort)

    async def requested(self) -> tuple[int, Entry]:
        """The operator asks for this test's students; returns the batch's number and its card."""
        card = await self.talk.says(self.stage.operator, f"activar aspirantes cohorte:{self.cohort}")
        return int(str(card["summary"]).partition(" ")[0].removeprefix("L-")), card

    async def approved(self) -> int:
        """The approver presses the button."""
        number, card = await self.requested()
        await self.talk.presses(self.stage.approver, card, "Aprobar")
        return number

    def press(self, card: Entry, person: Any, title: str = "Aprobar") -> Activity:
        """The activity of a press, to be posted as often as the test likes."""
        action = find_action(card["card"], title)
        thread = card["conversation"].partition(";messageid=")[2] or None
        return self.scene.card_action(
            person, verb=action["verb"], data=action["data"], card_activity_id=card["activity_id"], thread=thread
        )

    async def post(self, activity: Mapping[str, Any], *, url: str | None = None) -> httpx.Response:
        return await self.http.post(f"{url or self.stage.bot_url}/api/messages", json=activity)

    async def transcript(self) -> list[Entry]:
        """All that was posted to Teams."""
        answer = await self.http.get(f"{self.stage.addresses.teams_url}/_control/transcript", params={"since": 0})
        entries: list[Entry] = answer.json()["entries"]
        return entries

    # What is so

    async def scalar(self, statement: str, **values: object) -> Any:
        async with self.db.transaction() as session:
            return await session.scalar(text(statement), values)

    async def accounts(self) -> int:
        """How many of this test's students have an account, as Lucy knows."""
        statement = "select count(*) from account join student on student.id = student_id where cohort = :cohort"
        return int(await self.scalar(statement, cohort=self.cohort))

    async def some_accounts(self, many: int) -> None:
        async def made() -> bool:
            return await self.accounts() >= many

        await until(made, f"{many} accounts")

    async def finished(self, number: int, *, patience_s: float = PATIENCE_S) -> None:
        async def ended() -> bool:
            return await self.scalar("select finished_at from batch where id = :id", id=number) is not None

        await until(ended, f"the end of batch {number}", patience_s=patience_s)
        await self.told(f"L-{number:04d}")

    async def told(self, code: str) -> None:
        """The card in the channel says that it is over."""
        await self.talk.wait_for(
            lambda entry: entry["summary"].startswith(code) and "Terminada" in entry["summary"], f"{code}'s last card"
        )

    # Processes

    async def worker(self, name: str = "worker-1") -> Process:
        return await self.stage.start(name, "worker")

    async def workers(self, many: int) -> None:
        await asyncio.gather(*(self.worker(f"worker-{number}") for number in range(1, many + 1)))

    async def host(self, boundary: str, deaths: Sequence[str]) -> Process:
        """The host of `dying_worker`."""
        module = "tests.e2e.faults.dying_worker"
        process = self._process("host", ["-m", module, boundary, *deaths], {})
        process.start()
        await process.wait_ready(log_probe(process, '"host.ready"'))
        return process

    async def second_bot(self) -> str:
        """Another bot behind the same proxy; returns its address."""
        port = free_port()
        process = self._process("bot-2", ["-m", "cli", "bot"], {"LUCY_BOT_PORT": str(port)})
        process.start()
        await process.wait_ready(http_probe(f"http://127.0.0.1:{port}/readyz"))
        return f"http://127.0.0.1:{port}"

    def _process(self, name: str, arguments: Sequence[str], settings: Mapping[str, str]) -> Process:
        log = self.stage.folder / "logs" / f"{name}.log"
        process = Process(name, [sys.executable, *arguments], log, env=self.stage.env | dict(settings), cwd=CHECKOUT)
        self.stage.processes[name] = process
        return process

    # Simulators

    async def fault(self, system: str, **fault: Any) -> None:
        (await self.http.post(f"{self._control(system)}/_control/faults", json=fault)).raise_for_status()

    async def hold_a_claim(self, seconds: float = 4.0) -> None:
        """Of 40 accounts Graph makes 20 at once and takes its time over the others: somebody has them in hand."""
        await self.fault("graph", match="POST /users", action="delay", delay_s=seconds, after=20, times=20)

    async def calls(self, system: str, match: str) -> list[dict[str, Any]]:
        answer = await self.http.get(self.calls_url(system, match))
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def calls_url(self, system: str, match: str) -> str:
        return str(httpx.URL(f"{self._control(system)}/_control/calls", params={"match": match}))

    def _control(self, system: str) -> str:
        addresses = self.stage.addresses
        return {
            "graph": addresses.login_url,
            "moodle": addresses.moodle_url,
            "inbox": addresses.inbox_url,
            "sial": addresses.sial_url,
        }[system]

    # Between tests

    async def begin(self) -> None:
        """Servers, bot and scheduler run, and nobody else; the simulators hold nothing."""
        stage = self.stage
        for name in [name for name in stage.processes if name not in ("bot", "scheduler")]:
            stage.processes.pop(name).kill()
        for server in (stage.postgres, stage.valkey):
            assert server is not None
            await asyncio.to_thread(server.start)
        dead = [
            name for name in ("bot", "scheduler") if name not in stage.processes or not stage.processes[name].running
        ]
        await asyncio.gather(*(stage.start(name, name) for name in dead))
        await self._abandon()
        await self.begin_with_others()

    async def begin_with_others(self) -> None:
        """Students that nobody has seen, simulators that hold nothing."""
        self.cohort = next(_cohorts)
        for system in ("graph", "moodle", "inbox", "sial"):
            (await self.http.post(f"{self._control(system)}/_control/reset")).raise_for_status()

    async def _abandon(self) -> None:
        """A batch that a failed test has left is nobody's business any more."""
        async with self.db.transaction() as session:
            open_steps = "batch_id in (select id from batch where finished_at is null)"
            for statement in (
                f"update step set state = 'cancelled', lease_id = '' where closed_at is null and {open_steps}",
                "update batch set state = 'cancelled', finished_at = now() where finished_at is null",
            ):
                await session.execute(text(statement))


@asynccontextmanager
async def stagehand(stage: Stage, folder: Path) -> AsyncIterator[Stagehand]:
    db = stage.database()
    try:
        async with httpx.AsyncClient(verify=trust(Path(stage.addresses.ca_file)), trust_env=False, timeout=30) as http:
            hand = Stagehand(stage, db, http, folder)
            await hand.begin()
            yield hand
    finally:
        await db.close()
