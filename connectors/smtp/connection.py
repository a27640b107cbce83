"""One connection to the mail server: opened, kept, and how far a letter got on it."""

import contextlib
import socket
import ssl

import aiosmtplib

from connectors.mail_security import Security
from connectors.smtp import wire
from connectors.smtp.models import Envelope, Stage
from lucy.errors import RemoteError
from lucy.ports import Accepted

START_INPUT = 354
CLOSING = 421


class NoConnectionError(Exception):
    """The server cannot be used now: the same for every letter."""

    def __init__(self, error: RemoteError) -> None:
        super().__init__(str(error))
        self.error = error


class ConnectionLostError(Exception):
    """The connection ended before the letter was sent: nothing was done with it."""


class Connection:
    """`timeout_s` bounds each reply. Not for two letters at once."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Security,
        user: str,
        password: str,
        tls: ssl.SSLContext | None,
        local_hostname: str,
        timeout_s: float,
    ) -> None:
        self._user = user
        self._password = password
        self._smtp = aiosmtplib.SMTP(
            hostname=host,
            port=port,
            use_tls=security is Security.TLS,
            start_tls=security is Security.STARTTLS,
            tls_context=tls,
            local_hostname=local_hostname,
            timeout=timeout_s,
        )

    @property
    def is_open(self) -> bool:
        return self._smtp.is_connected

    async def open(self) -> None:
        """Connect, secure, log in. Raises NoConnectionError."""
        ready = False
        try:
            failure = await self._connect()
            if failure is None and self._user:
                failure = await self._log_in()
            ready = failure is None
        finally:
            if not ready:
                self.drop()
        if failure is not None:
            raise NoConnectionError(failure)

    async def hand_over(self, envelope: Envelope) -> Accepted:
        """One letter. Raises RemoteError, or ConnectionLostError when it was not sent.

        The conversation is left where the next letter may begin, or the connection is dropped, cancellation included.
        """
        clean = False
        try:
            reply = await self._converse(envelope)
            clean = True
        except RemoteError:
            clean = await self._reset()
            raise
        finally:
            if not clean:
                self.drop()
        return reply

    async def try_sender(self, sender: str) -> None:
        """MAIL FROM, and take it back. Raises RemoteError, or ConnectionLostError."""
        try:
            await self._smtp.mail(sender)
        except aiosmtplib.SMTPResponseException as refusal:
            self.drop()
            raise wire.reply_error(Stage.MAIL, refusal.code, refusal.message) from None
        except OSError:
            self.drop()
            raise ConnectionLostError from None
        if not await self._reset():
            self.drop()

    async def close(self) -> None:
        """Take leave."""
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await self._smtp.quit()
        self.drop()

    def drop(self) -> None:
        self._smtp.close()

    async def _connect(self) -> RemoteError | None:
        try:
            await self._smtp.connect()
            await self._greet()
        except ssl.SSLError:
            return wire.insecure("the server's certificate or TLS version was not accepted")
        except aiosmtplib.SMTPResponseException as refusal:
            return wire.reply_error(Stage.CONNECT, refusal.code, refusal.message)
        except OSError as error:
            if isinstance(error.__cause__, ssl.SSLError):
                return wire.insecure("the server's certificate or TLS version was not accepted")
            if isinstance(error.__cause__, socket.gaierror):
                return wire.unknown_name()
            return wire.unreachable("no connection")
        except aiosmtplib.SMTPException:
            return wire.insecure("the server does not offer STARTTLS")
        return None

    async def _greet(self) -> None:
        """What the server offers has to be known before the first letter."""
        if self._smtp.is_ehlo_or_helo_needed:
            try:
                await self._smtp.ehlo()
            except aiosmtplib.SMTPHeloError:
                await self._smtp.helo()

    async def _log_in(self) -> RemoteError | None:
        try:
            await self._smtp.login(self._user, self._password)
        except aiosmtplib.SMTPResponseException as refusal:
            return wire.reply_error(Stage.AUTH, refusal.code, refusal.message)
        except OSError:
            return wire.unreachable("the connection ended at AUTH")
        except aiosmtplib.SMTPException:
            return wire.no_login("the server offers no AUTH that fits")
        return None

    async def _converse(self, envelope: Envelope) -> Accepted:
        stage = Stage.MAIL
        try:
            await self._smtp.mail(envelope.sender, options=self._mail_options())
            stage = Stage.RCPT
            await self._smtp.rcpt(envelope.recipient)
            stage = Stage.DATA
            start = await self._smtp.execute_command(b"DATA")
            protocol = self._smtp.protocol
            if start.code == START_INPUT and protocol is not None:
                protocol.write(wire.data_block(envelope.content))
        except aiosmtplib.SMTPResponseException as refusal:
            if stage is Stage.MAIL and refusal.code == CLOSING:
                raise ConnectionLostError from None
            raise wire.reply_error(stage, refusal.code, refusal.message) from None
        except OSError:
            raise ConnectionLostError from None
        if start.code != START_INPUT:
            raise wire.reply_error(stage, start.code, start.message)
        if protocol is None:
            raise ConnectionLostError
        return await self._verdict(protocol)

    def _mail_options(self) -> list[str]:
        """A letter that comes back comes without its text, which may hold a password (RFC 3461, RET)."""
        return ["RET=HDRS"] if self._smtp.supports_extension("dsn") else []

    async def _verdict(self, protocol: "aiosmtplib.protocol.SMTPProtocol") -> Accepted:
        """The reply to a letter that is out of our hands. aiosmtplib's own `data()` does not tell "not sent" apart."""
        try:
            reply = await protocol.read_response(timeout=self._smtp.timeout)
        except (aiosmtplib.SMTPException, OSError):
            self.drop()
            raise wire.no_answer() from None
        if 200 <= reply.code < 300:
            return wire.accepted(reply.message)
        if reply.code == CLOSING:
            self.drop()
        raise wire.reply_error(Stage.DATA, reply.code, reply.message)

    async def _reset(self) -> bool:
        """False when the connection is of no more use."""
        if not self.is_open:
            return False
        try:
            await self._smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True
