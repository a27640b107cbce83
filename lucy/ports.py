"""The outside systems as the flows need them.

Connectors implement these; `workers/runtime.py` and `bot/app.py` hand the real ones in. A bulk call returns one outcome
for each item it was given, by the item's key: either the result or the error of that item. A failure of the whole call
(the provider is down, the answer is unreadable) is raised and counts for every item of it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from lucy.domain.nudges import Nudge
from lucy.domain.source import SourceCareer, SourceCommission, SourceEntry, SourcePerson
from lucy.domain.students import SourceList, Upn
from lucy.errors import RemoteError, System

__all__ = [
    "Accepted",
    "Channel",
    "ConversationAddress",
    "Directory",
    "DirectoryUser",
    "EnrolmentRequest",
    "Letter",
    "LicenceRequest",
    "LicenceSeats",
    "Limiter",
    "Mailer",
    "Moodle",
    "MoodleCourse",
    "MoodleUser",
    "NewAccount",
    "NewMoodleUser",
    "Nudge",
    "Nudger",
    "PostedMessage",
    "SourceCareer",
    "SourceCommission",
    "SourceEntry",
    "SourcePerson",
    "StudentRecords",
]

# Entra ID through Graph


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to create. `employee_id` is the document number: the mark by which Lucy knows her accounts."""

    key: str
    upn: Upn
    mail_nickname: str
    first_name: str
    last_name: str
    employee_id: str
    password: str = field(repr=False)
    usage_location: str = "AR"


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """An account as the directory has it. `created_at` is aware UTC, None where the directory did not say."""

    id: str
    upn: Upn
    display_name: str
    employee_id: str
    enabled: bool
    created_at: datetime | None
    sku_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LicenceSeats:
    """Seats of one SKU in the tenant."""

    sku_id: str
    part_number: str
    enabled: int
    consumed: int

    @property
    def free(self) -> int:
        return max(0, self.enabled - self.consumed)


@dataclass(frozen=True, slots=True)
class LicenceRequest:
    key: str
    user_id: str
    sku_id: str


class Directory(Protocol):
    """Entra ID. Calls of any length are cut into `$batch` requests of up to 20."""

    async def create_users(self, accounts: Sequence[NewAccount]) -> Mapping[str, DirectoryUser | RemoteError]:
        """Create accounts. An UPN in use gives AlreadyThere for that key; nothing is adopted here."""
        ...

    async def find_users(self, upns: Mapping[str, Upn]) -> Mapping[str, DirectoryUser | RemoteError | None]:
        """Look up accounts by sign-in name; None where there is none."""
        ...

    async def assign_licences(self, requests: Sequence[LicenceRequest]) -> Mapping[str, RemoteError | None]:
        """Assign one SKU to each; harmless where it is assigned already. NotFound: not there, or not replicated yet."""
        ...

    async def licence_seats(self, part_number: str) -> LicenceSeats:
        """Seats of a SKU. Raises NotFound when the tenant has no such SKU."""
        ...


# Moodle


@dataclass(frozen=True, slots=True)
class MoodleUser:
    id: int
    username: str
    email: str
    idnumber: str
    auth: str
    suspended: bool


@dataclass(frozen=True, slots=True)
class NewMoodleUser:
    """A user to create. `username` is lower case; `idnumber` is the document number."""

    key: str
    username: str
    first_name: str
    last_name: str
    email: str
    idnumber: str
    auth: str
    lang: str = "es"


@dataclass(frozen=True, slots=True)
class MoodleCourse:
    id: int
    shortname: str
    fullname: str
    visible: bool


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    key: str
    user_id: int
    course_id: int
    role_id: int


class Moodle(Protocol):
    """One Moodle site. Calls of any length are cut into arrays that PHP does not truncate, and bisected on failure."""

    async def find_users(self, wanted: Sequence[NewMoodleUser]) -> Mapping[str, MoodleUser | RemoteError | None]:
        """The user that is this person (same username and, where set, same idnumber), None where there is none.

        Conflict where the username or the e-mail address belongs to somebody else.
        """
        ...

    async def create_users(self, wanted: Sequence[NewMoodleUser]) -> Mapping[str, MoodleUser | RemoteError]:
        """Create users that `find_users` did not find."""
        ...

    async def find_courses(self, shortnames: Sequence[str]) -> Mapping[str, MoodleCourse | None]:
        """Courses by shortname (exact case); None where the site has none."""
        ...

    async def courses_of(self, user_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Ids of the courses each user is in. One call per user: ask only for users that were there before us."""
        ...

    async def enrol(self, requests: Sequence[EnrolmentRequest]) -> Mapping[str, RemoteError | None]:
        """Enrol through the manual method. Enrolling again is harmless."""
        ...


# SIAL


class StudentRecords(Protocol):
    """SIAL, read only."""

    def entries(
        self, source_list: SourceList, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[SourceEntry]:
        """The entries of a list, changed in the window where one is given. Raises RemoteError: then use none."""
        ...

    async def person(self, document_number: str) -> SourcePerson | None:
        """The personal record; None when the source has none."""
        ...


# Mail


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
