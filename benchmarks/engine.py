"""How fast students are activated when no quota binds, and what planning a large batch costs.

500 students with three courses each, 60 ms for every call of the simulators (which run in a process of their own): the
real lanes of one worker against a worker that makes one call per student and step over the same clients, writes nothing
down and looks up nothing twice; that one is run for fewer students and reckoned up. Then 5,000 students asked for and
begun. Prints seconds, their ratio, and the most memory that was added. The target: a ratio of 10 at least.
"""

import asyncio
import logging
import resource
import statistics
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import redis.asyncio as redis
import structlog
from cryptography.fernet import Fernet
from sqlalchemy import text

from connectors.graph.client import GraphDirectory
from connectors.http import build_http_client, trust
from connectors.moodle.client import MoodleSite
from connectors.smtp.client import SmtpMailer
from lucy.db import rules, steps
from lucy.db.engine import Database
from lucy.domain.audit import Actor
from lucy.domain.course_rules import CourseRule
from lucy.domain.letter_texts import DEFAULTS
from lucy.domain.letters import LetterName, message_id, render
from lucy.domain.nudges import Nudge
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.passwords import make_password
from lucy.domain.plans import upn_for
from lucy.domain.selections import parse_selection
from lucy.errors import RemoteError
from lucy.flows.decide_batch import Declined, approve_batch
from lucy.flows.request_batch import NobodyMatches, Requester, request_batch
from lucy.flows.run_batch import start_batch
from lucy.flows.send_nudges import send_nudges
from lucy.ports import EnrolmentRequest, Letter, LicenceRequest, NewAccount, NewMoodleUser
from lucy.settings import Settings
from migrations.runner import migrate
from sandbox.processes import Process, running
from sandbox.servers import PostgresServer, ValkeyServer
from workers.lanes import LaneEngine
from workers.runtime import Runtime

STUDENTS, NAIVE_STUDENTS, PLANNED = 500, 25, 5000
COURSES = ("INGRESO-2026", "CONT-1", "ADM-1")
LATENCY_S = 0.06
ROUNDS = 3
LIFTED = {"rate_graph": 5000, "rate_moodle": 5000, "rate_sial": 300_000, "rate_mail": 300_000}
ANA, BRUNO = Actor("ana", "Ana"), Actor("bruno", "Bruno")
SELECTION = "aspirantes"

_STUDENTS = """
    insert into student (document_type, document_number, first_name, last_name, personal_email, stage, first_seen_at,
                         last_seen_at, changed_at)
    select 'DNI', (40000000 + n)::text, 'Ana', 'Etchegaray ' || translate(n::text, '0123456789', 'abcdefghij'),
           'ana.' || n || '@example.com', 'aspirante', now(), now(), now()
    from generate_series(1, :many) n
"""


class LocalNudges:
    """`lucy.ports.Nudger` without a queue: each nudge becomes a task, as a worker's threads would take it."""

    def __init__(self) -> None:
        self.engine: LaneEngine | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def send(self, nudges: Sequence[Nudge]) -> None:
        for nudge in nudges:
            if nudge.actor == "run_lane" and self.engine is not None:
                task = asyncio.create_task(self.engine.run(StepKind(nudge.args[0])))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    async def idle(self) -> None:
        while self.tasks:
            await asyncio.gather(*self.tasks)


# The house


