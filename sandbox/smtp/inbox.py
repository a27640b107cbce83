"""The inbox as a server on the running loop, and its control app."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from sandbox.control import control_routes
from sandbox.imap.server import ImapServer
from sandbox.imap.state import MailboxState
from sandbox.smtp.server import Connection
from sandbox.smtp.state import InboxState


class Inbox:
    """An SMTP server for one `InboxState`.

    `starttls`: offer STARTTLS, and AUTH only after it. `tls`: speak TLS from the first byte. Neither: plain text, AUTH
    included. Start and stop it on the same loop.
    """

    def __init__(
        self,
        state: InboxState,
        *,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if starttls is not None and tls is not None:
            raise ValueError("either starttls or tls, not both")
        self.state = state
        self._starttls = starttls
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._made: set[Connection] = set()

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; returns the port, a free one for 0."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, host, port, ssl=self._tls)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening, drop the open connections, and wait for their conversations to end."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._made):
            await connection.end()
        await self._server.wait_closed()
        self._server = None
        self._made = set()

    def _connect(self) -> Connection:
        connection = Connection(self.state, tls_context=self._starttls, forget=self._made.discard)
        self._made.add(connection)
        return connection


@contextlib.asynccontextmanager
async def return_mailbox(state: InboxState, *, knows_token: Callable[[str], bool]) -> AsyncIterator[int]:
    """Serve the mailbox to which letters come back, in clear; yields the port."""
    state.returns = state.returns or MailboxState()
    server = ImapServer(state.returns, knows_token=knows_token)
    try:
        yield await server.start()
    finally:
        await server.stop()


def build_app(state: InboxState) -> web.Application:
    """The control routes, and `GET /_control/inbox/messages`: bodies only with `full=1`; `to=` for one address."""
    app = web.Application()

    async def messages(request: web.Request) -> web.Response:
        recipient = request.query.get("to")
        listed = state.messages if recipient is None else state.sent_to(recipient)
        full = request.query.get("full") == "1"
        return web.json_response([message.full() if full else message.summary() for message in listed])

    app.add_routes(
        [
            web.get("/_control/inbox/messages", messages),
            *control_routes(
                state.control,
                name="Mail",
                state=state.snapshot,
                reset=state.reset,
                actions=("delay", "reply", "bounce"),
            ),
        ]
    )
    return app
