"""One Moodle site as the flows need it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import httpx

from connectors.moodle import creating, enrolling, finding
from connectors.moodle.calls import MoodleCalls
from connectors.moodle.models import MoodleSiteInfo
from lucy.errors import RemoteError
from lucy.ports import (
    EnrolmentRequest,
    Limiter,
    MoodleCourse,
    MoodleUser,
    NewMoodleUser,
)

AT_ONCE = 4  # calls under way where Moodle takes no arrays: more gained nothing on two cores (contracts/moodle.md)
TIMEOUT_S = 60.0

K = TypeVar("K")
V = TypeVar("V")


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
        token: str,
        http: httpx.AsyncClient,
        limiter: Limiter,
        timeout_s: float = TIMEOUT_S,
        new_password: Callable[[], str] = throwaway_password,
    ) -> None:
        self._calls = MoodleCalls(
            base_url=base_url, token=token, http=http, limiter=limiter, timeout_s=timeout_s, new_password=new_password
        )

    async def site(self) -> MoodleSiteInfo:
        """The pre-flight: release, the token's user, the functions it may call."""
        return await self._calls.site()

    async def find_users(self, wanted: Sequence[NewMoodleUser]) -> Mapping[str, MoodleUser | RemoteError | None]:
        """By username, then by document number and address. A person found by number may have another username."""
        return await finding.find(self._calls, wanted)

    async def create_users(self, wanted: Sequence[NewMoodleUser]) -> Mapping[str, MoodleUser | RemoteError]:
        """Arrays, bisected around bad rows, read back where no answer came (then OutcomeUnknown for who is absent)."""
        return await creating.create(self._calls, wanted)

    async def find_courses(self, shortnames: Sequence[str]) -> Mapping[str, MoodleCourse | None]:
        """One call for each: Moodle has no look-up of several shortnames."""
        return await _for_each(dict.fromkeys(shortnames), self._calls.course)

    async def courses_of(self, user_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Leaves out suspended, expired and future enrolments and hidden courses; empty for an absent user."""
        return await _for_each(dict.fromkeys(user_ids), self._calls.courses_of)

    async def enrol(self, requests: Sequence[EnrolmentRequest]) -> Mapping[str, RemoteError | None]:
        """Arrays, bisected around bad rows. Re-activates a suspended enrolment and clears its dates."""
        return await enrolling.enrol(self._calls, requests)


async def _for_each(keys: Mapping[K, None], ask: Callable[[K], Awaitable[V]]) -> dict[K, V]:
    """Ask for each, a few at a time. Raises the first RemoteError, the others given up."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(key: K) -> V:
        async with gate:
            return await ask(key)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {key: group.create_task(one(key)) for key in keys}
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return {key: task.result() for key, task in tasks.items()}
