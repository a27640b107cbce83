"""The IMAP conversation: enough of RFC 9051 for a client that reads one folder.

CAPABILITY, STARTTLS, LOGIN, AUTHENTICATE XOAUTH2, EXAMINE, SELECT, UID SEARCH, UID FETCH of a bounded BODY.PEEK[],
NOOP, LOGOUT. Faults by command: `reply` (body is the tagged answer, `NO …` or `BAD …`), `delay`, `cut_before` (before
the answer), `cut_after` (in the middle of it), `malformed`.
"""

import asyncio
import base64
import hmac
import re
import ssl
from collections.abc import Callable
from datetime import datetime

from sandbox.control import Fault
from sandbox.imap.state import MailboxState, StoredMessage

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_FETCH = re.compile(r"(\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", re.IGNORECASE)
WRITES = frozenset({"STORE", "EXPUNGE", "APPEND", "COPY", "MOVE", "DELETE", "CREATE"})


class ImapServer:
    """A server for one mailbox. `starttls`: offer STARTTLS, and LOGIN only after it. `tls`: TLS from the first byte.

    `knows_token`: whether an OAuth token lets in.
    """

    def __init__(
        self,
        state: MailboxState,
        *,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        knows_token: Callable[[str], bool] | None = None,
    ) -> None:
        self.state = state
        self._starttls, self._tls, self._knows_token = starttls, tls, knows_token
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; returns the port, a free one for 0."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self._tls)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await _Conversation(self.state, reader, writer, self._starttls, self._knows_token).run()
        except ConnectionError:
            pass  # the client went away
        finally:
            self._open.discard(writer)
            writer.close()


