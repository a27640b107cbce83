"""What came back, as pure functions: a message into what it says of a letter.

Whether a message is a bounce, and whose, is flufl.bounce's judgement: it knows RFC 3464 and what servers wrote before.
No address, subject or body ever goes into an error or a log.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses

from flufl.bounce import all_failures

from lucy.errors import Refused, RetryLater, System
from lucy.ports import ReturnedLetter

OPERATION = "read_returns"
WAIT_S = 60.0
LONGEST = 256 * 1024  # bytes of a message that are looked at

_OURS = re.compile(rb"<lucy\.[0-9]{1,18}\.[0-9]{1,18}@[A-Za-z0-9.-]{1,255}>")
_STATUS = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b")


def read_returned(raw: bytes) -> ReturnedLetter | None:
    """What the message says of a letter; None where it does not say that one was given up.

    Raises ValueError for a message that cannot be taken apart.
    """
    message = message_from_bytes(raw)
    if not any(address for _name, address in getaddresses([str(one) for one in message.get_all("From", [])])):
        del message["From"]
        message["From"] = "nobody@invalid"  # without one a detector of flufl.bounce 6.0 stumbles
    try:
        _delayed, failed = all_failures(message)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(type(error).__name__) from None
    if not failed:
        return None
    return ReturnedLetter(
        message_ids=frozenset(one.decode("ascii") for text in _texts(message, raw) for one in _OURS.findall(text)),
        addresses=frozenset(one.decode("ascii", errors="ignore").lower() for one in failed),
        status=_status(message),
    )


def _texts(message: Message, raw: bytes) -> Iterator[bytes]:
    """The message as it came, and its parts decoded: the letter's header may stand in base64."""
    yield raw
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content


def _status(message: Message) -> str:
    """Of the recipient that failed: `Status`, and where that tells nothing (5.0.0), what the other server said."""
    for block in message.walk():
        if str(block.get("Action", "")).lower().startswith(("fail", "error")):
            said = [_STATUS.search(str(block.get(name, ""))) for name in ("Status", "Diagnostic-Code")]
            codes = [one[0] for one in said if one]
            return next((code for code in codes if not code.endswith(".0.0")), codes[0] if codes else "")
    return ""


def away(detail: str) -> RetryLater:
    return RetryLater(System.MAIL, OPERATION, "E-013", detail=detail, after_s=WAIT_S)


def no_login() -> Refused:
    return Refused(System.MAIL, OPERATION, "E-014", detail="the sign-in was refused")


def no_folder() -> Refused:
    return Refused(System.MAIL, OPERATION, "E-015", detail="the folder cannot be opened")


def insecure() -> Refused:
    return Refused(System.MAIL, OPERATION, "E-016", detail="the server's certificate or TLS version was not accepted")
