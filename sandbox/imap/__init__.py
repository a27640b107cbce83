"""A small IMAP server: one mailbox to which letters come back, and which fails on demand."""

from sandbox.imap.bounces import bounce
from sandbox.imap.server import ImapServer
from sandbox.imap.state import MailboxState

__all__ = ["ImapServer", "MailboxState", "bounce"]
