"""Mail as the flows need it; reached through `lucy/ports.py`."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from lucy.errors import RemoteError


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter ready to be handed over. `message_id` is the same for every attempt at the same letter."""

    key: str
    message_id: str
    to_address: str
    to_name: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took responsibility for the letter. `reply` is its answer, for the support of the mail service."""

    reply: str


class Mailer(Protocol):
    """Mail transport over one kept connection."""

    def send(self, letters: Sequence[Letter]) -> AsyncIterator[tuple[str, Accepted | RemoteError]]:
        """Hand letters over one after another; yields each key's outcome as soon as it is known."""
        ...

    async def probe(self) -> None:
        """Go as far as a letter could be handed over: connection, TLS, login, sender. Nothing is sent.

        Raises RemoteError.
        """
        ...


@dataclass(frozen=True, slots=True)
class MailboxPlace:
    """How far a mailbox was read: the last IMAP UID, which means nothing once `validity` is another."""

    validity: int
    uid: int


@dataclass(frozen=True, slots=True)
class ReturnedLetter:
    """A message that says for good that a letter was not delivered.

    `message_ids`: those of the form of Lucy's letters that it names. `addresses`: to whom, as it says. `status`: the
    enhanced status code of RFC 3463, empty where it tells none.
    """

    message_ids: frozenset[str]
    addresses: frozenset[str] = field(repr=False)
    status: str = ""


@dataclass(frozen=True, slots=True)
class ReturnedMail:
    """A page of a mailbox. `place` is where to go on, now if there is `more`."""

    returned: tuple[ReturnedLetter, ...]
    place: MailboxPlace
    more: bool = False


class ReturnMailbox(Protocol):
    """Where letters come back. It is only read; nothing in it is changed."""

    @property
    def name(self) -> str:
        """Which mailbox of which server it is: a place is of this one."""
        ...

    async def read(self, after: MailboxPlace | None, *, since: date) -> ReturnedMail:
        """What came after a place, or without one that is still good, since a day. Raises RemoteError."""
        ...

    async def probe(self) -> None:
        """Go as far as the folder. Raises RemoteError."""
        ...
