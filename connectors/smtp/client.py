"""Letters over one kept SMTP connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from connectors.mail_security import Security, verifying_context
from connectors.mailbox import mailbox, sender_mailbox
from connectors.smtp import wire
from connectors.smtp.connection import Connection, ConnectionLostError, NoConnectionError
from connectors.smtp.models import Envelope
from lucy.errors import ConfigurationError, RemoteError, System
from lucy.ports import Accepted, Letter, Limiter

TIMEOUT_S = 60.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SmtpMailer:
    """`lucy.ports.Mailer`. Opened at the first letter, opened again when the server closed it; `close()` at the end.

    `sender` is the From of every letter, `Name <address>` or the address alone. What cannot be delivered comes back to
    `returns_to`, else to the sender. Certificates are verified against the system's authorities and `ca_file`. `now`
    gives the Date of the letters.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: str,
        sender: str,
        limiter: Limiter,
        user: str = "",
        password: str = "",
        ca_file: Path | None = None,
        returns_to: str = "",
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._sender = sender_mailbox(sender)
        try:
            self._returns_to = mailbox(returns_to).address if returns_to else self._sender.address
        except ValueError as error:
            raise ConfigurationError(f"The return address (LUCY_MAIL_RETURN) cannot be used: {error}.") from None
        wanted = Security(security)
        self._connection = Connection(
            host=host,
            port=port,
            security=wanted,
            user=user,
            password=password,
            tls=None if wanted is Security.NONE else verifying_context(ca_file),
            local_hostname=self._sender.address.rpartition("@")[2],
            timeout_s=timeout_s,
        )
        self._limiter = limiter
        self._now = now
        self._one_at_a_time = asyncio.Lock()

    async def send(self, letters: Sequence[Letter]) -> AsyncIterator[tuple[str, Accepted | RemoteError]]:
        """Hand letters over one after another; yields each key's outcome as soon as it is known.

        Where the server cannot be used at all, the rest gets the same error without being tried.
        """
        no_server: RemoteError | None = None
        for letter in letters:
            outcome: Accepted | RemoteError
            if no_server is not None:
                outcome = no_server
            else:
                try:
                    outcome = await self._send_one(letter)
                except NoConnectionError as failure:
                    outcome = no_server = failure.error
            yield letter.key, outcome

    async def probe(self) -> None:
        """Connection, TLS, login, and whether the server takes letters of this sender. Raises RemoteError."""
        await self._limiter.acquire(System.MAIL)
        async with self._one_at_a_time:
            try:
                if not self._connection.is_open:
                    await self._connection.open()
                await self._connection.try_sender(self._returns_to)
            except NoConnectionError as failure:
                raise failure.error from None
            except ConnectionLostError:
                raise wire.unreachable("the connection ended at MAIL") from None

    async def close(self) -> None:
        """Close the connection politely."""
        async with self._one_at_a_time:
            await self._connection.close()

    async def _send_one(self, letter: Letter) -> Accepted | RemoteError:
        """Raises NoConnectionError."""
        try:
            envelope = wire.envelope(letter, sender=self._sender, returns_to=self._returns_to, now=self._now())
        except RemoteError as error:
            return error
        await self._limiter.acquire(System.MAIL)
        async with self._one_at_a_time:
            return await self._hand_over(envelope)

    async def _hand_over(self, envelope: Envelope) -> Accepted | RemoteError:
        """A kept connection may have died in silence: then once more over a new one, as nothing was sent yet."""
        kept = self._connection.is_open
        try:
            if not kept:
                await self._connection.open()
            return await self._connection.hand_over(envelope)
        except RemoteError as error:
            return error
        except ConnectionLostError:
            if kept:
                return await self._hand_over(envelope)
            return wire.unreachable("the connection ended before the letter was sent")