class _Conversation:
    def __init__(
        self,
        state: MailboxState,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        starttls: ssl.SSLContext | None,
        knows_token: Callable[[str], bool] | None,
    ) -> None:
        self._state, self._reader, self._writer = state, reader, writer
        self._starttls, self._knows_token = starttls, knows_token
        self._entered = self._opened = self._over = False

    async def run(self) -> None:
        greeting = await self._obey(self._take("CONNECT"), "*", "OK sandbox IMAP4rev1 ready")
        self._send(greeting)
        while not self._over and (line := await self._reader.readline()):
            tag, _, rest = line.decode("utf-8", errors="replace").strip().partition(" ")
            command, _, given = rest.partition(" ")
            if command.upper() == "UID":
                command, _, given = given.partition(" ")
            await self._answer(tag, command.upper(), given)
            await self._writer.drain()

    async def _answer(self, tag: str, command: str, given: str) -> None:
        if command in WRITES:
            self._state.changed += 1
            self._send(f"{tag} NO [READ-ONLY] the folder is open for reading")
            return
        handler = getattr(self, f"_on_{command.lower()}", None)
        if handler is None:
            self._send(f"{tag} BAD unknown command")
            return
        if command in ("SEARCH", "FETCH") and not self._opened:
            self._send(f"{tag} BAD no folder is open")
            return
        fault = self._take(command)
        if fault is not None and fault.action == "cut_after":
            self._writer.write(b"* SEARCH 1 2")
            await self._writer.drain()
            self._writer.transport.abort()
            raise ConnectionResetError
        if fault is not None and fault.action == "malformed":
            self._send("\x00\xff nothing that IMAP knows")
            self._send(f"{tag}x ???")
            self._over = True
            return
        done = "OK done" if fault is None or fault.action == "delay" else ""
        if fault is not None:
            refusal = await self._obey(fault, tag, done)
            if not done:
                self._send(refusal)
                return
        self._send(f"{tag} {await handler(given)}")
        if command == "STARTTLS" and self._starttls is not None:
            await self._writer.drain()
            await self._writer.start_tls(self._starttls)

    async def _obey(self, fault: Fault | None, tag: str, otherwise: str) -> str:
        if fault is None:
            return f"{tag} {otherwise}"
        if fault.action == "delay":
            await asyncio.sleep(fault.delay_s)
            return f"{tag} {otherwise}"
        if fault.action == "reply":
            return f"{tag} {fault.body or 'NO refused on demand'}"
        self._writer.transport.abort()
        raise ConnectionResetError

    def _take(self, command: str) -> Fault | None:
        if command in self._state.control.operations:
            self._state.control.record(command)
        return self._state.control.take(command)

    def _send(self, line: str) -> None:
        self._writer.write(line.encode() + b"\r\n")

    # Commands: each returns its tagged answer

    async def _on_capability(self, _: str) -> str:
        offered = ["IMAP4rev1", *(["STARTTLS", "LOGINDISABLED"] if self._must_secure else ["AUTH=XOAUTH2"])]
        self._send(f"* CAPABILITY {' '.join(offered)}")
        return "OK done"

    async def _on_noop(self, _: str) -> str:
        return "OK done"

    async def _on_starttls(self, _: str) -> str:
        return "OK begin TLS now" if self._must_secure else "BAD not offered"

    async def _on_login(self, given: str) -> str:
        user, password, *_rest = [*_words(given), "", ""]
        expected = self._state.credentials.get(user)
        if self._must_secure:
            return "NO [PRIVACYREQUIRED] STARTTLS first"
        if expected is None or not hmac.compare_digest(expected.encode(), password.encode()):
            return "NO [AUTHENTICATIONFAILED] Invalid credentials"
        return self._enter()

    async def _on_authenticate(self, given: str) -> str:
        """XOAUTH2. https://developers.google.com/gmail/imap/xoauth2-protocol, as Exchange Online takes it too."""
        if given.strip().upper() != "XOAUTH2":
            return "NO unknown mechanism"
        self._send("+ ")
        await self._writer.drain()
        sent = base64.b64decode(await self._reader.readline()).decode()
        user, _, rest = sent.removeprefix("user=").partition("\x01auth=Bearer ")
        known = user in self._state.credentials and self._knows_token is not None
        if not known or not self._knows_token or not self._knows_token(rest.strip("\x01")):
            return "NO [AUTHENTICATIONFAILED] AUTHENTICATE failed."
        return self._enter()

    async def _on_examine(self, given: str) -> str:
        if not self._entered:
            return "BAD log in first"
        if _words(given)[:1] != [self._state.folder]:
            return "NO [NONEXISTENT] Unknown Mailbox"
        self._opened = True
        self._send(f"* {len(self._state.messages)} EXISTS")
        self._send(f"* OK [UIDVALIDITY {self._state.validity}] UIDs valid")
        return "OK [READ-ONLY] done"

    async def _on_select(self, given: str) -> str:
        self._state.changed += 1  # a client that only reads says EXAMINE
        return await self._on_examine(given)

    async def _on_search(self, given: str) -> str:
        found = [str(one.uid) for one in self._state.messages if self._matches(one, given)]
        self._send("* SEARCH " + " ".join(found))
        return "OK done"

    async def _on_fetch(self, given: str) -> str:
        wanted = _FETCH.fullmatch(given)
        if wanted is None:
            return "BAD this server only gives BODY.PEEK[]<0.n>"
        for position, one in enumerate(self._state.messages, start=1):
            if one.uid == int(wanted[1]):
                content = one.raw[: int(wanted[2])]
                self._writer.write(f"* {position} FETCH (UID {one.uid} BODY[]<0> {{{len(content)}}}\r\n".encode())
                self._writer.write(content + b")\r\n")
        return "OK done"

    async def _on_logout(self, _: str) -> str:
        self._send("* BYE")
        self._over = True
        return "OK done"

    @property
    def _must_secure(self) -> bool:
        return self._starttls is not None and self._writer.get_extra_info("sslcontext") is None

    def _enter(self) -> str:
        self._state.logins += 1
        self._entered = True
        return "OK done"

    def _matches(self, message: StoredMessage, criterion: str) -> bool:
        """`n:*` means the last message too, where its number is below n (RFC 9051, 9, seq-range)."""
        name, _, value = criterion.partition(" ")
        if name.upper() == "SINCE":
            return message.arrived_on >= datetime.strptime(value, "%d-%b-%Y").date()  # noqa: DTZ007
        first = int(value.partition(":")[0])
        return message.uid >= first or message.uid == self._state.messages[-1].uid


def _words(given: str) -> list[str]:
    return [quoted.replace('\\"', '"').replace("\\\\", "\\") or plain for quoted, plain in _WORD.findall(given)]
