"""The outside systems as the flows need them.

Connectors implement these; `workers/runtime.py` and `bot/app.py` hand the real ones in. A bulk call returns one outcome
for each item it was given, by the item's key: either the result or the error of that item. A failure of the whole call
(the provider is down, the answer is unreadable) is raised and counts for every item of it. Entra, Moodle and mail have
a file each, `lucy/directory.py`, `lucy/moodle.py` and `lucy/mail.py`; import them from here.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lucy.directory import (
    AccountChange,
    DeletedUser,
    Directory,
    DirectoryChanges,
    DirectoryGroup,
    DirectoryUser,
    EnabledChange,
    GroupMember,
    LicenceRequest,
    LicenceSeats,
    NewAccount,
    NewPassword,
    SignsOfUse,
)
from lucy.domain.nudges import Nudge
from lucy.domain.source import SourceCareer, SourceCommission, SourceEntry, SourcePerson
from lucy.domain.students import SourceList
from lucy.errors import System
from lucy.mail import Accepted, Letter, MailboxPlace, Mailer, ReturnedLetter, ReturnedMail, ReturnMailbox
from lucy.moodle import (
    CourseInspection,
    EnrolmentRequest,
    GroupSeat,
    Moodle,
    MoodleCourse,
    MoodleGroup,
    MoodleSiteInfo,
    MoodleUser,
    NewGroup,
    NewMoodleUser,
    UnenrolRequest,
    UserSuspension,
)

__all__ = [
    "Accepted",
    "AccountChange",
    "Channel",
    "ConversationAddress",
    "CourseInspection",
    "DeletedUser",
    "Directory",
    "DirectoryChanges",
    "DirectoryGroup",
    "DirectoryUser",
    "EnabledChange",
    "EnrolmentRequest",
    "GroupMember",
    "GroupSeat",
    "Letter",
    "LicenceRequest",
    "LicenceSeats",
    "Limiter",
    "MailboxPlace",
    "Mailer",
    "Moodle",
    "MoodleCourse",
    "MoodleGroup",
    "MoodleSiteInfo",
    "MoodleUser",
    "NewAccount",
    "NewGroup",
    "NewMoodleUser",
    "NewPassword",
    "Nudge",
    "Nudger",
    "Painter",
    "PostedMessage",
    "ReturnMailbox",
    "ReturnedLetter",
    "ReturnedMail",
    "SignsOfUse",
    "SourceCareer",
    "SourceCommission",
    "SourceEntry",
    "SourcePerson",
    "StudentRecords",
    "UnenrolRequest",
    "UserSuspension",
]

# SIAL


class StudentRecords(Protocol):
    """SIAL, read only. `windows`: whether a list can be asked for by what changed in a window; else all of it comes."""

    windows: bool

    def entries(
        self, source_list: SourceList, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[object]:
        """The entries of a list as the source wrote them, changed in the window where one is given, as they arrive.

        Raises RemoteError, also after some of them: then use none.
        """
        ...

    def identity(self, element: object) -> tuple[str, str]:
        """Document type and number as the source wrote them, empty where it did not. Cheaper than `read_entry`."""
        ...

    def read_entry(self, element: object) -> SourceEntry:
        """An entry, whatever it is."""
        ...

    def read_person(self, element: object, *, document_number: str) -> SourcePerson:
        """A personal record from what was kept of it. Raises Unreadable for what is none."""
        ...

    async def person(self, document_number: str) -> SourcePerson | None:
        """The personal record; None when the source has none."""
        ...


# The channel


@dataclass(frozen=True, slots=True)
class ConversationAddress:
    """Where to post. `conversation_id` may carry `;messageid=` for a thread."""

    service_url: str
    conversation_id: str
    tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class PostedMessage:
    conversation_id: str
    activity_id: str


class Channel(Protocol):
    """Outbound messages to Teams. Cards are adaptive-card JSON."""

    async def post_card(
        self, address: ConversationAddress, card: Mapping[str, object], *, summary: str
    ) -> PostedMessage:
        """Post into an existing conversation or thread."""
        ...

    async def start_thread(
        self, address: ConversationAddress, card: Mapping[str, object], *, summary: str
    ) -> PostedMessage:
        """Start a new thread in the channel of `address`; returns the thread's conversation id."""
        ...

    async def update_card(
        self, address: ConversationAddress, activity_id: str, card: Mapping[str, object], *, summary: str
    ) -> None:
        """Edit a card in place. Raises NotFound when somebody deleted it."""
        ...


# Pictures


class Painter(Protocol):
    """A browser that draws a page without running or loading anything."""

    async def picture(self, html: str) -> bytes | None:
        """A PNG, at most 1 MB; None where it could not be drawn."""
        ...


# Rates


class Limiter(Protocol):
    """The rate of each system, shared by all processes."""

    async def acquire(self, system: System, cost: int = 1) -> None:
        """Wait until `cost` requests may be sent to the system."""
        ...

    async def hold_back(self, system: System, seconds: float) -> None:
        """The provider asked for silence: nobody sends to it for that long."""
        ...

    async def held_back_for(self, system: System) -> float:
        """Seconds of silence still asked for; 0 when none."""
        ...


# Nudges


class Nudger(Protocol):
    """The way to the workers' queue. A nudge may be lost or doubled; it says only that there is work of a kind."""

    async def send(self, nudges: Sequence[Nudge]) -> None:
        """Raises RetryLater when the queue cannot be reached; then none may have been sent."""
        ...
