"""Mail addresses as they go out: ASCII, the domain in IDNA 2008; the same for every transport."""

import re
from dataclasses import dataclass
from email.utils import parseaddr

import idna

from lucy.errors import ConfigurationError

CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address fit for a mail server (ASCII, the domain in IDNA) and the name people see."""

    address: str
    name: str = ""


def mailbox(address: str, *, name: str = "") -> Mailbox:
    """Check an address and put its domain into IDNA 2008, read as browsers do (UTS 46).

    Raises ValueError, without the address.

    A local part beyond ASCII would need SMTPUTF8 on every server on the way: refused.
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        raise ValueError("not a mail address")
    try:
        domain = idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        raise ValueError("not a mail domain") from None
    if not re.fullmatch(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", domain):
        raise ValueError("not a mail domain")
    if CONTROL.search(name):
        raise ValueError("a control character in the name")
    return Mailbox(f"{local}@{domain}", name.strip())


def sender_mailbox(written: str) -> Mailbox:
    """The sender as LUCY_MAIL_FROM has it: `Lucy <lucy@example.org>` or the address alone.

    Raises ConfigurationError.
    """
    name, address = parseaddr(written)
    try:
        return mailbox(address, name=name)
    except ValueError as error:
        raise ConfigurationError(f"The sender of mail (LUCY_MAIL_FROM) cannot be used: {error}.") from None
