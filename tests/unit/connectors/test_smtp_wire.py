"""Letters into MIME, replies into errors."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mailbox import Mailbox, mailbox, sender_mailbox
from connectors.smtp import wire
from connectors.smtp.models import Stage
from lucy.errors import ConfigurationError, Invalid, Refused, RemoteError, RetryLater
from lucy.ports import Letter

NOW = datetime(2026, 2, 20, 11, 15, tzinfo=UTC)
SENDER = Mailbox("lucy@eco.example.org", "Lucy · Económicas")
LETTER = Letter(
    key="1",
    message_id="<step-123.7f3c2b9e1d2a4c5b8e9f0a1b2c3d4e5f6a7b8c9d@eco.example.org>",
    to_address="ana@example.com",
    to_name="Ana Suárez de la Fuente Güiraldes y Ñandú",
    subject="Tus credenciales — Facultad de Ciencias Económicas, Universidad Nacional de Río Cuarto",
    text="Hola, Ana.\n.Punto inicial\nContraseña: x" + "y" * 400 + "\n",
    html="<p>Hola, <b>Ana</b>. Año ñandú</p>",
)


def parsed(letter: Letter) -> EmailMessage:
    envelope = wire.envelope(letter, sender=SENDER, now=NOW)
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_letter_reads_back() -> None:
    message = parsed(LETTER)
    assert message["Message-ID"].strip() == LETTER.message_id
    assert message["Subject"] == LETTER.subject
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["To"].addresses[0].display_name == LETTER.to_name
    assert message["To"].addresses[0].addr_spec == "ana@example.com"
    assert message["From"].addresses[0].display_name == SENDER.name
    assert message["Date"].datetime == NOW
    assert message.get_content_type() == "multipart/alternative"
    assert body(message, "plain") == LETTER.text
    assert body(message, "html").strip() == LETTER.html


def test_the_line_is_ascii_and_short() -> None:
    content = wire.envelope(LETTER, sender=SENDER, now=NOW).content
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert f"Message-ID: {LETTER.message_id}".encode() in content.replace(b"\r\n ", b" ")


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_any_name_and_text_can_be_written(name: str, text: str) -> None:
    letter = replace(LETTER, to_name=name, subject=name, text=text)
    content = wire.envelope(letter, sender=SENDER, now=NOW).content
    assert not set(content.replace(b"\r\n", b"")) & set(b"\r\n")  # no bare line ends: no smuggled second letter
    headers = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.partition(b":")[0] for line in headers if not line.startswith((b" ", b"\t"))]
    assert sorted(names) == sorted(
        [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"Content-Type", b"MIME-Version"]
    )


@pytest.mark.parametrize(
    "change",
    [
        {"to_name": "Ana\r\nBcc: all@example.com"},
        {"subject": "Hola\nBcc: all@example.com"},
        {"subject": "Hola\u2028Bcc: all@example.com"},
        {"message_id": "<a@b>\r\nX: y"},
        {"to_address": "ana@example.com\r\nRCPT TO:<all@example.com>"},
        {"to_address": "ana@example.com, all@example.com"},
        {"to_address": "ana@example.com> SIZE=1"},
        {"to_address": ""},
        {"to_address": "no tiene"},
        {"to_address": "ana@"},
        {"to_address": "@example.com"},
        {"to_address": "ana@exa mple.com"},
        {"to_address": "ana@-..com"},
        {"to_address": "añá@example.com"},
        {"to_address": "a..b@example.com"},
    ],
)
def test_what_cannot_be_addressed_is_invalid(change: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        wire.envelope(replace(LETTER, **change), sender=SENDER, now=NOW)
    assert caught.value.code == "E-001"
    assert caught.value.__cause__ is None
    assert not any(value and value in str(caught.value) for value in change.values())


@pytest.mark.parametrize(
    ("domain", "written"),
    [
        ("faß.example", "xn--fa-hia.example"),  # IDNA 2003 would make another domain of it: fass.example
        ("Ñandú.example", "xn--and-6ma2c.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
    ],
)
def test_each_international_domain_is_the_one_that_is_meant(domain: str, written: str) -> None:
    assert mailbox(f"ana@{domain}").address == f"ana@{written}"


def test_international_domains_go_as_idna() -> None:
    envelope = wire.envelope(replace(LETTER, to_address="ana@Correo.Ñandú.example"), sender=SENDER, now=NOW)
    assert envelope.recipient == "ana@correo.xn--and-6ma2c.example"


def test_sender_setting() -> None:
    assert sender_mailbox("Lucy <lucy@example.org>") == Mailbox("lucy@example.org", "Lucy")
    assert sender_mailbox("lucy@example.org") == Mailbox("lucy@example.org")
    with pytest.raises(ConfigurationError, match=r"LUCY_MAIL_FROM.*not a mail"):
        sender_mailbox("Lucy")


def test_dots_are_doubled() -> None:
    assert wire.data_block(b"a\r\n.b\r\n..c") == b"a\r\n..b\r\n...c\r\n.\r\n"


@pytest.mark.parametrize(
    ("stage", "status", "family", "code"),
    [
        (Stage.RCPT, 450, RetryLater, "E-003"),
        (Stage.DATA, 451, RetryLater, "E-003"),
        (Stage.MAIL, 421, RetryLater, "E-003"),
        (Stage.RCPT, 550, Invalid, "E-004"),
        (Stage.RCPT, 553, Invalid, "E-004"),
        (Stage.MAIL, 550, Refused, "E-002"),
        (Stage.DATA, 554, Refused, "E-002"),
        (Stage.AUTH, 535, Refused, "E-005"),
        (Stage.AUTH, 504, Refused, "E-005"),
        (Stage.AUTH, 454, RetryLater, "E-006"),
        (Stage.MAIL, 530, Refused, "E-005"),
        (Stage.CONNECT, 421, RetryLater, "E-006"),
        (Stage.CONNECT, 554, RetryLater, "E-006"),
        (Stage.DATA, -1, RetryLater, "E-006"),
    ],
)
def test_replies(stage: Stage, status: int, family: type[RemoteError], code: str) -> None:
    error = wire.reply_error(stage, status, "5.1.1 <ana@example.com> is unknown here")
    assert type(error) is family
    assert error.code == code
    assert error.ids.remote_code == f"{status} 5.1.1"
    assert "ana" not in f"{error} {error!r}"


def test_a_greylisted_recipient_waits_a_minute() -> None:
    error = wire.reply_error(Stage.RCPT, 451, "")
    assert isinstance(error, RetryLater)
    assert error.after_s == 60
