"""Mail as pure functions: letters into MIME, replies into errors.

Sources: RFC 5321 (replies), RFC 5322 (headers), RFC 3834 (Auto-Submitted), RFC 3463 (enhanced codes).
No address, subject or body ever goes into an error.
"""

import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from connectors.mailbox import CONTROL, Mailbox, mailbox
from connectors.smtp.models import Envelope, Stage
from lucy.errors import Invalid, OutcomeUnknown, Refused, RemoteError, RemoteIds, RetryLater, System
from lucy.ports import Accepted, Letter

OPERATION = "send"
RECIPIENT_WAIT_S = 60.0
SERVER_WAIT_S = 30.0
MAX_REPLY = 200

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_LEADING_DOT = re.compile(rb"(?m)^\.")


def envelope(letter: Letter, *, sender: Mailbox, now: datetime, returns_to: str = "") -> Envelope:
    """The letter as it goes over the line; `returns_to` is where it comes back, the sender where that is empty.

    Raises Invalid `E-001` for an address that is none, and for line breaks where a header would begin.
    """
    try:
        recipient = mailbox(letter.to_address, name=letter.to_name)
        if CONTROL.search(letter.subject) or CONTROL.search(letter.message_id):
            raise ValueError("a control character in a header")
        content = _message(letter, sender=sender, recipient=recipient, now=now).as_bytes()
    except ValueError as error:
        raise Invalid(System.MAIL, OPERATION, "E-001", detail=str(error)) from None
    except (MessageError, LookupError):
        raise Invalid(System.MAIL, OPERATION, "E-001", detail="the letter cannot be written as MIME") from None
    return Envelope(sender=returns_to or sender.address, recipient=recipient.address, content=content)


def _message(letter: Letter, *, sender: Mailbox, recipient: Mailbox, now: datetime) -> EmailMessage:
    """multipart/alternative of text and HTML. Quoted-printable: ASCII lines of at most 76, whatever the text."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=sender.name, addr_spec=sender.address)
    message["To"] = Address(display_name=recipient.name, addr_spec=recipient.address)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, charset="utf-8", cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", charset="utf-8", cte="quoted-printable")
    return message


def data_block(content: bytes) -> bytes:
    """What follows 354: leading dots doubled, the final dot added (RFC 5321, 4.5.2)."""
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    return _LEADING_DOT.sub(b"..", content) + b".\r\n"


def accepted(text: str) -> Accepted:
    return Accepted(reply=CONTROL.sub(" ", text)[:MAX_REPLY])


def reply_error(stage: Stage, status: int, text: str) -> RemoteError:
    """The error of a refusing reply. Its text may name the recipient, so only the codes are kept."""
    codes = _codes(status, text)
    detail = f"{codes} at {stage.value}"
    ids = RemoteIds(remote_code=codes)
    family, code = _family(stage, status)
    if family is RetryLater:
        wait_s = SERVER_WAIT_S if stage in (Stage.CONNECT, Stage.AUTH) else RECIPIENT_WAIT_S
        return RetryLater(System.MAIL, OPERATION, code, detail=detail, ids=ids, after_s=wait_s)
    return family(System.MAIL, OPERATION, code, detail=detail, ids=ids)


def _family(stage: Stage, status: int) -> tuple[type[RemoteError], str]:
    if status in (530, 534, 535, 538) or (stage is Stage.AUTH and status >= 500):
        return Refused, "E-005"
    if stage in (Stage.CONNECT, Stage.AUTH) or not 400 <= status < 600:
        return RetryLater, "E-006"
    if status < 500:
        return RetryLater, "E-003"
    if stage is Stage.RCPT:
        return Invalid, "E-004"
    return Refused, "E-002"


def _codes(status: int, text: str) -> str:
    enhanced = _ENHANCED.match(text)
    return f"{status} {enhanced[0]}" if enhanced else str(status)


def unknown_name() -> RetryLater:
    """The resolver may be away for a moment; a name that is wrong stays so."""
    return RetryLater(System.MAIL, OPERATION, "E-012", detail="the name is not known", after_s=SERVER_WAIT_S)


def unreachable(detail: str) -> RetryLater:
    """No connection, or one lost before the letter was sent."""
    return RetryLater(System.MAIL, OPERATION, "E-006", detail=detail, after_s=SERVER_WAIT_S)


def no_answer() -> OutcomeUnknown:
    """The letter was sent and the connection ended before the reply: the server may have it."""
    return OutcomeUnknown(System.MAIL, OPERATION, "E-006", detail="no reply after DATA")


def no_login(detail: str) -> Refused:
    return Refused(System.MAIL, OPERATION, "E-005", detail=detail)


def insecure(detail: str) -> Refused:
    """TLS cannot be had as configured: waiting does not help."""
    return Refused(System.MAIL, OPERATION, "E-009", detail=detail)
