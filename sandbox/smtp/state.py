"""What the inbox has received, and how it was reached."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.control import Control
from sandbox.imap.state import MailboxState
from sandbox.smtp.messages import InboxMessage, read_message

COMMANDS = ("CONNECT", "AUTH", "MAIL", "RCPT", "DATA")


@dataclass
class InboxState:
    """`credentials`: login → password; when there are any, MAIL needs a login first (530).

    `connections` counts those ever opened and `open_connections` those open now, so that a test can prove that many
    letters went over one. `keep_raw` keeps each letter's bytes too. `returns` is where letters come back.
    """

    control: Control = field(default_factory=lambda: Control(COMMANDS))
    credentials: dict[str, str] = field(default_factory=dict)
    keep_raw: bool = False
    returns: MailboxState | None = None
    messages: list[InboxMessage] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    logins: int = 0
    refused_logins: int = 0
    last_connection: int = 0

    def opened(self) -> int:
        """Count one connection; returns its number, which a reset does not give again."""
        self.connections += 1
        self.open_connections += 1
        self.last_connection += 1
        return self.last_connection

    def receive(self, content: bytes, *, sender: str, recipients: list[str], connection: int = 0) -> None:
        """A letter arrives, over SMTP or from elsewhere."""
        self.messages.append(
            read_message(
                content,
                number=len(self.messages) + 1,
                connection=connection,
                sender=sender,
                recipients=recipients,
                keep_raw=self.keep_raw,
            )
        )

    def reset(self) -> None:
        """Empties the box and the counts; connections open now stay open and counted."""
        self.messages = []
        self.connections = self.open_connections
        self.logins = 0
        self.refused_logins = 0

    def snapshot(self) -> dict[str, Any]:
        """Never a body: it can hold a password."""
        return {
            "connections": self.connections,
            "open_connections": self.open_connections,
            "logins": self.logins,
            "refused_logins": self.refused_logins,
            "message_count": len(self.messages),
            "messages": [message.summary() for message in self.messages],
        }

    def sent_to(self, recipient: str) -> list[InboxMessage]:
        """The letters to one address, in any case, oldest first."""
        wanted = recipient.lower()
        return [message for message in self.messages if wanted in (one.lower() for one in message.recipients)]
