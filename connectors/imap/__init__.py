"""The mailbox to which letters come back, through IMAP."""

from connectors.imap.client import ImapReturns

__all__ = ["ImapReturns"]
