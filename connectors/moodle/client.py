"""One Moodle site as the flows need it."""

import secrets
from collections.abc import Callable, Mapping, Sequence

import httpx

from connectors.moodle import creating, enrolling, faults, finding, grouping, inspecting, suspending, unenrolling
from connectors.moodle.asking import for_each
from connectors.moodle.calls import MoodleCalls
from connectors.moodle.tokens import FixedToken, TokenSource
from lucy.errors import RemoteError
from lucy.ports import (
    CourseInspection,
    EnrolmentRequest,
    GroupSeat,
    Limiter,
    MoodleCourse,
    MoodleGroup,
    MoodleSiteInfo,
    MoodleUser,
    NewGroup,
    NewMoodleUser,
    UnenrolRequest,
    UserSuspension,
)

TIMEOUT_S = 60.0


def throwaway_password() -> str:
    """For `manual` users, whom Moodle does not take without one; it is kept nowhere: they ask Moodle for another."""
    return secrets.token_urlsafe(18) + "aA1-"


class MoodleSite:
    """`lucy.ports.Moodle`. One token, one site; the limiter is asked once for each HTTP call.

    Look-ups lie: a token without `moodle/user:viewdetails`, `moodle/site:viewuseridentity` or
    `moodle/course:viewhiddencourses` finds nobody and nothing, without an error. Look a known user up at start.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: str | TokenSource,
        http: httpx.AsyncClient,
        limiter: Limiter,
        timeout_s: float = TIMEOUT_S,
        new_password: Callable[[], str] = throwaway_password,
    ) -> None:
        tokens = FixedToken(token) if isinstance(token, str) else token
        self._calls = MoodleCalls(
            base_url=base_url, tokens=tokens, http=http, limiter=limiter, timeout_s=timeout_s, new_password=new_password
        )

    async def site(self) -> MoodleSiteInfo:
        """The pre-flight: release, the token's user, the functions it may call."""
        return await self._calls.site()

    async def find_users(self, wanted: Sequence[NewMoodleUser]) -> Mapping[str, MoodleUser | RemoteError | None]:
        """By username, then by document number and address. A person found by number may have another username."""
        return await finding.find(self._calls, wanted)

    async def read_users(self, ids: Sequence[int]) -> Mapping[int, MoodleUser | None]:
        """By id; None also for deleted users, whom Moodle still finds, under mangled names."""
        return await finding.by_id(self._calls, ids)

    async def create_users(self, wanted: Sequence[NewMoodleUser]) -> Mapping[str, MoodleUser | RemoteError]:
        """Arrays, bisected around bad rows, read back where no answer came (then OutcomeUnknown for who is absent)."""
        return await creating.create(self._calls, wanted)

    async def find_courses(self, shortnames: Sequence[str]) -> Mapping[str, MoodleCourse | None]:
        """One call for each: Moodle has no look-up of several shortnames."""
        return await for_each(dict.fromkeys(shortnames), self._calls.course)

    async def courses_of(self, user_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Leaves out suspended, expired and future enrolments and hidden courses; empty for an absent user."""
        return await for_each(dict.fromkeys(user_ids), self._calls.courses_of)

    async def enrol(self, requests: Sequence[EnrolmentRequest]) -> Mapping[str, RemoteError | None]:
        """Arrays, bisected around bad rows. Sets the state asked for, also of an old enrolment; clears its dates."""
        return await enrolling.enrol(self._calls, requests)

    async def unenrol(self, requests: Sequence[UnenrolRequest]) -> Mapping[str, RemoteError | None]:
        """Arrays, bisected around bad rows, then each course read back: Refused (M-011) for who is still in it.

        OutcomeUnknown where no answer came and the course was not seen without the user.
        """
        return await unenrolling.unenrol(self._calls, requests)

    async def enrolled_in(self, course_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """One call for each course: 3 to 8 s for 1,700 people (contracts/moodle.md, "Speed")."""
        return await for_each(dict.fromkeys(course_ids), lambda course: self._listed("enrolled_in", course))

    async def suspended_in(self, course_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """One call for each course. Needs `moodle/course:enrolreview`, else Refused (M-003)."""
        return await for_each(
            dict.fromkeys(course_ids), lambda course: self._listed("suspended_in", course, {"onlysuspended": "1"})
        )

    async def groups_in(self, course_ids: Sequence[int]) -> Mapping[int, Sequence[MoodleGroup]]:
        """Needs `moodle/course:managegroups`, else Refused (M-003)."""
        return await grouping.groups_in(self._calls, course_ids)

    async def create_groups(self, groups: Sequence[NewGroup]) -> Mapping[str, MoodleGroup | RemoteError]:
        """The course is read before, and after where no answer came."""
        return await grouping.create(self._calls, groups)

    async def join_groups(self, seats: Sequence[GroupSeat]) -> Mapping[str, RemoteError | None]:
        """Arrays, halved around bad rows. NotFound: no group (M-020), no enrolment (M-021), no user (M-001)."""
        return await grouping.join(self._calls, seats)

    async def leave_groups(self, seats: Sequence[GroupSeat]) -> Mapping[str, RemoteError | None]:
        """Arrays, halved around bad rows. Refused (M-022) where another part of Moodle put the user in."""
        return await grouping.leave(self._calls, seats)

    async def inspect(self, shortnames: Sequence[str], role_id: int) -> Mapping[str, CourseInspection]:
        """One or two calls for each course; nothing is written."""
        return await inspecting.inspect(self._calls, shortnames, role_id)

    async def suspend_users(self, requests: Sequence[UserSuspension]) -> Mapping[str, RemoteError | None]:
        """Arrays that tell of each row. Refused (M-019) for who may not be changed, such as an administrator."""
        return await suspending.suspend(self._calls, requests)

    async def _listed(self, operation: str, course_id: int, options: Mapping[str, str] | None = None) -> frozenset[int]:
        """Nobody in an absent course."""
        try:
            return await self._calls.listed(operation, course_id, options)
        except RemoteError as error:
            if faults.remote_code(error) != faults.RECORD_MISSING:
                raise
            return frozenset()
