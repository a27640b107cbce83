"""Reads the mailbox to which letters come back; changes nothing in it (EXAMINE, BODY.PEEK).

The standard library's client blocks, so each reading runs in a thread, over a connection of its own: it is one in an
hour, and a kept one would be closed by the server meanwhile.
"""

import asyncio
import imaplib
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import structlog

from connectors.imap import wire
from connectors.mail_security import Security, verifying_context
from lucy.ports import MailboxPlace, ReturnedLetter, ReturnedMail

TIMEOUT_S = 30.0
MESSAGES_AT_ONCE = 100
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

log = structlog.get_logger(__name__)


class ImapReturns:
    """`lucy.ports.ReturnMailbox`. `timeout_s` bounds each wait for the server.

    With `token` the user signs in by OAuth (XOAUTH2), as Exchange Online alone takes it; without, by password.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: str,
        user: str,
        password: str,
        token: Callable[[], Awaitable[str]] | None = None,
        folder: str = "INBOX",
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._host, self._port, self._security = host, port, Security(security)
        self._user, self._password, self._token, self._folder = user, password, token, folder
        self._tls = None if self._security is Security.NONE else verifying_context(ca_file)
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        return f"{self._user}@{self._host}:{self._port}/{self._folder}"

    async def read(self, after: MailboxPlace | None, *, since: date) -> ReturnedMail:
        """Raises RetryLater (E-013), Refused (E-014, E-015, E-016), or what the source of tokens raises."""
        token = await self._token() if self._token is not None else ""
        return await asyncio.to_thread(self._read, token, after, since)

    async def probe(self) -> None:
        """Raises as `read`."""
        token = await self._token() if self._token is not None else ""
        await asyncio.to_thread(self._probe, token)

    def _probe(self, token: str) -> None:
        with self._open(token):
            pass

    def _read(self, token: str, after: MailboxPlace | None, since: date) -> ReturnedMail:
        with self._open(token) as (client, validity):
            known = after if after is not None and after.validity == validity else None
            criterion = f"UID {known.uid + 1}:*" if known else f"SINCE {_imap_date(since)}"
            _status, found = client.uid("SEARCH", criterion)
            first = known.uid if known else 0
            # `n:*` names the last message also where its number is below n.
            uids = sorted(uid for uid in map(int, (found[0] or b"").split()) if uid > first)
            now = uids[:MESSAGES_AT_ONCE]
            returned = [one for uid in now if (one := _fetch(client, uid)) is not None]
        place = MailboxPlace(validity, now[-1] if now else first)
        return ReturnedMail(tuple(returned), place, more=len(uids) > len(now))

    @contextmanager
    def _open(self, token: str) -> Iterator[tuple[imaplib.IMAP4, int]]:
        """A client with the folder open for reading, and the folder's UIDVALIDITY."""
        try:
            client = self._connect()
            try:
                yield client, self._enter(client, token)
            finally:
                with suppress(imaplib.IMAP4.error, OSError):
                    client.logout()
                with suppress(OSError):
                    client.shutdown()  # a goodbye that failed leaves the socket open
        except ssl.SSLError:
            raise wire.insecure() from None
        except OSError as error:
            raise wire.away(type(error).__name__) from None
        except (imaplib.IMAP4.error, ValueError):  # a connection that was cut, an answer that is none
            raise wire.away("the conversation broke off") from None

    def _connect(self) -> imaplib.IMAP4:
        if self._security is Security.TLS:
            return imaplib.IMAP4_SSL(self._host, self._port, ssl_context=self._tls, timeout=self._timeout_s)
        client = imaplib.IMAP4(self._host, self._port, timeout=self._timeout_s)
        if self._security is Security.STARTTLS:
            if "STARTTLS" not in client.capabilities:
                client.shutdown()
                raise wire.insecure()
            client.starttls(self._tls)
        return client

    def _enter(self, client: imaplib.IMAP4, token: str) -> int:
        try:
            if token:
                client.authenticate("XOAUTH2", lambda _: f"user={self._user}\x01auth=Bearer {token}\x01\x01".encode())
            else:
                client.login(self._user, self._password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:  # its text may repeat what was sent
            raise wire.no_login() from None
        status, _data = client.select(_quoted(self._folder), readonly=True)
        if status != "OK":
            raise wire.no_folder()
        _code, told = client.response("UIDVALIDITY")
        return int(told[0]) if told and told[0] else 0


def _fetch(client: imaplib.IMAP4, uid: int) -> ReturnedLetter | None:
    """What a message says; None for one that says nothing of a letter, or is gone by now."""
    _status, parts = client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{wire.LONGEST}>)")
    content = next((part[1] for part in parts if isinstance(part, tuple)), b"")
    try:
        return wire.read_returned(content)
    except ValueError as error:
        log.warning("returns.unreadable", uid=uid, error=str(error))
        return None


def _imap_date(day: date) -> str:
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
