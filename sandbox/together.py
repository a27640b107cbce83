"""All simulators in one process, each on a port of its own, so that Lucy can be run whole on one machine."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from sandbox.control import serve
from sandbox.graph import app as graph_app
from sandbox.graph.certificate import ensure_certificate
from sandbox.graph.state import GraphState
from sandbox.imap.state import MailboxState
from sandbox.moodle import app as moodle_app
from sandbox.moodle.state import MoodleState
from sandbox.sial import app as sial_app
from sandbox.sial.data import SialData
from sandbox.sial.people import make_people
from sandbox.sial.state import SialState
from sandbox.smtp import inbox as smtp_inbox
from sandbox.smtp.state import InboxState
from sandbox.teams import app as teams_app
from sandbox.teams.state import TeamsState

DOMAIN = "eco.unrc.edu.ar"


@dataclass(frozen=True)
class Population:
    """How many synthetic students each list of SIAL has; the same seed gives the same people."""

    seed: int = 2026
    preinscriptos: int = 0
    aspirantes: int = 0
    ingresantes: int = 0

    def people(self) -> SialData:
        counts = {"preinscriptos": self.preinscriptos, "aspirantes": self.aspirantes, "ingresantes": self.ingresantes}
        return make_people(seed=self.seed, now=datetime.now(UTC), **counts) if any(counts.values()) else SialData()


@dataclass(frozen=True)
class Addresses:
    """Where everything listens, and the credentials the simulators accept. Nothing here is worth keeping secret."""

    graph_url: str
    login_url: str
    ca_file: str
    moodle_url: str
    sial_url: str
    smtp_host: str
    smtp_port: int
    inbox_url: str
    imap_host: str
    imap_port: int
    imap_user: str
    imap_password: str
    teams_url: str
    tenant_id: str
    graph_client_id: str
    graph_client_secret: str
    moodle_token: str
    sial_user: str
    sial_password: str


@dataclass
class Simulators:
    """The states behind the ports, for whoever runs them in its own process."""

    graph: GraphState
    moodle: MoodleState
    sial: SialState
    inbox: InboxState
    teams: TeamsState = field(default_factory=TeamsState)


def simulators(population: Population, *, seats: int = 500) -> Simulators:
    teams = TeamsState()
    graph = GraphState(
        tenant_id=teams.directory.tenant_id,
        client_id="sandbox-graph-client",
        client_secret="sandbox-graph-secret",
        domain=DOMAIN,
        seats=seats,
    )
    inbox = InboxState()
    graph.deliver = lambda sender, to, raw: inbox.receive(raw, sender=sender, recipients=to)
    return Simulators(
        graph=graph,
        moodle=MoodleState(token="sandbox-moodle-token"),
        sial=SialState(data=population.people()),
        inbox=inbox,
        teams=teams,
    )


@contextlib.asynccontextmanager
async def simulating(states: Simulators, folder: Path) -> AsyncIterator[Addresses]:
    """Serve them all on free ports of this machine; `folder` keeps the certificate."""
    certificate = ensure_certificate(folder)
    async with contextlib.AsyncExitStack() as stack:

        async def start(app: web.Application, *, tls: bool = False) -> int:
            runner, port = await serve(app, port=0, ssl_context=certificate.server_context() if tls else None)
            stack.push_async_callback(runner.cleanup)
            return port

        graph = await start(graph_app.build_app(states.graph), tls=True)
        moodle = await start(moodle_app.build_app(states.moodle))
        sial = await start(sial_app.build_app(states.sial))
        inbox_control = await start(smtp_inbox.build_app(states.inbox))
        teams = await start(teams_app.build_app(states.teams))
        inbox = smtp_inbox.Inbox(states.inbox)
        smtp = await inbox.start()
        stack.push_async_callback(inbox.stop)
        imap = await stack.enter_async_context(
            smtp_inbox.return_mailbox(states.inbox, knows_token=states.graph.tokens.__contains__)
        )
        imap_user, imap_password = next(iter(MailboxState().credentials.items()))
        yield Addresses(
            graph_url=f"https://localhost:{graph}/v1.0",
            login_url=f"https://localhost:{graph}",
            ca_file=str(certificate.ca_file),
            moodle_url=f"http://127.0.0.1:{moodle}",
            sial_url=f"http://127.0.0.1:{sial}",
            smtp_host="127.0.0.1",
            smtp_port=smtp,
            inbox_url=f"http://127.0.0.1:{inbox_control}",
            imap_host="127.0.0.1",
            imap_port=imap,
            imap_user=imap_user,
            imap_password=imap_password,
            teams_url=f"http://127.0.0.1:{teams}",
            tenant_id=states.graph.tenant_id,
            graph_client_id=states.graph.client_id,
            graph_client_secret=states.graph.client_secret,
            moodle_token=states.moodle.token,
            sial_user=states.sial.user,
            sial_password=states.sial.password,
        )


def write_addresses(addresses: Addresses, path: Path) -> None:
    """Appear whole or not at all: whoever waits for the file reads it at once."""
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(addresses), indent=1))
    unfinished.replace(path)
