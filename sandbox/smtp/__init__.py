"""An SMTP inbox that keeps what it accepts and fails on demand."""

from sandbox.smtp.inbox import Inbox, build_app
from sandbox.smtp.messages import InboxMessage
from sandbox.smtp.state import InboxState

__all__ = ["Inbox", "InboxMessage", "InboxState", "build_app"]
