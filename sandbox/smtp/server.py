"""The SMTP conversation: what is accepted, refused, delayed or cut.

Source: RFC 5321 (replies), RFC 3207 (STARTTLS), RFC 4954 (AUTH); https://aiosmtpd.aio-libs.org/en/latest/handlers.html.
Faults are matched by command, or by command and address (`CONNECT`, `AUTH`, `MAIL`, `RCPT ana@example.com`,
`DATA ana@example.com`, or the address alone for all its commands). Actions: `reply` (status and body text), `delay`,
`cut_before`, `cut_after`. For DATA all of them come after the final dot, where a server decides about a letter:
`delay` and `cut_after` keep the letter first, the sender cannot know. `bounce` accepts it, and then it comes back to
the mailbox of the envelope's sender, with the enhanced status of `body` (5.1.1).
"""

import asyncio
import hmac
import re
import ssl
from collections.abc import Callable
from typing import Any

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.control import Fault
from sandbox.imap.bounces import bounce
from sandbox.smtp.state import InboxState

HOSTNAME = "inbox.example.org"
CUTS = ("cut_before", "cut_after")
KEEPING = ("delay", "cut_after", "bounce")
_TEXTS = {421: "4.3.2 Service not available", 451: "4.3.0 Try again later", 550: "5.1.1 Mailbox unavailable"}


class Connection(SMTP):
    """One client's connection; counts itself and knows its number."""

    def __init__(
        self, state: InboxState, *, tls_context: ssl.SSLContext | None, forget: Callable[["Connection"], None]
    ) -> None:
        super().__init__(
            Conversation(state),
            hostname=HOSTNAME,
            ident="ESMTP sandbox",
            enable_SMTPUTF8=True,
            tls_context=tls_context,
            auth_require_tls=tls_context is not None,
            authenticator=self._authenticate_login,
            loop=asyncio.get_running_loop(),
        )
        self._state = state
        self._forget = forget
        self._counted = False
        self.number = 0
        self.returns_all = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._counted:  # STARTTLS makes the same connection a second time
            self._counted = True
            self.number = self._state.opened()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted:
            self._counted = False
            self._state.open_connections -= 1
        super().connection_lost(error)
        self._forget(self)

    async def _handle_client(self) -> None:
        """As aiosmtpd's, but the greeting can be a refusal (421)."""
        refusal = await self.obey(self.take_fault("CONNECT"))
        if refusal is not None:
            await self.push(refusal)
            self._writer.close()
            return
        await super()._handle_client()

    async def smtp_MAIL(self, arg: str | None) -> None:
        """As aiosmtpd's, which knows nothing of RFC 3461's RET."""
        self.returns_all = arg is None or "RET=HDRS" not in arg.upper()
        await super().smtp_MAIL(re.sub(r" RET=(HDRS|FULL)\b", "", arg, flags=re.IGNORECASE) if arg else arg)

    async def smtp_STARTTLS(self, arg: str) -> None:
        """As aiosmtpd's, which never learns that a client hung up in the handshake (an untrusted certificate)."""
        await super().smtp_STARTTLS(arg)
        if self._tls_protocol is not None and self.session is not None and self.session.ssl is None and self._counted:
            self.connection_lost(None)

    def abort(self) -> None:
        """Drop the connection at once, with no reply."""
        transport = self.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    def take_fault(self, command: str, address: str = "") -> Fault | None:
        """Record the command, and take one hit of the fault that waits for it or for this address."""
        self._state.control.record(command, connection=self.number, address=address)
        return self._state.control.take(command, address)

    async def obey(self, fault: Fault | None) -> str | None:
        """Returns the reply to give instead, None to go on. A cut never returns: the loss cancels the conversation."""
        if fault is None:
            return None
        if fault.action == "delay":
            await asyncio.sleep(fault.delay_s)
            return None
        if fault.action in CUTS:
            self.abort()
            await asyncio.Event().wait()
        return reply_of(fault)

    async def end(self) -> None:
        """Drop the connection, if there still is one, and wait until its conversation has ended."""
        self.abort()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
            await asyncio.wait([self._handler_coroutine])
        if self._counted:  # lost in a handshake: nobody has told the protocol
            self.connection_lost(None)

    def _authenticate_login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        good = isinstance(login, LoginPassword) and _known(self._state.credentials, login)
        if good:
            self._state.logins += 1
        else:
            self._state.refused_logins += 1
        return AuthResult(success=good, handled=False)


def reply_of(fault: Fault) -> str:
    """The line to send. An action this server does not know is said loudly, or a test would pass for no reason."""
    if fault.action != "reply":
        return f"500 This inbox does not know the action {fault.action}"
    text = fault.body if isinstance(fault.body, str) and fault.body else _TEXTS.get(fault.status, "Refused on demand")
    return f"{fault.status} {text}"


def _known(credentials: dict[str, str], login: LoginPassword) -> bool:
    expected = credentials.get(login.login.decode("utf-8", errors="replace"))
    return expected is not None and hmac.compare_digest(login.password, expected.encode())


class Conversation:
    """aiosmtpd's handler: one reply per command, or no reply at all."""

    def __init__(self, state: InboxState) -> None:
        self._state = state

    async def handle_EHLO(
        self, server: Connection, session: Session, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        """AUTH is offered only where there are credentials."""
        session.host_name = hostname
        replies.insert(-1, "250-DSN")  # RFC 3461: a client may say how much of a letter comes back
        if self._state.credentials:
            return replies
        return [reply for reply in replies if not reply.startswith("250-AUTH")]

    async def handle_AUTH(self, server: Connection, session: Session, envelope: Envelope, words: list[str]) -> Any:
        return await server.obey(server.take_fault("AUTH")) or MISSING

    async def handle_MAIL(
        self, server: Connection, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._state.credentials and not session.authenticated:
            return "530 5.7.0 Authentication required"
        refusal = await server.obey(server.take_fault("MAIL", address))
        if refusal is not None:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: Connection, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = await server.obey(server.take_fault("RCPT", address))
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Connection, session: Session, envelope: Envelope) -> str:
        """The whole letter is here. Kept before any wait or cut, as a real server would; a refused one is not kept."""
        fault = server.take_fault("DATA", " ".join(envelope.rcpt_tos))
        if fault is None or fault.action in KEEPING:
            self._keep(server, envelope)
        if fault is not None and fault.action == "bounce":
            self._send_back(envelope, status=str(fault.body or "5.1.1"), whole=server.returns_all)
            fault = None
        return await server.obey(fault) or "250 2.0.0 OK"

    def _send_back(self, envelope: Envelope, *, status: str, whole: bool) -> None:
        """The header alone where the client asked for it (RET=HDRS), else the whole letter."""
        if self._state.returns is None:
            return
        letter, sender = envelope.original_content or b"", envelope.mail_from or ""
        for recipient in envelope.rcpt_tos:
            said = f"550 {status} <{recipient}>: not delivered"
            report = bounce(letter, recipient=recipient, returns_to=sender, status=status, diagnostic=said, whole=whole)
            self._state.returns.deliver(report)

    def _keep(self, server: Connection, envelope: Envelope) -> None:
        content, sender = envelope.original_content or b"", envelope.mail_from or ""
        self._state.receive(content, sender=sender, recipients=envelope.rcpt_tos, connection=server.number)
