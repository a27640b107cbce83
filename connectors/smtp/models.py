"""What only this connector knows of; the rest is in `lucy/ports.py`."""

from dataclasses import dataclass, field
from enum import StrEnum


class Stage(StrEnum):
    """How far a letter got; decides what a failure means."""

    CONNECT = "CONNECT"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A letter as it goes over the line. `content` is CRLF-ended, with leading dots not doubled yet."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)
