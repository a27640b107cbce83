"""What is asked of the return mailbox, as docs/connectors/imap.md shows it. Source: RFC 9051, 3464."""

from connectors.imap.wire import LONGEST
from connectors.reference import CallReference, LimitReference, Reference
from lucy.errors import System

REFERENCE = Reference(
    system=System.MAIL,
    title="Returned mail through IMAP",
    summary="Reads, once an hour, the mailbox to which letters come back that could not be delivered. Off by default.",
    settings=(
        "LUCY_IMAP_HOST",
        "LUCY_IMAP_PORT",
        "LUCY_IMAP_SECURITY",
        "LUCY_IMAP_USER",
        "LUCY_IMAP_PASSWORD",
        "LUCY_IMAP_FOLDER",
        "LUCY_MAIL_RETURN",
        "LUCY_CA_FILE",
    ),
    calls=(
        CallReference(
            "read_returns",
            "LOGIN or AUTHENTICATE XOAUTH2, EXAMINE, UID SEARCH, UID FETCH (BODY.PEEK[])",
            "the schedule `devoluciones`; `lucy check` goes as far as EXAMINE",
            "to read the folder; for XOAUTH2 the application permission IMAP.AccessAsApp and access to the mailbox",
        ),
    ),
    limits=(
        LimitReference("of a message", f"{LONGEST // 1024} KB are read", "connectors/imap/wire.py"),
        LimitReference("messages at once", "100, then the place is noted", "connectors/imap/client.py"),
        LimitReference("each wait for the server", "30 s", "connectors/imap/client.py"),
        LimitReference("the first reading", "goes 30 days back", "lucy/flows/read_returns.py"),
    ),
    letters=(),
    notes=(
        "Nothing in the mailbox is changed (EXAMINE); how far it was read is kept in the database.",
        "What is a bounce, and whose, flufl.bounce judges; only what was given up for good counts.",
        "A message is about the letter whose Message-ID it names, else about the last one to its address.",
        "Letters are handed over with RET=HDRS where the server offers DSN: what comes back is then without its text.",
        "Where the mailbox was set up anew (another UIDVALIDITY) 30 days are read again; nothing counts twice.",
        "Exchange Online takes no password for IMAP: with `LUCY_IMAP_PASSWORD` empty Lucy signs in by OAuth.",
    ),
)
