"""A worker's whole inside in this process: the real lanes and clients over the simulators, drained by hand.

No Dramatiq: the nudges are collected where the queue would take them, and `drain` obeys them until nothing is due.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet
from sqlalchemy import Select, select, text, update

from cards.as_text import as_text
from connectors.http import trust
from lucy.db.engine import Database
from lucy.db.steps import PARKED_UNTIL
from lucy.db.tables import AuditEventRow, BatchRow, StepRow
from lucy.domain.batches import BatchId, BatchState
from lucy.domain.circuits import CircuitRules
from lucy.domain.nudges import Nudge
from lucy.domain.operations import BatchKind, BatchOptions, StepKind, system_of
from lucy.domain.selections import parse_selection
from lucy.domain.steps import StepState
from lucy.flows.decide_batch import Declined, approve_batch
from lucy.flows.request_batch import NobodyMatches, Requester, request_batch
from lucy.flows.run_batch import start_batch
from lucy.flows.send_nudges import send_nudges
from lucy.flows.undo_batch import request_undo
from lucy.flows.watch_systems import standing_still
from lucy.ports import Nudger
from lucy.settings import Settings
from sandbox.control import Fault
from sandbox.teams.directory import Person
from sandbox.together import Addresses, Population, Simulators, simulating, simulators
from tests.integration.support.people import Known, actor
from workers.actors.declare import Actors
from workers.announcer import Announcer
from workers.lanes import LaneEngine
from workers.runtime import Runtime
from workers.sweeper import sweep

PATIENCE_S = 90.0
FAST = {"rate_graph": 5000, "rate_moodle": 5000, "rate_sial": 300_000, "rate_mail": 300_000}


@dataclass
class CollectedNudges:
    """The queue of the tests (`lucy.ports.Nudger`): keeps what was sent until somebody takes it."""

    waiting: list[Nudge] = field(default_factory=list)
    sent: list[Nudge] = field(default_factory=list)

    async def send(self, nudges: Sequence[Nudge]) -> None:
        self.waiting += nudges
        self.sent += nudges

    def take(self) -> list[Nudge]:
        taken, self.waiting = list(dict.fromkeys(self.waiting)), []
        return taken


def sandbox_settings(addresses: Addresses, states: Simulators, **changed: Any) -> Settings:
    """Settings of an installation over the simulators; `changed` overrules."""
    directory = states.teams.directory
    values: dict[str, Any] = {
        "mode": "sandbox",
        "secret_keys": Fernet.generate_key().decode(),
        "admins": directory.people[2].aad_object_id,
        "tenant_id": directory.tenant_id,
        "allowed_teams": directory.team.id,
        "allowed_channels": "",
        "bot_app_id": "",
        "bot_app_password": "",
        "bot_host": "127.0.0.1",
        "bot_port": 0,
        "metrics_port": 0,
        "graph_url": addresses.graph_url,
        "login_url": addresses.login_url,
        "graph_tenant_id": addresses.tenant_id,
        "graph_client_id": addresses.graph_client_id,
        "graph_client_secret": addresses.graph_client_secret,
        "ca_file": addresses.ca_file,
        "moodle_url": addresses.moodle_url,
        "moodle_token": addresses.moodle_token,
        "sial_url": addresses.sial_url,
        "sial_user": addresses.sial_user,
        "sial_password": addresses.sial_password,
        "smtp_host": addresses.smtp_host,
        "smtp_port": addresses.smtp_port,
        "smtp_security": "none",
        "smtp_user": "",
        "smtp_password": "",
        "browser": "",
        "imap_host": addresses.imap_host,
        "imap_port": addresses.imap_port,
        "imap_security": "none",
        "imap_user": addresses.imap_user,
        "imap_password": addresses.imap_password,
        "mail_return": addresses.imap_user,
        "mail_from": "Aula virtual <aula.virtual@eco.unrc.edu.ar>",
        **FAST,
    }
    return Settings(**{**values, **changed})


@dataclass
class Works:
    """One worker. `rivals` of it share everything but the process: other engines over the same database."""

    settings: Settings
    runtime: Runtime
    states: Simulators
    addresses: Addresses
    http: httpx.AsyncClient
    nudges: CollectedNudges
    actors: Actors
    announcer: Announcer
    circuits: CircuitRules

    @property
    def db(self) -> Database:
        return self.runtime.db

    @property
    def people(self) -> tuple[Person, ...]:
        """Ana asks, Bruno approves, Carla administers, Dario looks."""
        return self.states.teams.directory.people

    # What people do

    async def request(
        self,
        words: str = "aspirantes",
        *,
        options: BatchOptions | None = None,
        kind: BatchKind = BatchKind.ACTIVATE,
    ) -> int:
        """Ana asks for a batch, an activation unless told otherwise; returns its number."""
        async with self.db.transaction() as session:
            batch = await request_batch(
                session,
                kind,
                parse_selection(words, today=datetime.now(UTC).date()),
                options=options or BatchOptions(),
                requester=Requester(actor(self.people[0]), self.people[0].id),
                house=self.runtime.house,
                now=datetime.now(UTC),
            )
        assert not isinstance(batch, NobodyMatches), "the selection matches nobody"
        return batch.id

    async def request_undo(self, number: int, *, options: BatchOptions | None = None) -> BatchRow | Declined:
        """Ana asks to take a batch back."""
        async with self.db.transaction() as session:
            return await request_undo(
                session,
                number,
                requester=Requester(actor(self.people[0]), self.people[0].id),
                options=options or BatchOptions(),
                house=self.runtime.house,
                now=datetime.now(UTC),
            )

    async def approve(self, number: int) -> None:
        """Bruno approves it, having typed how many students it is about."""
        async with self.db.transaction() as session:
            done = await approve_batch(
                session,
                number,
                actor=actor(self.people[1]),
                version=None,
                house=self.runtime.house,
                now=datetime.now(UTC),
                confirm=str((await self.batch(number)).students),
            )
        assert not isinstance(done, Declined), done

    async def start(self, number: int) -> None:
        """Begin it without running a lane."""
        async with self.db.transaction() as session:
            assert await start_batch(session, number, house=self.runtime.house, now=datetime.now(UTC))

    async def running(self, words: str = "aspirantes", *, options: BatchOptions | None = None) -> int:
        """A batch asked for, approved and begun; no lane has run."""
        number = await self.request(words, options=options)
        await self.approve(number)
        await self.start(number)
        return number

    async def activate(self, words: str = "aspirantes", *, options: BatchOptions | None = None) -> int:
        """The whole of it, until nothing is due."""
        return await self.carry_out(await self.request(words, options=options))

    async def undo(self, number: int, *, options: BatchOptions | None = None) -> int:
        """Take a batch back, the whole of it; returns the number of the undo."""
        return await self.carry_out(await self.undo_asked_for(number, options=options))

    async def undo_asked_for(self, number: int, *, options: BatchOptions | None = None) -> int:
        """An undo that waits for Bruno."""
        undo = await self.request_undo(number, options=options)
        assert not isinstance(undo, Declined), undo
        return undo.id

    async def carry_out(self, number: int) -> int:
        """Bruno approves it, and the lanes work until nothing is due."""
        await self.approve(number)
        await self.drain()
        return number

    # What a worker does

    def lanes(self, *, lease_s: float = 60.0, nudger: Nudger | None = None) -> LaneEngine:
        """An engine of its own, as another process has one."""
        lanes, limiter = self.runtime.lanes, self.runtime.limiter
        return LaneEngine(
            self.db,
            limiter,
            nudger or self.nudges,
            lanes,
            house=self.runtime.house,
            lease_s=lease_s,
            circuits=self.circuits,
        )

    async def drain(self, *, hurry: bool = True) -> None:
        """Obey nudges until nothing is due. With `hurry` steps that were postponed are due at once."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await send_nudges(self.db, self.nudges)
                nudges = self.nudges.take() or await sweep(self.db)
                for nudge in nudges:
                    await self.obey(nudge)
                if not nudges and not (hurry and await self.hurry()):
                    if not await self.postponed():  # what came due between the sweep and the hurry is swept next time
                        return
                    await asyncio.sleep(0.05)
                elif nudges and not self.nudges.waiting:
                    await asyncio.sleep(0.005)  # a provider may have asked for silence: no lane takes anything then

    async def obey(self, nudge: Nudge) -> None:
        if nudge.actor == "announce":
            await self.announcer.run()
        else:
            await getattr(self.actors, nudge.actor)(*nudge.args)

    async def hurry(self) -> int:
        """Bring forward what waits for a time, so that tests need not; returns how many steps."""
        async with self.db.transaction() as session:
            moved = await session.execute(
                update(StepRow)
                .where(
                    StepRow.state == StepState.DUE,
                    StepRow.due_at > datetime.now(UTC),
                    StepRow.due_at < PARKED_UNTIL,
                    StepRow.batch_id.in_(_working()),
                )
                .values(due_at=datetime.now(UTC))
                .returning(StepRow.id)
            )
            return len(moved.all())

    async def postponed(self) -> bool:
        """Whether some step of a running batch waits for its time; not for a system that is paused or down."""
        async with self.db.transaction() as session:
            still = await standing_still(session, now=datetime.now(UTC))
            found = await session.scalar(
                select(StepRow.id)
                .join(BatchRow, BatchRow.id == StepRow.batch_id)
                .where(
                    StepRow.state == StepState.DUE,
                    StepRow.due_at < PARKED_UNTIL,
                    StepRow.kind.in_([kind for kind in StepKind if system_of(kind) not in still]),
                    BatchRow.id.in_(_working()),
                )
                .limit(1)
            )
        return found is not None

    # What is there

    async def batch(self, number: int) -> BatchRow:
        async with self.db.transaction() as session:
            found = await session.get(BatchRow, number)
        assert found is not None
        return found

    async def steps(self, number: int, kind: StepKind | None = None, student: Known | None = None) -> list[StepRow]:
        statement = select(StepRow).where(StepRow.batch_id == number).order_by(StepRow.position)
        if kind is not None:
            statement = statement.where(StepRow.kind == kind)
        if student is not None:
            statement = statement.where(StepRow.student_id == student.id)
        async with self.db.transaction() as session:
            return list((await session.scalars(statement)).all())

    async def step(self, number: int, kind: StepKind, student: Known) -> StepRow:
        (found,) = await self.steps(number, kind, student)
        return found

    async def audit(self, action: str | None = None) -> list[AuditEventRow]:
        return await audit_events(self.db, action)

    async def opens(self, upn: str, password: str) -> bool:
        """Whether the password opens the account."""
        root = self.addresses.login_url
        answer = await self.http.post(f"{root}/_control/graph/sign-in", json={"upn": upn, "password": password})
        return bool(answer.json()["ok"])

    def fault(self, system: str, match: str, action: str, **more: Any) -> None:
        """Put a fault in wait: `graph`, `moodle`, `sial`, `inbox` or `teams`; once unless told otherwise."""
        state = getattr(self.states, system)
        state.control.add_fault(Fault(match, action, **{"times": 1, **more}))

    async def text_of_card(self, number: int) -> str:
        """What the batch's card says, as the channel would see it now."""
        from cards.batch import batch_card
        from lucy.domain.views import Frame
        from lucy.flows.view_batch import view_batch

        now = datetime.now(UTC)
        async with self.db.transaction() as session:
            view = await view_batch(session, number, reader=None, house=self.runtime.house, now=now)
        assert view is not None
        return as_text(batch_card(view, Frame("SIMULADOR", self.runtime.house.zone, now)))


