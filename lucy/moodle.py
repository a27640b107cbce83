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
