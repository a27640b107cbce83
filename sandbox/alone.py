"""`lucy sandbox graph`: one simulator by itself, on a port of one's choice, with its control API and status page."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from aiohttp import web

from sandbox.control import serve
from sandbox.graph import app as graph_app
from sandbox.graph.certificate import ensure_certificate
from sandbox.moodle import app as moodle_app
from sandbox.sial import app as sial_app
from sandbox.smtp import inbox as smtp_inbox
from sandbox.teams import app as teams_app
from sandbox.together import Simulators

NAMES = ("sial", "graph", "moodle", "smtp", "teams")


@contextlib.asynccontextmanager
async def simulating_one(
    name: str, states: Simulators, folder: Path, *, port: int = 0
) -> AsyncIterator[Mapping[str, str]]:
    """Serve one of `NAMES`; yields the LUCY_ variables that point Lucy at it, and `status`, the page to look at.

    `folder` keeps Graph's certificate. Mail listens on `port` and its control API on another one.
    """
    async with contextlib.AsyncExitStack() as stack:

        async def start(app: web.Application, *, tls: bool = False, on: int = port) -> str:
            context = ensure_certificate(folder).server_context() if tls else None
            runner, bound = await serve(app, port=on, ssl_context=context)
            stack.push_async_callback(runner.cleanup)
            return f"https://localhost:{bound}" if tls else f"http://127.0.0.1:{bound}"

        match name:
            case "sial":
                address = await start(sial_app.build_app(states.sial))
                variables = {
                    "LUCY_SIAL_URL": address,
                    "LUCY_SIAL_USER": states.sial.user,
                    "LUCY_SIAL_PASSWORD": states.sial.password,
                }
            case "graph":
                address = await start(graph_app.build_app(states.graph), tls=True)
                variables = {
                    "LUCY_GRAPH_URL": f"{address}/v1.0",
                    "LUCY_LOGIN_URL": address,
                    "LUCY_CA_FILE": str(ensure_certificate(folder).ca_file),
                    "LUCY_GRAPH_TENANT_ID": states.graph.tenant_id,
                    "LUCY_GRAPH_CLIENT_ID": states.graph.client_id,
                    "LUCY_GRAPH_CLIENT_SECRET": states.graph.client_secret,
                }
            case "moodle":
                address = await start(moodle_app.build_app(states.moodle))
                variables = {"LUCY_MOODLE_URL": address, "LUCY_MOODLE_TOKEN": states.moodle.token}
            case "smtp":
                address = await start(smtp_inbox.build_app(states.inbox), on=0)
                inbox = smtp_inbox.Inbox(states.inbox)
                bound = await inbox.start(port=port)
                stack.push_async_callback(inbox.stop)
                variables = {
                    "LUCY_SMTP_HOST": "127.0.0.1",
                    "LUCY_SMTP_PORT": str(bound),
                    "LUCY_SMTP_SECURITY": "none",
                }
            case "teams":
                address = await start(teams_app.build_app(states.teams))
                variables = {"LUCY_TENANT_ID": states.teams.directory.tenant_id}
            case _:
                raise ValueError(f"no simulator is called {name!r}; there are: {', '.join(NAMES)}")
        yield {**variables, "status": f"{address}/_control/"}
