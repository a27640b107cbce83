"""Create users in arrays so that one bad row does not cost the good ones.

An array with one bad row creates nobody and does not say which row it was: look everybody up, set those aside whom
that explains, bisect the rest. A call without an answer may still commit later: read back by username.
Source: contracts/moodle.md, "Arrays are all or nothing".
"""

from collections.abc import Sequence

from connectors.moodle import faults, matching, wire
from connectors.moodle.calls import MoodleCalls
from connectors.moodle.finding import find, find_by_username
from lucy.errors import OutcomeUnknown, RemoteError, Unreadable
from lucy.ports import MoodleUser, NewMoodleUser

Outcome = dict[str, MoodleUser | RemoteError]


async def create(calls: MoodleCalls, wanted: Sequence[NewMoodleUser]) -> Outcome:
    """The outcome of each. Raises RemoteError only when that is all there is to say of any."""
    outcome: Outcome = {}
    for row in wanted:
        refusal = wire.refused_beforehand(row)
        if refusal is not None:
            outcome[row.key] = refusal
    open_rows = [row for row in wanted if row.key not in outcome]
    try:
        for chunk in wire.chunks(open_rows, wire.CREATE_ROWS):
            await _create_array(calls, chunk, outcome, looked=False)
    except RemoteError as error:
        if not outcome:
            raise
        for row in open_rows:
            outcome.setdefault(row.key, error)
    return outcome


async def _create_array(calls: MoodleCalls, rows: Sequence[NewMoodleUser], outcome: Outcome, *, looked: bool) -> None:
    """`looked`: these rows were looked up just now and nobody was found."""
    try:
        ids = await calls.create(rows)
    except (OutcomeUnknown, Unreadable) as error:
        await _read_back(calls, rows, outcome, error=error)
    except RemoteError as error:
        if not faults.blames_a_row(error):
            raise
        await _part(calls, rows, outcome, error=error, looked=looked)
    else:
        outcome |= {row.key: _created(row, ids[row.username]) for row in rows if row.username in ids}
        uncounted = [row for row in rows if row.username not in ids]
        if uncounted:
            short = wire.unreadable("create_users", f"{len(uncounted)} of {len(rows)} rows not answered")
            await _read_back(calls, uncounted, outcome, error=short)


async def _part(
    calls: MoodleCalls, rows: Sequence[NewMoodleUser], outcome: Outcome, *, error: RemoteError, looked: bool
) -> None:
    """Nobody was created. Single rows are looked up last thing: another worker may have been quicker."""
    rest = rows
    if not looked or len(rows) == 1:
        rest = _set_aside(rows, await find(calls, rows), outcome)
    if not rest:
        return
    if len(rest) < len(rows):
        await _create_array(calls, rest, outcome, looked=True)
    elif len(rest) == 1:
        outcome[rest[0].key] = error
    else:
        middle = len(rest) // 2
        await _create_array(calls, rest[:middle], outcome, looked=True)
        await _create_array(calls, rest[middle:], outcome, looked=True)


def _set_aside(
    rows: Sequence[NewMoodleUser], found: dict[str, MoodleUser | RemoteError | None], outcome: Outcome
) -> Sequence[NewMoodleUser]:
    rest = []
    for row in rows:
        known = found[row.key]
        if known is None:
            rest.append(row)
        else:
            outcome[row.key] = matching.already_there(row, known) if isinstance(known, MoodleUser) else known
    return rest


async def _read_back(
    calls: MoodleCalls, rows: Sequence[NewMoodleUser], outcome: Outcome, *, error: RemoteError
) -> None:
    """Who is there now was created; who is not may still be: that stays `error`, and nothing more is sent."""
    try:
        found = await find_by_username(calls, rows)
    except RemoteError:
        found = {}
    outcome |= {row.key: found.get(row.key) or error for row in rows}
    if any(outcome[row.key] is error for row in rows):
        raise faults.not_sent("create_users")


def _created(row: NewMoodleUser, user_id: int) -> MoodleUser:
    return MoodleUser(
        id=user_id, username=row.username, email=row.email, idnumber=row.idnumber, auth=row.auth, suspended=False
    )