@asynccontextmanager
async def outside(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """Fresh simulators in a process of their own, slow and without quotas; yields their addresses."""
    written = folder / "addresses.json"

    async def ready() -> bool:
        return written.exists()

    command = [sys.executable, "-m", "sandbox", "--folder", str(folder), "--seats", "20000"]
    async with running(Process("sandbox", command, folder / "log.txt"), ready=ready):
        addresses = loads(written.read_text())
        verify = trust(Path(addresses["ca_file"]))
        async with httpx.AsyncClient(verify=verify, trust_env=False) as http:

            async def tell(root: str, path: str, value: object) -> None:
                answer = await http.post(f"{root}/_control/{path}", json=value)
                answer.raise_for_status()

            await tell(addresses["login_url"], "seed", {"latency_s": LATENCY_S, "writes_per_window": 1_000_000})
            await tell(addresses["moodle_url"], "seed", {"site": {"latency_s": LATENCY_S}})
            slow_letter = {"match": "DATA", "action": "delay", "delay_s": LATENCY_S}
            await tell(addresses["inbox_url"], "faults", slow_letter)
        yield addresses


def settings_of(addresses: dict[str, Any], database_url: str, redis_url: str) -> Settings:
    names = set(Settings.model_fields) & set(addresses)
    values: dict[str, Any] = {
        **{name: addresses[name] for name in names - {"tenant_id"}},
        "mode": "sandbox",
        "database_url": database_url,
        "redis_url": redis_url,
        "secret_keys": Fernet.generate_key().decode(),
        "admins": "carla",
        "graph_tenant_id": addresses["tenant_id"],
        "smtp_security": "none",
        "mail_from": "Aula virtual <aula@example.edu>",
        **LIFTED,
    }
    return Settings(**values)


async def fill(db: Database, many: int) -> None:
    async with db.transaction() as session:
        await session.execute(text(_STUDENTS), {"many": many})
        every = [CourseRule(0, course, frozenset(), frozenset(), frozenset()) for course in COURSES]
        await rules.replace_course_rules(session, every)
        await session.execute(
            text(
                "insert into config_entry (key, version, value, changed_by, changed_by_name, changed_at)"
                " values ('umbral.activar', 1, '\"nunca\"', 'bench', 'Bench', now())"
            )
        )


async def asked_for(runtime: Runtime, options: BatchOptions) -> int:
    async with runtime.db.transaction() as session:
        batch = await request_batch(
            session,
            BatchKind.ACTIVATE,
            parse_selection(SELECTION, today=datetime.now(UTC).date()),
            options=options,
            requester=Requester(ANA),
            house=runtime.house,
            now=datetime.now(UTC),
        )
        assert not isinstance(batch, NobodyMatches)
        return batch.id


async def approved(runtime: Runtime, number: int) -> None:
    async with runtime.db.transaction() as session:
        done = await approve_batch(
            session, number, actor=BRUNO, version=None, house=runtime.house, now=datetime.now(UTC)
        )
        assert not isinstance(done, Declined), done


async def begun(runtime: Runtime, number: int) -> None:
    async with runtime.db.transaction() as session:
        assert await start_batch(session, number, house=runtime.house, now=datetime.now(UTC))


# The two workers


async def by_lanes(runtime: Runtime, options: BatchOptions) -> float:
    """Seconds from the start of an approved batch to its end."""
    nudges = LocalNudges()
    engine = LaneEngine(
        runtime.db, runtime.limiter, nudges, runtime.lanes, house=runtime.house, lease_s=runtime.house.lease_s
    )
    number = await asked_for(runtime, options)
    await approved(runtime, number)
    started = time.perf_counter()
    await begun(runtime, number)
    nudges.engine = engine
    await nudges.send([Nudge("run_lane", (kind.value,)) for kind in runtime.lanes])
    await nudges.idle()
    await send_nudges(runtime.db, nudges)
    await nudges.idle()
    took = time.perf_counter() - started
    async with runtime.db.transaction() as session:
        for tally in await steps.tallies(session, number):
            assert tally.done == STUDENTS * (len(COURSES) if tally.kind is StepKind.ENROLMENT else 1), tally
    return took


async def one_by_one(settings: Settings, runtime: Runtime, options: BatchOptions) -> float:
    """Seconds for all students, reckoned from the first few: one call for each of a student's steps."""
    async with build_http_client(settings.ca_file) as http:
        naive = _Naive(settings, runtime, http, options)
        started = time.perf_counter()
        for place in range(NAIVE_STUDENTS):
            await naive.activate(50_000_000 + place)
        took = time.perf_counter() - started
        await naive.mailer.close()
    return took * STUDENTS / NAIVE_STUDENTS


def good(answers: Any) -> Any:
    """The only answer of a bulk call of one."""
    (answer,) = answers.values()
    assert not isinstance(answer, RemoteError), answer
    return answer


class _Naive:
    def __init__(self, settings: Settings, runtime: Runtime, http: httpx.AsyncClient, options: BatchOptions) -> None:
        self.house, self.options = runtime.house, options
        self.directory, self.moodle = runtime.directory, runtime.moodle
        assert isinstance(self.directory, GraphDirectory) and isinstance(self.moodle, MoodleSite)
        self.mailer = SmtpMailer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security="none",
            sender=settings.mail_from,
            limiter=runtime.limiter,
        )
        self.sku_id = ""
        self.course_ids: list[int] = []

    async def activate(self, document: int) -> None:
        if not self.sku_id:
            self.sku_id = (await self.directory.licence_seats(self.house.licence_sku)).sku_id
            found = await self.moodle.find_courses(COURSES)
            self.course_ids = [course.id for course in found.values() if course is not None]
        upn = upn_for(str(document), prefix="a", domain=self.house.account_domain)
        password = make_password(avoid=())
        account = NewAccount(str(document), upn, f"a{document}", "Ana", "Etchegaray", str(document), password)
        made = good(await self.directory.create_users([account]))
        good(await self.directory.assign_licences([LicenceRequest("1", made.id, self.sku_id)]))
        if self.options.mail:
            async for _key, answer in self.mailer.send([self._letter(document, upn, password)]):
                assert not isinstance(answer, RemoteError), answer
        wanted = NewMoodleUser("1", upn, "Ana", "Etchegaray", upn, str(document), self.house.moodle.auth)
        user = good(await self.moodle.create_users([wanted]))
        for course in self.course_ids:
            good(await self.moodle.enrol([EnrolmentRequest("1", user.id, course, self.house.moodle.role_id)]))

    def _letter(self, document: int, upn: str, password: str) -> Letter:
        values = {"nombre": "Ana", "apellido": "Etchegaray", "dni": str(document), "upn": upn, "password": password}
        letter = render(DEFAULTS[LetterName.CREDENTIALS], {**values, "email": f"{document}@example.com"})
        name = message_id(batch=0, step=document, domain="example.edu")
        return Letter("1", name, f"{document}@example.com", "Ana", letter.subject, letter.text, letter.html)