def _working() -> Select[tuple[BatchId]]:
    """Batches whose steps may be claimed."""
    states = [BatchState.RUNNING, BatchState.PAUSED, BatchState.CANCELLED]
    return select(BatchRow.id).where(BatchRow.state.in_(states), BatchRow.finished_at.is_(None))


async def until(true: Callable[[], Awaitable[object]]) -> None:
    """Look again and again until it is so; the test fails when it does not come about."""
    async with asyncio.timeout(40):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def looked(look: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    """A look that waits for nothing, for `until`."""

    async def at_once() -> object:
        return look()

    return at_once


async def audit_events(db: Database, action: str | None = None) -> list[AuditEventRow]:
    statement = select(AuditEventRow).order_by(AuditEventRow.id)
    if action is not None:
        statement = statement.where(AuditEventRow.action == action)
    async with db.transaction() as session:
        return list((await session.scalars(statement)).all())


async def table_contents(db: Database, *, without: Collection[str] = ()) -> dict[str, list[str]]:
    """Every row of every table as text: what "nothing changed" and "nothing leaks" are told by."""
    found: dict[str, list[str]] = {}
    async with db.transaction() as session:
        names = await session.scalars(text("select tablename from pg_tables where schemaname = 'public'"))
        for name in sorted(set(names) - set(without)):
            rows = await session.execute(text(f'select row_to_json(t)::text as row from "{name}" t order by 1'))
            found[name] = [str(row.row) for row in rows]
    return found


@asynccontextmanager
async def working(
    database_url: str,
    redis_url: str,
    folder: Path,
    *,
    population: Population | None = None,
    seats: int = 500,
    circuits: CircuitRules | None = None,
    **changed: Any,
) -> AsyncIterator[Works]:
    """A worker over fresh simulators; `changed` are settings."""
    states = simulators(population or Population(), seats=seats)
    states.teams.switches.rate_limits = False
    async with simulating(states, folder) as addresses:
        settings = sandbox_settings(addresses, states, database_url=database_url, redis_url=redis_url, **changed)
        opened = await Runtime.open(settings)
        nudges = CollectedNudges()
        runtime = replace(opened, nudger=nudges)
        rules = circuits or CircuitRules()
        try:
            async with httpx.AsyncClient(verify=trust(Path(addresses.ca_file)), trust_env=False, timeout=20) as http:
                yield Works(
                    settings,
                    runtime,
                    states,
                    addresses,
                    http,
                    nudges,
                    Actors(runtime, circuits=rules),
                    Announcer(runtime.db, runtime.channel, runtime.house, every_s=0.0),
                    rules,
                )
        finally:
            await opened.close()
