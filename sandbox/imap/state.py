"""The mailbox: its messages by UID, who may enter."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sandbox.control import Control

COMMANDS = ("CONNECT", "LOGIN", "AUTHENTICATE", "EXAMINE", "SELECT", "SEARCH", "FETCH")


@dataclass(frozen=True)
class StoredMessage:
    uid: int
    arrived_on: date
    raw: bytes


@dataclass
class MailboxState:
    """`credentials`: login → password. `tokens`: OAuth tokens that XOAUTH2 takes, whoever they are of.

    `changed` counts what a client wrote, for a test to prove that one only read.
    """

    control: Control = field(default_factory=lambda: Control(COMMANDS))
    credentials: dict[str, str] = field(default_factory=lambda: {"returns@eco.unrc.edu.ar": "sandbox-imap-password"})
    folder: str = "INBOX"
    validity: int = 1
    messages: list[StoredMessage] = field(default_factory=list)
    last_uid: int = 0
    logins: int = 0
    changed: int = 0

    def deliver(self, raw: bytes, *, on: date | None = None) -> int:
        """A message arrives; returns its UID."""
        self.last_uid += 1
        self.messages.append(StoredMessage(self.last_uid, on or datetime.now(UTC).date(), raw))
        return self.last_uid

    def rebuild(self) -> None:
        """The server lost its numbering: the same messages under new UIDs and another UIDVALIDITY."""
        self.validity += 1
        self.messages = [
            StoredMessage(number, one.arrived_on, one.raw) for number, one in enumerate(self.messages, start=1)
        ]
        self.last_uid = len(self.messages)

    def reset(self) -> None:
        self.messages = []
        self.last_uid = self.logins = self.changed = 0
        self.validity += 1

    def snapshot(self) -> dict[str, Any]:
        """Never a message: a letter that came back can hold a password."""
        return {"messages": len(self.messages), "validity": self.validity, "logins": self.logins}