# What is measured


@asynccontextmanager
async def round_(postgres: PostgresServer, redis_url: str, folder: Path, name: str) -> AsyncIterator[Runtime]:
    """A fresh database, an emptied Redis and fresh simulators."""
    postgres.create_database(name)
    await asyncio.to_thread((folder / name).mkdir)
    async with redis.from_url(redis_url) as client:
        await client.flushall()
    async with outside(folder / name) as addresses:
        settings = settings_of(addresses, postgres.url(name), redis_url)
        runtime = await Runtime.open(settings)
        try:
            await migrate(runtime.db.engine)
            await fill(runtime.db, STUDENTS)
            yield replace(runtime, nudger=LocalNudges())
        finally:
            await runtime.close()


async def activations(postgres: PostgresServer, redis_url: str, folder: Path) -> None:
    print(f"{STUDENTS} students, {len(COURSES)} courses each, {LATENCY_S * 1000:.0f} ms a call; median of {ROUNDS}")
    print(f"{'':34} {'lanes: s':>9} {'one by one: s':>14} {'ratio':>6}")
    for place, options in enumerate((BatchOptions(), BatchOptions(mail=False))):
        lanes: list[float] = []
        naive: list[float] = []
        for number in range(ROUNDS):
            async with round_(postgres, redis_url, folder, f"bench_{place}_{number}") as runtime:
                lanes.append(await by_lanes(runtime, options))
                naive.append(await one_by_one(runtime.settings, runtime, options))
        name = "with letters" if options.mail else "without letters"
        fast, slow = statistics.median(lanes), statistics.median(naive)
        print(f"{name:34} {fast:9.2f} {slow:14.1f} {slow / fast:6.1f}")


async def timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = await work()
    return time.perf_counter() - started, found


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def planning(postgres: PostgresServer, redis_url: str, folder: Path) -> None:
    """Seconds without, and memory with the allocations traced (which makes everything slower)."""
    rounds: dict[str, list[tuple[float, float]]] = {"request_batch": [], "start_batch": []}
    for number in range(ROUNDS):
        async with round_(postgres, redis_url, folder, f"plan_{number}") as runtime:
            await _more_students(runtime.db)
            for name, traced in (("warm", False), ("timed", False), ("traced", True)):
                asked, began = await _plan_once(runtime, traced=traced)
                if name == "timed":
                    seconds = (asked[0], began[0])
                elif name == "traced":
                    rounds["request_batch"].append((seconds[0], asked[1]))
                    rounds["start_batch"].append((seconds[1], began[1]))
    print(f"{PLANNED:,} students planned; {7 * PLANNED:,} steps; the process was at most {peak_mb():.0f} MB large")
    print(f"{'':34} {'seconds':>9} {'added MB':>14}")
    for name, found in rounds.items():
        took, added = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"{name:34} {took:9.2f} {added:14.1f}")


async def _more_students(db: Database) -> None:
    async with db.transaction() as session:
        await session.execute(text("delete from student"))
        await session.execute(text(_STUDENTS), {"many": PLANNED})


async def _plan_once(runtime: Runtime, *, traced: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ask for and begin a batch; (seconds, added MB) of each. Nothing is run, so the next one finds the same."""

    async def measured(work: Callable[[], Awaitable[Any]]) -> tuple[float, float, Any]:
        if traced:
            tracemalloc.start()
        took, found = await timed(work)
        added = tracemalloc.get_traced_memory()[1] / 2**20 if traced else 0.0
        tracemalloc.stop()
        return took, added, found

    *asked, number = await measured(lambda: asked_for(runtime, BatchOptions()))
    await approved(runtime, number)
    *began, _none = await measured(lambda: begun(runtime, number))
    async with runtime.db.transaction() as session:
        await session.execute(text("update batch set state = 'cancelled', finished_at = now()"))
    return (asked[0], asked[1]), (began[0], began[1])


async def run(postgres: PostgresServer, redis_url: str, folder: Path) -> None:
    await activations(postgres, redis_url, folder)
    await planning(postgres, redis_url, folder)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with (
        TemporaryDirectory() as folder,
        PostgresServer(Path(folder) / "postgres", durable=False) as postgres,
        ValkeyServer(Path(folder) / "valkey") as valkey,
    ):
        asyncio.run(run(postgres, valkey.url, Path(folder)))


if __name__ == "__main__":
    main()
