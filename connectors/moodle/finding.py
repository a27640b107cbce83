"""Look users up: by username, then by document number and address for those who have none of their name."""

from collections.abc import Iterable, Sequence

from connectors.moodle import matching, wire
from connectors.moodle.calls import MoodleCalls
from connectors.moodle.faults import INVALID_PARAMETER, remote_code
from lucy.errors import RemoteError
from lucy.ports import MoodleUser, NewMoodleUser

Found = dict[str, MoodleUser | RemoteError | None]


async def find(calls: MoodleCalls, wanted: Sequence[NewMoodleUser]) -> Found:
    """Who each is on the site, None for nobody. Raises RemoteError for all of them."""
    outcome = await find_by_username(calls, wanted)
    missing = [row for row in wanted if outcome[row.key] is None]
    if missing:
        outcome |= await _elsewhere(calls, missing)
    return outcome


async def find_by_username(calls: MoodleCalls, wanted: Sequence[NewMoodleUser]) -> Found:
    names = (row.username.lower() for row in wanted)
    found = await _users(calls, "username", filter(wire.askable_username, names))
    by_name = {user.username.lower(): user for user in found}
    return {row.key: matching.by_username(row, by_name) for row in wanted}


async def by_id(calls: MoodleCalls, ids: Iterable[int]) -> dict[int, MoodleUser | None]:
    """None for who is absent or deleted. Raises RemoteError for all of them."""
    wanted = list(dict.fromkeys(ids))
    found: dict[int, MoodleUser] = {}
    for chunk in wire.chunks(wanted, wire.LOOK_UP_VALUES):
        users = await calls.users_by("id", [str(one) for one in chunk], operation="read_users")
        found |= {user.id: user for user in users if not matching.is_deleted(user)}
    return {one: found.get(one) for one in wanted}


async def _elsewhere(calls: MoodleCalls, missing: Sequence[NewMoodleUser]) -> Found:
    numbers = (row.idnumber for row in missing if row.idnumber)
    by_number = _grouped((user.idnumber, user) for user in await _users(calls, "idnumber", numbers))
    by_address = _grouped((user.email.lower(), user) for user in await _users(calls, "email", _addresses(missing)))
    return {
        row.key: matching.elsewhere(
            row,
            same_number=by_number.get(row.idnumber, []),
            same_address=by_address.get(row.email.lower(), []),
        )
        for row in missing
    }


def _addresses(rows: Sequence[NewMoodleUser]) -> Iterable[str]:
    """As given and in lower case: the look-up compares with case, the check in `create` does not (measured)."""
    given = (address for row in rows for address in (row.email, row.email.lower()))
    return filter(wire.askable_email, given)


def _grouped(pairs: Iterable[tuple[str, MoodleUser]]) -> dict[str, list[MoodleUser]]:
    groups: dict[str, list[MoodleUser]] = {}
    for name, user in pairs:
        groups.setdefault(name, []).append(user)
    return groups


async def _users(calls: MoodleCalls, field: str, values: Iterable[str]) -> list[MoodleUser]:
    distinct = list(dict.fromkeys(values))
    found: dict[int, MoodleUser] = {}
    for chunk in wire.chunks(distinct, wire.LOOK_UP_VALUES):
        found |= {user.id: user for user in await _users_of(calls, field, chunk)}
    return list(found.values())


async def _users_of(calls: MoodleCalls, field: str, values: Sequence[str]) -> list[MoodleUser]:
    """One look-up; a value Moodle refuses fails the whole call, so it is searched out: nobody can have it."""
    try:
        return await calls.users_by(field, values)
    except RemoteError as error:
        if remote_code(error) != INVALID_PARAMETER:
            raise
    if len(values) == 1:
        return []
    middle = len(values) // 2
    return await _users_of(calls, field, values[:middle]) + await _users_of(calls, field, values[middle:])
