"""Moodle as the flows need it; reached through `lucy/ports.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lucy.errors import RemoteError


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
    """`suspend`: in the course, but out of its sight; without it an enrolment that was suspended is active again."""

    key: str
    user_id: int
    course_id: int
    role_id: int
    suspend: bool = False


@dataclass(frozen=True, slots=True)
class UnenrolRequest:
    key: str
    user_id: int
    course_id: int


@dataclass(frozen=True, slots=True)
class UserSuspension:
    """Whether the user is kept out of the whole site from now on."""

    key: str
    user_id: int
    suspended: bool


@dataclass(frozen=True, slots=True)
class MoodleGroup:
    id: int
    course_id: int
    name: str


@dataclass(frozen=True, slots=True)
class NewGroup:
    key: str
    course_id: int
    name: str


@dataclass(frozen=True, slots=True)
class GroupSeat:
    """A user in a group of a course."""

    key: str
    group_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class MoodleSiteInfo:
    """The pre-flight's answer. `user_id` is the token's user; `functions` are those in the token's service.

    `missing` are those that Lucy calls and the service has not.
    """

    release: str
    user_id: int
    functions: frozenset[str]
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CourseInspection:
    """The pre-flight of one course. `problems` are errors with their code and remedy; none means: it can be used."""

    shortname: str
    course: MoodleCourse | None
    problems: tuple[RemoteError, ...] = ()


class Moodle(Protocol):
    """One Moodle site. Calls of any length are cut into arrays that PHP does not truncate, and bisected on failure.

    All but `create_users` are harmless to repeat. A write without an answer is OutcomeUnknown all the same.
    """

    async def find_users(self, wanted: Sequence[NewMoodleUser]) -> Mapping[str, MoodleUser | RemoteError | None]:
        """The user that is this person (same username and, where set, same idnumber), None where there is none.

        Conflict where the username or the e-mail address belongs to somebody else.
        """
        ...

    async def read_users(self, ids: Sequence[int]) -> Mapping[int, MoodleUser | None]:
        """Read users back by id; None for who is absent or deleted."""
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

    async def unenrol(self, requests: Sequence[UnenrolRequest]) -> Mapping[str, RemoteError | None]:
        """Un-enrol through the manual method, with every role, and read back; harmless where nobody is enrolled.

        Refused (M-011) where the user is still in the course afterwards. NotFound: there is no such user or course.
        """
        ...

    async def enrolled_in(self, course_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Ids of the users in each course, whatever the state of their enrolment and of the course.

        Nobody for an absent course, and for a token that sees nobody. One call per course.
        """
        ...

    async def suspended_in(self, course_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Ids of the users whose enrolment in each course is not active: suspended, or expired or still to begin.

        Nobody for an absent course. One call per course.
        """
        ...

    async def groups_in(self, course_ids: Sequence[int]) -> Mapping[int, Sequence[MoodleGroup]]:
        """The groups of each course; none for an absent course. One call per course."""
        ...

    async def create_groups(self, groups: Sequence[NewGroup]) -> Mapping[str, MoodleGroup | RemoteError]:
        """Create groups. AlreadyThere where the course has one of that name."""
        ...

    async def join_groups(self, seats: Sequence[GroupSeat]) -> Mapping[str, RemoteError | None]:
        """Put enrolled users into groups; harmless where they are in it. NotFound: no such user, group or enrolment."""
        ...

    async def leave_groups(self, seats: Sequence[GroupSeat]) -> Mapping[str, RemoteError | None]:
        """Take users out of groups; harmless where they are not in it."""
        ...

    async def site(self) -> MoodleSiteInfo:
        """Release, the token's user, the functions it may call. Raises RemoteError."""
        ...

    async def inspect(self, shortnames: Sequence[str], role_id: int) -> Mapping[str, CourseInspection]:
        """Whether each course is there, has an enabled manual instance, and lets this token assign the role."""
        ...

    async def suspend_users(self, requests: Sequence[UserSuspension]) -> Mapping[str, RemoteError | None]:
        """Keep users out of the site, or let them in again; harmless where it is so already.

        NotFound where there is no such user. Enrolments and work stay.
        """
        ...
