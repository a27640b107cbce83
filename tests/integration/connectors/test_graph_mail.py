"""Letters through Graph's sendMail, over TLS, against the simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connectors.graph.mail import GraphMailer
from connectors.graph.token import MsalTokens
from connectors.http import build_http_client
from lucy.errors import Invalid, OutcomeUnknown, Refused, RemoteError, RetryLater, System
from lucy.ports import Accepted, Letter, Mailer
from sandbox.control import Fault
from sandbox.together import Population, Simulators, simulating, simulators
from tests.integration.connectors.counting import CountingLimiter

SENDER = "Aula virtual <aula.virtual@eco.unrc.edu.ar>"
PASSWORD = "Contraseña-del-alumno-1"
LETTER = Letter(
    key="1",
    message_id="<lucy.1.2@eco.unrc.edu.ar>",
    to_address="ana@Correo.Ñandú.example",
    to_name="Ana Ñandú",
    subject="Tu cuenta está lista",
    text=f"Clave: {PASSWORD}",
    html=f"<p>Clave: <b>{PASSWORD}</b></p>",
)


@dataclass
class Bench:
    states: Simulators
    mailer: Mailer
    limiter: CountingLimiter

    def fail(self, action: str, **more: Any) -> None:
        self.states.graph.control.add_fault(Fault("POST /users/{id}/sendMail", action, **{"times": 1, **more}))

    async def send(self, *letters: Letter) -> list[Accepted | RemoteError]:
        return [answer async for _key, answer in self.mailer.send(letters or [LETTER])]


@asynccontextmanager
async def bench_with(
    folder: Path, *, permissions: frozenset[str] = frozenset({"Mail.Send"}), sender: str = SENDER
) -> AsyncIterator[Bench]:
    states, limiter = simulators(Population()), CountingLimiter()
    states.graph.permissions |= permissions
    async with simulating(states, folder) as addresses, build_http_client(Path(addresses.ca_file)) as http:
        tokens = MsalTokens(
            addresses.login_url,
            addresses.tenant_id,
            addresses.graph_client_id,
            addresses.graph_client_secret,
            Path(addresses.ca_file),
        )
        mailer = GraphMailer(
            base_url=addresses.graph_url, tokens=tokens, http=http, limiter=limiter, sender=sender, timeout_s=3.0
        )
        try:
            yield Bench(states, mailer, limiter)
        finally:
            tokens.close()


@pytest.fixture
async def bench(certificates: Path) -> AsyncIterator[Bench]:
    async with bench_with(certificates) as opened:
        yield opened


async def test_a_letter_arrives_and_nothing_of_it_stays_with_the_sender(bench: Bench) -> None:
    (answer,) = await bench.send()
    assert isinstance(answer, Accepted), answer
    assert answer.reply.startswith("202 ")
    (message,) = bench.states.inbox.messages
    assert message.message_id == LETTER.message_id
    assert message.recipients == ("ana@correo.xn--and-6ma2c.example",)
    assert message.subject == LETTER.subject
    assert PASSWORD in message.html
    assert bench.states.graph.saved_letters == 0, "a copy in Sent Items would keep the password"
    assert bench.limiter.spent == {System.MAIL: 1}


@pytest.mark.parametrize(
    ("status", "body_code", "family", "code"),
    [
        (400, "ErrorInvalidRecipients", Invalid, "E-004"),
        (400, "ErrorMessageSizeExceeded", Refused, "E-002"),
        (403, "ErrorAccessDenied", Refused, "E-017"),
        (403, "ErrorSendAsDenied", Refused, "E-002"),
        (404, "MailboxNotEnabledForRESTAPI", Refused, "E-018"),
        (408, "", RetryLater, "E-006"),
        (413, "", Refused, "E-002"),
        (500, "", OutcomeUnknown, "E-006"),
        (502, "", OutcomeUnknown, "E-006"),
        (503, "", RetryLater, "E-006"),
        (504, "", OutcomeUnknown, "E-006"),
    ],
)
async def test_what_exchange_says_is_named(
    bench: Bench, status: int, body_code: str, family: type[RemoteError], code: str
) -> None:
    body = {"error": {"code": body_code, "message": f"about {LETTER.to_address}"}} if body_code else None
    bench.fail("status", status=status, body=body)
    (answer,) = await bench.send()
    assert type(answer) is family, answer
    assert answer.code == code
    assert "ana@" not in str(answer) + repr(answer)
    assert PASSWORD not in repr(answer)


async def test_a_wait_that_exchange_asks_for_is_everybodys(bench: Bench) -> None:
    bench.fail("status", status=429, retry_after_s=17)
    (answer,) = await bench.send()
    assert isinstance(answer, RetryLater)
    assert (answer.code, answer.after_s, answer.throttled) == ("E-019", 17.0, True)
    assert bench.limiter.held_back_s == {System.MAIL: 17.0}


@pytest.mark.parametrize(
    ("action", "family", "arrives"),
    [
        ("cut_before", OutcomeUnknown, 0),
        ("cut_after", OutcomeUnknown, 1),
        ("html", OutcomeUnknown, 0),
        ("delay", OutcomeUnknown, 1),
    ],
)
async def test_a_lost_answer_is_in_doubt(bench: Bench, action: str, family: type[RemoteError], arrives: int) -> None:
    bench.fail(action, delay_s=3.5, status=502)
    (answer,) = await bench.send()
    assert type(answer) is family, answer
    if action != "delay":
        assert len(bench.states.inbox.messages) == arrives


async def test_an_expired_token_is_renewed_once(bench: Bench) -> None:
    await bench.send()
    bench.states.graph.tokens.clear()
    (answer,) = await bench.send()
    assert isinstance(answer, Accepted)
    bench.fail("status", status=401, times=2)
    (answer,) = await bench.send()
    assert isinstance(answer, Refused)
    assert answer.code == "E-005"


@pytest.mark.parametrize(
    "change", [{"to_address": "nadie"}, {"to_address": ""}, {"subject": "a\nBcc: x"}, {"message_id": "<a>\r\nX: y"}]
)
async def test_what_no_header_may_hold_is_not_sent(bench: Bench, change: dict[str, str]) -> None:
    (answer, other) = await bench.send(replace(LETTER, **change), LETTER)
    assert isinstance(answer, Invalid)
    assert answer.code == "E-001"
    assert isinstance(other, Accepted)
    assert len(bench.states.inbox.messages) == 1


async def test_the_probe_sends_nothing(bench: Bench, certificates: Path) -> None:
    bench.states.graph.seed({"users": [{"userPrincipalName": "aula.virtual@eco.unrc.edu.ar"}]})
    await bench.mailer.probe()
    assert bench.states.inbox.messages == []
    async with bench_with(certificates, permissions=frozenset()) as without:
        with pytest.raises(Refused, match="E-017"):
            await without.mailer.probe()
    async with bench_with(certificates, sender="nadie@eco.unrc.edu.ar") as without:
        with pytest.raises(Refused, match="E-018"):
            await without.mailer.probe()
        (answer,) = await without.send()
        assert isinstance(answer, Refused)
        assert answer.code == "E-018"
