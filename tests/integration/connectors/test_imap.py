"""The return mailbox over real sockets: how it is entered, and what is said when it cannot be."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from connectors.imap import ImapReturns
from lucy.errors import Refused, RemoteError, RetryLater
from lucy.ports import MailboxPlace
from sandbox.control import Fault
from sandbox.imap import ImapServer, MailboxState, bounce

USER, PASSWORD = "returns@eco.unrc.edu.ar", 'Clave "rara" \\ ñ no'
TODAY = datetime.now(UTC).date()
MESSAGE = bounce(b"Message-ID: <lucy.1.2@eco.unrc.edu.ar>\r\n\r\n", recipient="ana@example.com", returns_to=USER)


@asynccontextmanager
async def mailbox(
    state: MailboxState | None = None, *, starttls: Any = None, tls: Any = None, token: str = "", **more: Any
) -> AsyncIterator[tuple[MailboxState, ImapReturns]]:
    state = state or MailboxState(credentials={USER: "Clave-rara-9"})
    server = ImapServer(state, starttls=starttls, tls=tls, knows_token=lambda one: one == token != "")
    port = await server.start()
    given = {"host": "127.0.0.1", "port": port, "security": "none", "user": USER, "password": "Clave-rara-9"}
    try:
        yield state, ImapReturns(**{**given, "timeout_s": 2.0, **more})
    finally:
        await server.stop()


@pytest.fixture
def authority(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return context, path


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_read_in_clear_and_encrypted(security: str, authority: tuple[ssl.SSLContext, Path]) -> None:
    context, ca_file = authority
    offered = {"starttls": {"starttls": context}, "tls": {"tls": context}}.get(security, {})
    async with mailbox(security=security, ca_file=ca_file, **offered) as (state, returns):
        state.deliver(MESSAGE)
        page = await returns.read(None, since=TODAY)
        assert [one.message_ids for one in page.returned] == [{"<lucy.1.2@eco.unrc.edu.ar>"}]
        assert page.place == MailboxPlace(1, 1)
        assert (await returns.read(page.place, since=TODAY)).returned == ()
        state.deliver(MESSAGE)
        assert len((await returns.read(page.place, since=TODAY)).returned) == 1
        assert state.changed == 0


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for(security: str, authority: tuple[ssl.SSLContext, Path]) -> None:
    context, _ = authority
    async with mailbox(security=security, **{security: context}) as (state, returns):
        with pytest.raises(Refused, match="E-016"):
            await returns.probe()
        assert state.logins == 0


async def test_without_starttls_no_password_is_sent() -> None:
    async with mailbox(security="starttls") as (state, returns):
        with pytest.raises(Refused, match="E-016"):
            await returns.probe()
        assert state.control.calls("LOGIN") == []


async def test_a_refused_password_is_not_repeated() -> None:
    async with mailbox(password="Otra-clave-7") as (_state, returns):
        with pytest.raises(Refused, match="E-014") as caught:
            await returns.read(None, since=TODAY)
        assert "Otra-clave" not in repr(caught.value) + str(caught.value.__cause__)


async def test_by_oauth() -> None:
    async def token() -> str:
        return "a-token"

    async with mailbox(token="a-token", password="") as (state, _):
        pass
    async with mailbox(state, token="a-token") as (state, returns):
        entered = ImapReturns(
            host="127.0.0.1", port=returns._port, security="none", user=USER, password="", token=token, timeout_s=2.0
        )
        await entered.probe()
        assert state.logins == 1
    async with mailbox(token="another", password="") as (state, returns):
        refused = ImapReturns(
            host="127.0.0.1", port=returns._port, security="none", user=USER, password="", token=token, timeout_s=2.0
        )
        with pytest.raises(Refused, match="E-014") as caught:
            await refused.probe()
        assert "a-token" not in repr(caught.value)


async def test_a_folder_that_is_not_there() -> None:
    async with mailbox(folder='Devueltas "2026"') as (_state, returns):
        with pytest.raises(Refused, match="E-015"):
            await returns.probe()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("CONNECT", "cut_before"), RetryLater),
        (Fault("CONNECT", "reply", body="BYE too many"), RetryLater),
        (Fault("LOGIN", "delay", delay_s=5), RetryLater),
        (Fault("SEARCH", "malformed"), RetryLater),
        (Fault("FETCH", "cut_after"), RetryLater),
    ],
    ids=["cut", "busy", "silent", "garbage", "cut-in-the-middle"],
)
async def test_a_server_that_fails(fault: Fault, error: type[RemoteError]) -> None:
    async with mailbox() as (state, returns):
        state.deliver(MESSAGE)
        state.control.add_fault(fault)
        with pytest.raises(error, match="E-013"):
            await returns.read(None, since=TODAY)


async def test_nobody_listens() -> None:
    async with mailbox() as (_state, returns):
        pass
    with pytest.raises(RetryLater, match="E-013"):
        await returns.probe()


async def test_a_huge_message_is_looked_at_in_part() -> None:
    async with mailbox() as (state, returns):
        state.deliver(MESSAGE.replace(b"I'm sorry", b"I'm sorry" + b"x" * 2_000_000))
        state.deliver(MESSAGE)
        page = await returns.read(None, since=TODAY)
        assert len(page.returned) == 1
        assert page.place.uid == 2
