"""The mail connector over real sockets against the simulated inbox."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import trustme

from connectors.smtp import SmtpMailer
from lucy.errors import (
    ConfigurationError,
    Invalid,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RetryLater,
    System,
)
from lucy.ports import Accepted, Letter, Mailer
from sandbox.control import Fault
from sandbox.smtp import Inbox, InboxState
from tests.integration.connectors.counting import CountingLimiter

SENDER = "Lucy · Económicas <lucy@eco.example.org>"
PASSWORD = "Contraseña-del-alumno-1"


@dataclass
class Bench:
    state: InboxState
    inbox: Inbox
    port: int
    mailer: SmtpMailer
    limiter: CountingLimiter

    def fail(self, match: str, action: str, **more: Any) -> None:
        self.state.control.add_fault(Fault(match=match, action=action, **more))


@asynccontextmanager
async def bench_with(*, state: InboxState | None = None, starttls: Any = None, tls: Any = None, **more: Any) -> Any:
    state = state or InboxState(keep_raw=True)
    inbox = Inbox(state, starttls=starttls, tls=tls)
    port = await inbox.start()
    limiter = CountingLimiter()
    mailer = SmtpMailer(
        **{
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "sender": SENDER,
            "limiter": limiter,
            "timeout_s": 5.0,
            **more,
        }
    )
    try:
        yield Bench(state, inbox, port, mailer, limiter)
    finally:
        await mailer.close()
        await inbox.stop()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with bench_with() as made:
        yield made


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def letter(number: int, **changes: str) -> Letter:
    fields = {
        "key": str(number),
        "message_id": f"<step-{number}@eco.example.org>",
        "to_address": f"s{number}@example.com",
        "to_name": "Ana Suárez",
        "subject": "Tus credenciales — bienvenida",
        "text": f"Hola.\n.\nContraseña: {PASSWORD}\n",
        "html": f"<p>Contraseña: <b>{PASSWORD}</b></p>",
        **changes,
    }
    return Letter(**fields)


def letters(count: int) -> list[Letter]:
    return [letter(number) for number in range(count)]


async def sent(mailer: Mailer, batch: Sequence[Letter]) -> dict[str, Accepted | RemoteError]:
    return {key: outcome async for key, outcome in mailer.send(batch)}


def code_of(outcome: object) -> str:
    assert isinstance(outcome, RemoteError)
    return outcome.code


async def test_many_letters_over_one_connection(bench: Bench) -> None:
    outcome = await sent(bench.mailer, letters(5))
    outcome |= await sent(bench.mailer, [letter(5)])
    assert all(isinstance(one, Accepted) and "2.0.0 OK" in one.reply for one in outcome.values())
    assert list(outcome) == ["0", "1", "2", "3", "4", "5"]
    assert (bench.state.connections, len(bench.state.messages)) == (1, 6)
    assert bench.limiter.spent == {System.MAIL: 6}


async def test_what_arrives(bench: Bench) -> None:
    await sent(bench.mailer, [letter(1)])
    (message,) = bench.state.messages
    assert (message.sender, message.recipients) == ("lucy@eco.example.org", ("s1@example.com",))
    assert message.message_id == "<step-1@eco.example.org>"
    assert message.subject == "Tus credenciales — bienvenida"
    assert message.text.replace("\r\n", "\n") == letter(1).text
    assert message.html.strip() == letter(1).html
    raw = message_from_bytes(message.raw or b"", policy=policy.default)
    assert raw["Auto-Submitted"] == "auto-generated"
    assert raw["From"].addresses[0].display_name == "Lucy · Económicas"


async def test_a_letter_nobody_can_be_sent_costs_nothing(bench: Bench) -> None:
    outcome = await sent(bench.mailer, [letter(1, to_address="no tiene"), letter(2, subject="x\r\nBcc: y@example.com")])
    assert all(isinstance(one, Invalid) and one.code == "E-001" for one in outcome.values())
    assert bench.state.connections == 0
    assert bench.limiter.spent == {}


@pytest.mark.parametrize(
    ("match", "status", "family", "code"),
    [
        ("RCPT s1@example.com", 450, RetryLater, "E-003"),
        ("DATA s1@example.com", 451, RetryLater, "E-003"),
        ("RCPT s1@example.com", 421, RetryLater, "E-003"),
        ("DATA s1@example.com", 421, RetryLater, "E-003"),
        ("RCPT s1@example.com", 550, Invalid, "E-004"),
        ("DATA s1@example.com", 554, Refused, "E-002"),
    ],
)
async def test_one_refused_letter_does_not_stop_the_others(
    bench: Bench, match: str, status: int, family: type[RemoteError], code: str
) -> None:
    bench.fail(match, "reply", status=status, body="5.1.1 <s1@example.com>: never heard of Ana")
    outcome = await sent(bench.mailer, letters(3))
    refused = outcome["1"]
    assert type(refused) is family
    assert code_of(refused) == code
    assert not any(secret in f"{refused!r} {refused}" for secret in ("s1@", "Ana", PASSWORD))
    assert isinstance(outcome["0"], Accepted)
    assert isinstance(outcome["2"], Accepted)
    assert {one.recipients[0] for one in bench.state.messages} == {"s0@example.com", "s2@example.com"}
    if isinstance(refused, RetryLater):
        assert refused.after_s == 60


@pytest.mark.parametrize(("status", "family", "code"), [(550, Refused, "E-002"), (451, RetryLater, "E-003")])
async def test_a_refused_sender(bench: Bench, status: int, family: type[RemoteError], code: str) -> None:
    bench.fail("MAIL", "reply", status=status)
    outcome = await sent(bench.mailer, letters(2))
    assert {(type(one), code_of(one)) for one in outcome.values()} == {(family, code)}


async def test_a_server_that_is_not_there() -> None:
    mailer = SmtpMailer(host="127.0.0.1", port=1, security="none", sender=SENDER, limiter=CountingLimiter())
    outcome = await sent(mailer, letters(3))
    assert all(isinstance(one, RetryLater) and one.code == "E-006" for one in outcome.values())
    await mailer.close()


async def test_a_server_that_is_closing_is_tried_once(bench: Bench) -> None:
    bench.fail("CONNECT", "reply", status=421)
    outcome = await sent(bench.mailer, letters(3))
    assert all(isinstance(one, RetryLater) and one.code == "E-006" for one in outcome.values())
    assert bench.state.connections == 1


async def test_a_connection_closed_between_two_runs_is_opened_again(bench: Bench) -> None:
    await sent(bench.mailer, [letter(1)])
    await bench.inbox.stop()
    await bench.inbox.start(port=bench.port)
    outcome = await sent(bench.mailer, [letter(2)])
    assert isinstance(outcome["2"], Accepted)
    assert bench.state.connections == 2


@pytest.mark.parametrize("action", ["cut_before", "reply"])
async def test_a_kept_connection_that_dies_at_the_first_command_costs_no_letter(bench: Bench, action: str) -> None:
    await sent(bench.mailer, [letter(1)])
    bench.fail("MAIL", action, times=1, status=421)
    outcome = await sent(bench.mailer, [letter(2)])
    assert isinstance(outcome["2"], Accepted)
    assert bench.state.connections == 2
    assert len(bench.state.messages) == 2


@pytest.mark.parametrize("match", ["MAIL", "RCPT"])
async def test_a_cut_before_the_letter_was_sent_may_be_tried_again(bench: Bench, match: str) -> None:
    bench.fail(match, "cut_before")
    outcome = await sent(bench.mailer, [letter(1)])
    assert isinstance(outcome["1"], RetryLater)
    assert code_of(outcome["1"]) == "E-006"
    assert bench.state.messages == []


@pytest.mark.parametrize(("action", "kept"), [("cut_before", 0), ("cut_after", 1), ("delay", 1)])
async def test_no_reply_to_a_sent_letter_leaves_it_unknown(action: str, kept: int) -> None:
    async with bench_with(timeout_s=0.2 if action == "delay" else 5.0) as bench:
        bench.fail("DATA s0@example.com", action, delay_s=0.3)
        outcome = await sent(bench.mailer, letters(2))
        assert isinstance(outcome["0"], OutcomeUnknown)
        assert code_of(outcome["0"]) == "E-006"
        assert isinstance(outcome["1"], Accepted)
        assert len(bench.state.messages) == 1 + kept


async def test_a_cancelled_send_leaves_no_half_conversation(bench: Bench) -> None:
    bench.fail("RCPT s0@example.com", "delay", times=1, delay_s=0.2)
    task = asyncio.create_task(sent(bench.mailer, [letter(0)]))
    for _ in range(100):
        if bench.state.control.calls("RCPT"):
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    outcome = await sent(bench.mailer, [letter(1)])
    assert isinstance(outcome["1"], Accepted)
    assert [one.recipients for one in bench.state.messages] == [("s1@example.com",)]


async def test_two_sends_at_once_share_the_connection(bench: Bench) -> None:
    first, second = await asyncio.gather(
        sent(bench.mailer, letters(3)), sent(bench.mailer, [letter(number) for number in range(3, 6)])
    )
    assert all(isinstance(one, Accepted) for one in (first | second).values())
    assert bench.state.connections == 1


# Security


def with_login() -> InboxState:
    return InboxState(credentials={"lucy": "smtp-password"})


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_and_login(security: str, server_tls: ssl.SSLContext, ca_file: Path) -> None:
    offered = {security: server_tls}
    login = {"user": "lucy", "password": "smtp-password"}
    async with bench_with(state=with_login(), security=security, ca_file=ca_file, **offered, **login) as bench:
        outcome = await sent(bench.mailer, letters(2))
        assert all(isinstance(one, Accepted) for one in outcome.values())
        assert (bench.state.connections, bench.state.logins) == (1, 1)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_unknown_authority_is_not_trusted(security: str, server_tls: ssl.SSLContext) -> None:
    async with bench_with(security=security, **{security: server_tls}) as bench:
        outcome = await sent(bench.mailer, letters(2))
        assert all(isinstance(one, Refused) and one.code == "E-009" for one in outcome.values())
        assert bench.state.messages == []


async def test_no_letter_goes_in_clear_where_starttls_is_asked_for() -> None:
    async with bench_with(security="starttls") as bench:
        outcome = await sent(bench.mailer, letters(2))
        assert {code_of(one) for one in outcome.values()} == {"E-009"}
        assert bench.state.messages == []


async def test_a_wrong_password_is_tried_once(bench: Bench) -> None:
    async with bench_with(state=with_login(), user="lucy", password="wrong") as bench:
        outcome = await sent(bench.mailer, letters(3))
        assert all(isinstance(one, Refused) and one.code == "E-005" for one in outcome.values())
        assert bench.state.connections == 1
        assert "wrong" not in repr(outcome)


async def test_a_login_that_is_missing() -> None:
    async with bench_with(state=with_login()) as bench:
        assert code_of((await sent(bench.mailer, [letter(1)]))["1"]) == "E-005"


async def test_a_server_without_login() -> None:
    async with bench_with(user="lucy", password="x") as bench:
        assert code_of((await sent(bench.mailer, [letter(1)]))["1"]) == "E-005"


async def test_a_login_that_must_wait() -> None:
    async with bench_with(state=with_login(), user="lucy", password="smtp-password") as bench:
        bench.fail("AUTH", "reply", status=454)
        outcome = (await sent(bench.mailer, [letter(1)]))["1"]
        assert isinstance(outcome, RetryLater)
        assert outcome.code == "E-006"


def test_a_sender_that_is_no_address() -> None:
    with pytest.raises(ConfigurationError, match="LUCY_MAIL_FROM"):
        SmtpMailer(host="x", port=1, security="none", sender="Lucy", limiter=CountingLimiter())
