"""The SMTP inbox with real clients: smtplib (in a thread) and aiosmtplib."""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest
import trustme

from sandbox.control import Fault, serve
from sandbox.smtp import Inbox, InboxState, build_app

LOGIN, PASSWORD = "lucy", "sandbox-smtp-password"


def letter(to: str = "ana@example.com", *, number: int = 1) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Lucy <lucy@example.org>"
    message["To"] = to
    message["Subject"] = "Tu contraseña, Iñaki"
    message["Message-ID"] = f"<{number}@example.org>"
    message.set_content("Clave temporal: secreta-ñ")
    message.add_alternative("<p>Clave temporal: <b>secreta-ñ</b></p>", subtype="html")
    return message


class Certificates:
    """A throw-away authority, and a server context and a client context under it."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(self.server)
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


@pytest.fixture
def state() -> InboxState:
    return InboxState()


@pytest.fixture
async def port(state: InboxState) -> AsyncIterator[int]:
    inbox = Inbox(state)
    yield await inbox.start()
    await inbox.stop()


def client(port: int, **options: object) -> aiosmtplib.SMTP:
    plain = {"hostname": "127.0.0.1", "port": port, "timeout": 5, "start_tls": False}
    return aiosmtplib.SMTP(**(plain | options))  # type: ignore[arg-type]


async def in_thread(talk: Callable[[], None]) -> None:
    """smtplib blocks; the inbox runs on this loop."""
    await asyncio.to_thread(talk)


async def no_open_connections(state: InboxState) -> None:
    for _ in range(200):
        if state.open_connections == 0:
            return
        await asyncio.sleep(0.01)
    pytest.fail("a lost connection is still counted")


# --- keeping ---


async def test_a_letter_is_kept_parsed(state: InboxState, port: int) -> None:
    async with client(port) as smtp:
        await smtp.send_message(letter())
    (kept,) = state.messages
    assert (kept.sender, kept.recipients) == ("lucy@example.org", ("ana@example.com",))
    assert (kept.header_from, kept.header_to) == ("Lucy <lucy@example.org>", "ana@example.com")
    assert (kept.message_id, kept.subject) == ("<1@example.org>", "Tu contraseña, Iñaki")
    assert kept.text.strip() == "Clave temporal: secreta-ñ"
    assert "<b>secreta-ñ</b>" in kept.html
    assert kept.size_bytes > 200
    assert kept.raw is None


async def test_raw_bytes_on_request(state: InboxState, port: int) -> None:
    state.keep_raw = True
    async with client(port) as smtp:
        await smtp.sendmail("lucy@example.org", ["ana@example.com"], "Subject: hola\r\n\r\n.punto\r\n")
    (kept,) = state.messages
    assert kept.raw == b"Subject: hola\r\n\r\n.punto\r\n"
    assert (kept.text, kept.html, kept.message_id) == (".punto\n", "", "")


async def test_smtplib_too(state: InboxState, port: int) -> None:
    def talk() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
            smtp.send_message(letter())

    await in_thread(talk)
    assert len(state.messages) == 1


async def test_one_kept_connection_carries_many_letters(state: InboxState, port: int) -> None:
    async with client(port) as smtp:
        for number in range(5):
            await smtp.send_message(letter(number=number))
        assert state.open_connections == 1
    assert (state.connections, len(state.messages)) == (1, 5)
    assert {kept.connection for kept in state.messages} == {1}
    async with client(port) as smtp:
        await smtp.send_message(letter())
    assert (state.connections, state.messages[-1].connection) == (2, 2)


async def test_letters_to_one_address(state: InboxState, port: int) -> None:
    async with client(port) as smtp:
        await smtp.send_message(letter("Ana@example.com"))
        await smtp.send_message(letter("eva@example.com"))
    assert [kept.header_to for kept in state.sent_to("ana@EXAMPLE.com")] == ["Ana@example.com"]


# --- TLS and logins ---


async def test_starttls(state: InboxState, certificates: Certificates) -> None:
    inbox = Inbox(state, starttls=certificates.server)
    port = await inbox.start()
    async with client(port, start_tls=True, tls_context=certificates.client) as smtp:
        await smtp.send_message(letter())
    assert (state.connections, len(state.messages)) == (1, 1)

    def talk() -> None:
        with smtplib.SMTP("localhost", port, timeout=5) as smtp:
            smtp.starttls(context=certificates.client)
            smtp.send_message(letter())

    await in_thread(talk)
    assert (state.connections, len(state.messages)) == (2, 2)
    await inbox.stop()
    assert state.open_connections == 0


async def test_tls_from_the_first_byte(state: InboxState, certificates: Certificates) -> None:
    state.credentials = {LOGIN: PASSWORD}
    inbox = Inbox(state, tls=certificates.server)
    port = await inbox.start()
    async with client(port, use_tls=True, tls_context=certificates.client) as smtp:
        await smtp.login(LOGIN, PASSWORD)
        await smtp.send_message(letter())
    await inbox.stop()
    assert len(state.messages) == 1


async def test_untrusted_certificate(state: InboxState, certificates: Certificates) -> None:
    inbox = Inbox(state, starttls=certificates.server)
    port = await inbox.start()
    with pytest.raises(ssl.SSLCertVerificationError):  # aiosmtplib lets it through as it is
        async with client(port, start_tls=True, tls_context=Certificates().client):
            pass
    await no_open_connections(state)
    await inbox.stop()
    assert state.messages == []


async def test_stopping_in_the_middle_of_a_handshake(state: InboxState, certificates: Certificates) -> None:
    inbox = Inbox(state, starttls=certificates.server)
    reader, writer = await asyncio.open_connection("127.0.0.1", await inbox.start())
    await reader.readline()
    writer.write(b"STARTTLS\r\n")
    assert (await reader.readline()).startswith(b"220 ")
    await inbox.stop()
    assert state.open_connections == 0
    writer.close()


def test_not_both_kinds_of_tls(state: InboxState, certificates: Certificates) -> None:
    with pytest.raises(ValueError, match="not both"):
        Inbox(state, starttls=certificates.server, tls=certificates.server)


async def test_logins(state: InboxState, port: int) -> None:
    state.credentials = {LOGIN: PASSWORD}
    async with client(port) as smtp:
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as unknown:
            await smtp.send_message(letter())
        assert unknown.value.code == 530
        await smtp.rset()
        with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
            await smtp.login(LOGIN, "wrong")
        assert refused.value.code == 535
        await smtp.login(LOGIN, PASSWORD)
        await smtp.send_message(letter())
    assert (state.logins, len(state.messages)) == (1, 1)
    assert state.refused_logins >= 1


async def test_login_over_starttls_only(state: InboxState, certificates: Certificates) -> None:
    state.credentials = {LOGIN: PASSWORD}
    inbox = Inbox(state, starttls=certificates.server)
    port = await inbox.start()
    async with client(port) as smtp:
        await smtp.ehlo()
        assert not smtp.supports_extension("auth")
        await smtp.starttls(tls_context=certificates.client)
        await smtp.login(LOGIN, PASSWORD)
        await smtp.send_message(letter())
    await inbox.stop()
    assert state.logins == 1


async def test_no_auth_is_offered_without_credentials(port: int) -> None:
    async with client(port) as smtp:
        await smtp.ehlo()
        assert not smtp.supports_extension("auth")


# --- faults ---


@pytest.mark.parametrize("status", [451, 550])
async def test_one_recipient_refused(state: InboxState, port: int, status: int) -> None:
    state.control.add_fault(Fault(match="RCPT ana@example.com", action="reply", status=status, body="5.1.1 no existe"))
    async with client(port) as smtp:
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await smtp.send_message(letter())
        (one,) = refused.value.recipients
        assert (one.code, one.message) == (status, "5.1.1 no existe")
        await smtp.send_message(letter("eva@example.com"))
    assert [kept.recipients for kept in state.messages] == [("eva@example.com",)]
    assert state.connections == 1


async def test_sender_refused_once(state: InboxState, port: int) -> None:
    state.control.add_fault(Fault(match="MAIL", action="reply", status=451, times=1))
    async with client(port) as smtp:
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
            await smtp.send_message(letter())
        assert (refused.value.code, refused.value.message) == (451, "4.3.0 Try again later")
        await smtp.send_message(letter())
    assert len(state.messages) == 1


async def test_letter_refused_after_the_dot_is_not_kept(state: InboxState, port: int) -> None:
    state.control.add_fault(Fault(match="DATA", action="reply", status=552, body="5.2.2 Mailbox full", times=1))
    async with client(port) as smtp:
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await smtp.send_message(letter())
        assert refused.value.code == 552
    assert state.messages == []


async def test_greeting_and_login_refused(state: InboxState, port: int) -> None:
    state.control.add_fault(Fault(match="CONNECT", action="reply", status=421, times=1))
    with pytest.raises(aiosmtplib.SMTPException):
        async with client(port):
            pass
    state.credentials = {LOGIN: PASSWORD}
    state.control.add_fault(Fault(match="AUTH", action="reply", status=454, body="4.7.0 Temporary failure"))
    async with client(port) as smtp:
        with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
            await smtp.login(LOGIN, PASSWORD)
    assert refused.value.code == 454
    assert state.logins == 0


async def test_cut_after_data_keeps_the_letter_and_says_nothing(state: InboxState, port: int) -> None:
    state.control.add_fault(Fault(match="DATA ana@example.com", action="cut_after", times=1))
    smtp = client(port)
    await smtp.connect()
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await smtp.send_message(letter())
    smtp.close()
    await no_open_connections(state)
    assert len(state.messages) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_cut_before_keeps_nothing(state: InboxState, port: int, command: str) -> None:
    state.control.add_fault(Fault(match=command, action="cut_before", times=1))

    def talk() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
            smtp.send_message(letter())

    with pytest.raises(smtplib.SMTPServerDisconnected):
        await in_thread(talk)
    assert state.messages == []


async def test_late_reply_to_a_kept_letter(state: InboxState, port: int) -> None:
    state.control.add_fault(Fault(match="DATA", action="delay", delay_s=0.3, times=1))
    smtp = client(port, timeout=0.1)
    await smtp.connect()
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await smtp.send_message(letter())
    smtp.close()
    assert len(state.messages) == 1


async def test_delay_is_only_a_delay(state: InboxState, port: int) -> None:
    state.control.add_fault(Fault(match="RCPT", action="delay", delay_s=0.05, times=1))
    async with client(port) as smtp:
        await smtp.send_message(letter())
    assert len(state.messages) == 1


async def test_an_unknown_action_is_loud(state: InboxState, port: int) -> None:
    state.control.add_fault(Fault(match="MAIL", action="html", times=1))
    async with client(port) as smtp:
        with pytest.raises(aiosmtplib.SMTPSenderRefused, match="does not know the action html"):
            await smtp.send_message(letter())


async def test_a_fault_for_an_address_in_any_command(state: InboxState, port: int) -> None:
    state.control.add_fault(
        Fault(match="ana@example.com", action="reply", status=450, body="4.2.1 greylisted", times=2)
    )
    async with client(port) as smtp:
        for _ in range(2):
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                await smtp.send_message(letter())
        await smtp.send_message(letter())
    assert [one["address"] for one in state.control.calls("RCPT")] == ["ana@example.com"] * 3


# --- control ---


async def test_bodies_only_when_asked_for(state: InboxState, port: int) -> None:
    async with client(port) as smtp:
        await smtp.send_message(letter())
        await smtp.send_message(letter("eva@example.com"))
    runner, control_port = await serve(build_app(state), port=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{control_port}") as http:
        for path in ("/_control/state", "/_control/inbox/messages", "/_control/calls"):
            response = await http.get(path)
            assert response.status_code == 200
            assert "Clave temporal" not in response.text
        shown = (await http.get("/_control/state")).json()
        assert (shown["connections"], shown["message_count"]) == (1, 2)
        full = (await http.get("/_control/inbox/messages", params={"full": "1", "to": "eva@example.com"})).json()
        assert [one["text"].strip() for one in full] == ["Clave temporal: secreta-ñ"]
        await http.post("/_control/faults", json={"match": "RCPT", "action": "reply", "status": 550, "times": 1})
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            async with client(port) as smtp:
                await smtp.send_message(letter())
        await http.post("/_control/reset")
    await runner.cleanup()
    assert (state.messages, state.connections) == ([], 0)


async def test_stopping_drops_the_open_connections(state: InboxState) -> None:
    inbox = Inbox(state)
    smtp = client(await inbox.start())
    await smtp.connect()
    await inbox.stop()
    await inbox.stop()
    assert state.open_connections == 0
    smtp.close()
