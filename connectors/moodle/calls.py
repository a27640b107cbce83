"""One HTTP call each: what `wire` builds is sent, what comes back is read."""

from collections.abc import Callable, Mapping, Sequence

import httpx

from connectors.http import CONNECT_S, Call, exchange, read_json
from connectors.moodle import faults, wire
from connectors.moodle.tokens import TokenSource
from lucy.errors import Refused, RemoteError, RetryLater, System
from lucy.ports import (
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

NEEDS_PASSWORD = "manual"


class MoodleCalls:
    """Every method raises RemoteError. Redirects are never followed: the token would go along."""

    def __init__(
        self,
        *,
        base_url: str,
        tokens: TokenSource,
        http: httpx.AsyncClient,
        limiter: Limiter,
        timeout_s: float,
        new_password: Callable[[], str],
    ) -> None:
        if http.follow_redirects:
            raise ValueError("a client that follows redirects would send the token on")
        self._address = base_url.rstrip("/") + wire.SERVER
        self._tokens = tokens
        self._http = http
        self._limiter = limiter
        self._timeout_s = timeout_s
        self._new_password = new_password

    async def site(self) -> MoodleSiteInfo:
        return wire.read_site(await self._call("site", "core_webservice_get_site_info", []))

    async def users_by(self, field: str, values: Sequence[str], *, operation: str = "find_users") -> list[MoodleUser]:
        answer = await self._call(operation, "core_user_get_users_by_field", wire.look_up(field, values))
        return wire.read_users(operation, answer)

    async def create(self, rows: Sequence[NewMoodleUser]) -> dict[str, int]:
        """All of them or none; ids by username."""
        passwords = {row.key: self._new_password() for row in rows if row.auth == NEEDS_PASSWORD}
        arguments = wire.new_users(rows, passwords)
        return wire.read_created(await self._call("create_users", "core_user_create_users", arguments, changes=True))

    async def enrol(self, rows: Sequence[EnrolmentRequest]) -> None:
        """All of them or none."""
        answer = await self._call("enrol", "enrol_manual_enrol_users", wire.enrolments(rows), changes=True)
        wire.read_null("enrol", answer)

    async def unenrol(self, rows: Sequence[UnenrolRequest]) -> None:
        """All of them or none; no error also for who is not enrolled, or enrolled by another method."""
        answer = await self._call("unenrol", "enrol_manual_unenrol_users", wire.unenrolments(rows), changes=True)
        wire.read_null("unenrol", answer)

    async def suspend(self, rows: Sequence[UserSuspension]) -> dict[int, RemoteError]:
        """Each by itself; the errors of those refused, by user id."""
        answer = await self._call("suspend_users", "core_user_update_users", wire.suspensions(rows), changes=True)
        return {
            user_id: faults.row_error("suspend_users", code) for user_id, code in wire.read_warnings(answer).items()
        }

    async def course(self, shortname: str) -> MoodleCourse | None:
        arguments = [("field", "shortname"), ("value", shortname)]
        answer = await self._call("find_courses", "core_course_get_courses_by_field", arguments)
        return wire.read_course(answer, shortname)

    async def courses_of(self, user_id: int) -> frozenset[int]:
        arguments = [("userid", str(user_id))]
        return wire.read_ids("courses_of", await self._call("courses_of", "core_enrol_get_users_courses", arguments))

    async def listed(self, operation: str, course_id: int, options: Mapping[str, str] | None = None) -> frozenset[int]:
        """Ids of a course's users whatever the state of their enrolment, unless an option says which."""
        arguments = wire.users_in(course_id, options or {})
        return wire.read_ids(operation, await self._call(operation, "core_enrol_get_enrolled_users", arguments))

    async def groups(self, course_id: int) -> list[MoodleGroup]:
        arguments = [("courseid", str(course_id))]
        return wire.read_groups("groups_in", await self._call("groups_in", "core_group_get_course_groups", arguments))

    async def create_groups(self, rows: Sequence[NewGroup]) -> list[MoodleGroup]:
        """All of them or none."""
        answer = await self._call("create_groups", "core_group_create_groups", wire.new_groups(rows), changes=True)
        return wire.read_groups("create_groups", answer)

    async def join_groups(self, rows: Sequence[GroupSeat]) -> None:
        """All of them or none."""
        answer = await self._call("join_groups", "core_group_add_group_members", wire.seats(rows), changes=True)
        wire.read_null("join_groups", answer)

    async def leave_groups(self, rows: Sequence[GroupSeat]) -> None:
        """All of them or none."""
        answer = await self._call("leave_groups", "core_group_delete_group_members", wire.seats(rows), changes=True)
        wire.read_null("leave_groups", answer)

    async def _call(self, operation: str, function: str, arguments: wire.Arguments, *, changes: bool = False) -> object:
        call = Call(
            System.MOODLE,
            operation,
            no_answer="M-010",
            unreadable="M-015",
            harmless=not changes,
            timeout_s=self._timeout_s,
        )
        token = await self._tokens.token()
        try:
            return await self._send(call, function, arguments, token=token, changes=changes)
        except Refused as error:
            renewed = await self._tokens.renew(token) if faults.remote_code(error) == faults.INVALID_TOKEN else token
            if renewed == token:
                raise
        return await self._send(call, function, arguments, token=renewed, changes=changes)

    async def _send(self, call: Call, function: str, arguments: wire.Arguments, *, token: str, changes: bool) -> object:
        operation = call.operation
        await self._limiter.acquire(System.MOODLE)
        answer = await exchange(self._http, self._request(function, arguments, token), call)
        if answer.status == httpx.codes.OK:
            return wire.read_answer(operation, read_json(answer, call))
        error = faults.status_error(operation, answer.status, retry_after_s=answer.retry_after_s(), changes=changes)
        if isinstance(error, RetryLater) and error.throttled:
            await self._limiter.hold_back(System.MOODLE, error.after_s)
        raise error

    def _request(self, function: str, arguments: wire.Arguments, token: str) -> httpx.Request:
        return self._http.build_request(
            "POST",
            self._address,
            content=wire.body(function, arguments, token=token),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            timeout=httpx.Timeout(self._timeout_s, connect=min(CONNECT_S, self._timeout_s)),
        )
