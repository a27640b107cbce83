"""Groups of a course: read them, make them once, put users in and take them out.

Arrays are all or nothing here too. Making a group again fails, so the course is read before and, where no answer came,
after. Joining and leaving again is harmless, so a failed array is halved until the bad rows stand alone.
Source: Moodle's `group/externallib.php` (read, not measured).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from connectors.moodle import faults, wire
from connectors.moodle.arrays import Outcome, in_chunks
from connectors.moodle.asking import for_each
from connectors.moodle.calls import MoodleCalls
from lucy.errors import AlreadyThere, Invalid, NotFound, OutcomeUnknown, RemoteError, System, Unreadable
from lucy.ports import GroupSeat, MoodleGroup, NewGroup

MAX_NAME = 254  # column `groups.name`; Moodle cuts nothing and fails with `dmlwriteexception`

Made = dict[str, MoodleGroup | RemoteError]


async def groups_in(calls: MoodleCalls, course_ids: Sequence[int]) -> dict[int, Sequence[MoodleGroup]]:
    """None for an absent course. Raises RemoteError."""

    async def ask(course_id: int) -> Sequence[MoodleGroup]:
        try:
            return await calls.groups(course_id)
        except RemoteError as error:
            if faults.remote_code(error) != faults.RECORD_MISSING:
                raise
            return ()

    return await for_each(dict.fromkeys(course_ids), ask)


async def create(calls: MoodleCalls, wanted: Sequence[NewGroup]) -> Made:
    """The outcome of each. The same name twice in one course is made once. Raises RemoteError for all of them."""
    known = _by_name(await groups_in(calls, [one.course_id for one in wanted]))
    outcome: Made = {}
    rows: dict[tuple[int, str], NewGroup] = {}
    for one in wanted:
        if not one.name.strip() or len(one.name) > MAX_NAME:
            outcome[one.key] = Invalid(System.MOODLE, "create_groups", "M-004", detail="name of a group")
        elif _name(one) in known:
            outcome[one.key] = AlreadyThere(System.MOODLE, "create_groups", "M-024", detail="the course has it")
        else:
            rows.setdefault(_name(one), one)
    made: dict[tuple[int, str], MoodleGroup | RemoteError] = {}
    for course_id in dict.fromkeys(one.course_id for one in rows.values()):
        made |= await _create_in(calls, [one for one in rows.values() if one.course_id == course_id])
    return {one.key: outcome.get(one.key) or made[_name(one)] for one in wanted}


async def _create_in(calls: MoodleCalls, rows: Sequence[NewGroup]) -> dict[tuple[int, str], MoodleGroup | RemoteError]:
    """All of one course or none: they share its fate. Somebody else may have been quicker: read back then."""
    try:
        made = {(one.course_id, one.name): one for one in await calls.create_groups(rows)}
    except RemoteError as error:
        return await _read_back(calls, rows, error)
    short = wire.unreadable("create_groups", "a group without an answer")
    return {_name(row): made.get(_name(row)) or short for row in rows}


async def _read_back(
    calls: MoodleCalls, rows: Sequence[NewGroup], error: RemoteError
) -> dict[tuple[int, str], MoodleGroup | RemoteError]:
    doubtful = isinstance(error, OutcomeUnknown | Unreadable)
    if not doubtful and not faults.blames_a_row(error):
        return dict.fromkeys(map(_name, rows), error)
    try:
        known = _by_name(await groups_in(calls, [row.course_id for row in rows]))
    except RemoteError:
        known = {}
    return {_name(row): known.get(_name(row)) or error for row in rows}


async def join(calls: MoodleCalls, seats: Sequence[GroupSeat]) -> Outcome:
    """The outcome of each. Raises RemoteError only when that is all there is to say of any."""
    return await _each(calls.join_groups, "join_groups", seats)


async def leave(calls: MoodleCalls, seats: Sequence[GroupSeat]) -> Outcome:
    """As `join`; who or what is not there any more is not in the group either."""
    outcome = await _each(calls.leave_groups, "leave_groups", seats)
    return {key: None if isinstance(error, NotFound) else error for key, error in outcome.items()}


async def _each(
    send: Callable[[Sequence[GroupSeat]], Awaitable[None]], operation: str, seats: Sequence[GroupSeat]
) -> Outcome:
    """Sorted, since two arrays that cross deadlock in the database."""
    rows = sorted(seats, key=lambda seat: (seat.group_id, seat.user_id))
    outcome: Outcome = {}

    async def array(part: Sequence[GroupSeat]) -> None:
        try:
            await send(part)
        except OutcomeUnknown as error:
            outcome.update({row.key: error for row in part})
            raise faults.not_sent(operation) from None
        except RemoteError as error:
            if not faults.blames_a_seat(error):
                raise
            if len(part) == 1:
                outcome[part[0].key] = error
                return
            middle = len(part) // 2
            await array(part[:middle])
            await array(part[middle:])
        else:
            outcome.update({row.key: None for row in part})

    return await in_chunks(rows, wire.GROUP_ROWS, outcome, array, lambda row: row.key)


def _by_name(groups: Mapping[int, Sequence[MoodleGroup]]) -> dict[tuple[int, str], MoodleGroup]:
    return {(group.course_id, group.name): group for those in groups.values() for group in those}


def _name(group: NewGroup) -> tuple[int, str]:
    return group.course_id, group.name
