"""Send enrolment rows in arrays so that one bad row does not cost the good ones.

An array with one bad row does nothing and does not say which row it was, but the errorcode tells whether to blame the
course or the user: split by course, or look the users up, then bisect.
Source: contracts/moodle.md, "Arrays are all or nothing".
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from connectors.moodle import faults, matching, wire
from connectors.moodle.calls import MoodleCalls
from lucy.errors import OutcomeUnknown, RemoteError


class EnrolmentRow(Protocol):
    """What both enrolling and un-enrolling know of a row."""

    @property
    def key(self) -> str: ...
    @property
    def user_id(self) -> int: ...
    @property
    def course_id(self) -> int: ...


R = TypeVar("R")
Row = TypeVar("Row", bound=EnrolmentRow)

Outcome = dict[str, RemoteError | None]


async def in_chunks(
    rows: Sequence[R],
    size: int,
    outcome: Outcome,
    send: Callable[[Sequence[R]], Awaitable[None]],
    key: Callable[[R], str],
) -> Outcome:
    """Chunk after chunk until `send` raises: that error is then the outcome of those without one.

    Raises RemoteError only when that is all there is to say of any.
    """
    try:
        for chunk in wire.chunks(rows, size):
            await send(chunk)
    except RemoteError as error:
        if not outcome:
            raise
        for row in rows:
            outcome.setdefault(key(row), error)
    return outcome


@dataclass(frozen=True, slots=True)
class Bisection(Generic[Row]):
    """One of Moodle's functions that take an array of enrolments, all or nothing, and what its errorcodes blame.

    `send` does one call. `place`: rows of one place share its fate where the errorcode is one of `course_codes`.
    `user_code` says that a user is not there. Sending a row again must be harmless.
    """

    calls: MoodleCalls
    operation: str
    send: Callable[[Sequence[Row]], Awaitable[None]]
    place: Callable[[Row], Hashable]
    course_codes: frozenset[str]
    user_code: str

    async def run(self, rows: Sequence[Row], size: int) -> Outcome:
        """The outcome of each. Raises RemoteError only when that is all there is to say of any.

        Rows go as they come: sort them by course and user, since two arrays that cross deadlock in the database.
        """
        outcome: Outcome = {}

        async def send(chunk: Sequence[Row]) -> None:
            await self._array(chunk, outcome, looked=False)

        return await in_chunks(rows, size, outcome, send, lambda row: row.key)

    async def _array(self, rows: Sequence[Row], outcome: Outcome, *, looked: bool) -> None:
        """`looked`: the users of these rows were looked up already."""
        error = await self._try(rows)
        code = "" if error is None else faults.remote_code(error)
        if error is None or code == faults.WRITE_FAILED:
            outcome |= {row.key: error for row in rows}
        elif isinstance(error, OutcomeUnknown):
            outcome |= {row.key: error for row in rows}
            raise faults.not_sent(self.operation)
        elif code in self.course_codes:
            await self._part_by_course(rows, outcome, error=error, looked=looked)
        elif not faults.blames_a_row(error):
            raise error
        elif len(rows) == 1:
            outcome[rows[0].key] = error
        else:
            await self._part_by_user(rows, outcome, code=code, looked=looked)

    async def _try(self, rows: Sequence[Row]) -> RemoteError | None:
        """Once more at once after a clash with another caller: that call was rolled back."""
        try:
            await self.send(rows)
        except RemoteError as error:
            if faults.remote_code(error) != faults.WRITE_FAILED:
                return error
        else:
            return None
        try:
            await self.send(rows)
        except RemoteError as error:
            return error
        return None

    async def _part_by_course(self, rows: Sequence[Row], outcome: Outcome, *, error: RemoteError, looked: bool) -> None:
        groups: dict[Hashable, list[Row]] = {}
        for row in rows:
            groups.setdefault(self.place(row), []).append(row)
        if len(groups) == 1:
            outcome |= {row.key: error for row in rows}
            return
        in_order = list(groups.values())
        middle = len(in_order) // 2
        for half in (in_order[:middle], in_order[middle:]):
            await self._array([row for group in half for row in group], outcome, looked=looked)

    async def _part_by_user(self, rows: Sequence[Row], outcome: Outcome, *, code: str, looked: bool) -> None:
        middle = len(rows) // 2
        parts: tuple[Sequence[Row], ...] = (rows[:middle], rows[middle:])
        if code == self.user_code and not looked:
            looked = True
            present = await self._present_users(rows)
            good = [row for row in rows if row.user_id in present]
            suspect = [row for row in rows if row.user_id not in present]
            if good and suspect:
                parts = (good, suspect)
        for part in parts:
            await self._array(part, outcome, looked=looked)

    async def _present_users(self, rows: Sequence[Row]) -> frozenset[int]:
        """Only a hint of whom to send apart: a look-up without rights lies with `[]`, so absence condemns nobody."""
        ids = dict.fromkeys(str(row.user_id) for row in rows)
        found = await self.calls.users_by("id", list(ids))
        return frozenset(user.id for user in found if not matching.is_deleted(user))
