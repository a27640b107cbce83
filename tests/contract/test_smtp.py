"""The mail simulator as the standard library sees it; our mailer against it or a real server (README.md)."""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage

import pytest
import trustme

from connectors.smtp import SmtpMailer
from lucy.errors import RemoteError
from lucy.ports import Accepted, Letter
from sandbox.smtp import Inbox, InboxState
from tests.contract.services import named
from tests.integration.connectors.counting import CountingLimiter

USER, PASSWORD = "lucy", "a-sandbox-password"


@pytest.fixture
async def inbox() -> AsyncIterator[tuple[InboxState, int, ssl.SSLContext]]:
    """With STARTTLS and a login, and the context that trusts it."""
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    state = InboxState(credentials={USER: PASSWORD}, keep_raw=True)
    running = Inbox(state, starttls=server)
    port = await running.start()
    yield state, port, client
    await running.stop()


def letter(to: str = "ana@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Lucy <lucy@example.org>", to, "Tu contraseña, Iñaki"
    message["Message-ID"] = "<1@example.org>"
    message.set_content("Hola, Iñaki\n")
    return message


async def talk(port: int, context: ssl.SSLContext, what: Callable[[smtplib.SMTP], object]) -> object:
    def run() -> object:
        with smtplib.SMTP("localhost", port, timeout=10) as smtp:
            smtp.starttls(context=context)
            smtp.login(USER, PASSWORD)
            return what(smtp)

    return await asyncio.to_thread(run)


Running = tuple[InboxState, int, ssl.SSLContext]


async def test_the_standard_library_signs_in_and_sends(inbox: Running) -> None:
    state, port, context = inbox
    assert await talk(port, context, lambda smtp: smtp.send_message(letter())) == {}
    assert [(one.message_id, one.recipients) for one in state.messages] == [("<1@example.org>", ("ana@example.com",))]


async def test_the_server_tells_what_it_can(inbox: Running) -> None:
    _, port, context = inbox
    features = await talk(port, context, lambda smtp: (smtp.ehlo(), dict(smtp.esmtp_features))[1])
    assert {"8bitmime", "smtputf8", "size"} <= set(features)  # type: ignore[call-overload]


async def test_a_wrong_password_is_535(inbox: Running) -> None:
    _, port, context = inbox

    def run() -> None:
        with smtplib.SMTP("localhost", port, timeout=10) as smtp:
            smtp.starttls(context=context)
            smtp.login(USER, "wrong")

    with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        await asyncio.to_thread(run)
    assert caught.value.smtp_code == 535


async def test_nobody_signs_in_without_tls(inbox: Running) -> None:
    _, port, _ = inbox

    def run() -> None:
        with smtplib.SMTP("localhost", port, timeout=10) as smtp:
            smtp.login(USER, PASSWORD)

    with pytest.raises(smtplib.SMTPException):
        await asyncio.to_thread(run)


async def test_a_certificate_nobody_vouches_for_is_refused(inbox: Running) -> None:
    _, port, _ = inbox

    def run() -> None:
        with smtplib.SMTP("localhost", port, timeout=10) as smtp:
            smtp.starttls(context=ssl.create_default_context())

    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(run)


async def test_several_letters_go_over_one_connection_with_a_reset_between(inbox: Running) -> None:
    state, port, context = inbox

    def send(smtp: smtplib.SMTP) -> None:
        for number in range(3):
            smtp.send_message(letter(f"a{number}@example.com"))
            smtp.rset()

    await talk(port, context, send)
    assert (len(state.messages), state.connections) == (3, 1)


async def test_our_mailer_hands_a_letter_over() -> None:
    """Against the real server where one is named."""
    real = named("SMTP", "host", "port", "security", "from", "to")
    state = InboxState(keep_raw=True)
    running = Inbox(state)
    port = await running.start()
    values = real or {"host": "127.0.0.1", "port": str(port), "security": "none", "from": "lucy@example.org"}
    mailer = SmtpMailer(
        host=values["host"],
        port=int(values["port"]),
        security=values["security"],
        sender=values["from"],
        user=values.get("user", ""),
        password=values.get("password", ""),
        limiter=CountingLimiter(),
    )
    to = values.get("to", "ana@example.com")
    sent = Letter("1", "<contract.1@lucy.test>", to, "Iñaki Ñáñez", "Prueba de Lucy", "Hola, Iñaki.", "<p>Hola</p>")
    outcomes: list[Accepted | RemoteError] = [outcome async for _, outcome in mailer.send([sent])]
    await mailer.close()
    await running.stop()
    assert [type(one) for one in outcomes] == [Accepted], [str(one) for one in outcomes]
    if real is None:
        assert [one.message_id for one in state.messages] == ["<contract.1@lucy.test>"]
