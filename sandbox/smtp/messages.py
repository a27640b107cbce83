"""One accepted letter, taken apart."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass(frozen=True)
class InboxMessage:
    """What the server took responsibility for. `sender` and `recipients` are the envelope's; the rest is the letter's.

    `text` and `html` can hold a password: `summary()` leaves them and the raw bytes out.
    """

    number: int
    connection: int
    sender: str
    recipients: tuple[str, ...]
    header_from: str
    header_to: str
    message_id: str
    subject: str
    text: str
    html: str
    size_bytes: int
    raw: bytes | None = None

    def summary(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "connection": self.connection,
            "sender": self.sender,
            "recipients": list(self.recipients),
            "from": self.header_from,
            "to": self.header_to,
            "message_id": self.message_id,
            "subject": self.subject,
            "size_bytes": self.size_bytes,
        }

    def full(self) -> dict[str, Any]:
        raw = {} if self.raw is None else {"raw": self.raw.decode("utf-8", errors="replace")}
        return {**self.summary(), "text": self.text, "html": self.html, **raw}


def read_message(
    content: bytes, *, number: int, connection: int, sender: str, recipients: list[str], keep_raw: bool
) -> InboxMessage:
    """Parse one letter; a header that is not there is the empty text."""
    letter = message_from_bytes(content, policy=policy.default)
    return InboxMessage(
        number=number,
        connection=connection,
        sender=sender,
        recipients=tuple(recipients),
        header_from=str(letter.get("From", "")),
        header_to=str(letter.get("To", "")),
        message_id=str(letter.get("Message-ID", "")).strip(),
        subject=str(letter.get("Subject", "")),
        text=_body(letter, "plain"),
        html=_body(letter, "html"),
        size_bytes=len(content),
        raw=content if keep_raw else None,
    )


def _body(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body(preferencelist=(kind,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
