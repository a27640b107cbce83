"""Create users in arrays so that one bad row does not cost the good ones.

An array with one bad row creates nobody and does not say which row it was: look everybody up, set those aside whom
that explains, bisect the rest. A call without an answer may still commit later: read back by username.
Source: contracts/moodle.md, "Arrays are all or nothing".
"""

from collections.abc import Sequence

from connectors.moodle import faults, matching, wire
from connectors.moodle.calls import MoodleCalls
from connectors.moodle.finding import find, find_by_username
from lucy.errors import Invalid, OutcomeUnknown, Refused, RemoteError, System, Unreadable
from lucy.ports import MoodleUser, NewMoodleUser

FROM_ROWS = 6  # fewer are told one by one: that costs no more

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
    if not looked and len(rest) >= FROM_ROWS and faults.remote_code(error) == faults.INVALID_PARAMETER:
        rest = await _ask_witnesses(calls, rest, outcome)
        if rest:
            await _create_array(calls, rest, outcome, looked=True)
    elif len(rest) < len(rows):
        await _create_array(calls, rest, outcome, looked=True)
    elif len(rest) == 1:
        outcome[rest[0].key] = error
    else:
        middle = len(rest) // 2
        await _create_array(calls, rest[:middle], outcome, looked=True)
        await _create_array(calls, rest[middle:], outcome, looked=True)


async def _ask_witnesses(
    calls: MoodleCalls, rows: Sequence[NewMoodleUser], outcome: Outcome
) -> Sequence[NewMoodleUser]:
    """Rows that nothing explains, all refused together: is it each of them, or what they share?

    Up to three of them are sent by themselves. Where all three are refused it is the authentication or the language,
    which the site lacks, and nobody else is sent: otherwise 20 rows would cost 40 calls. Returns who is still to be
    sent.
    """
    alone = [rows[0], rows[len(rows) // 2], rows[-1]]
    for row in alone:
        await _create_array(calls, [row], outcome, looked=True)
        said = outcome[row.key]
        if not isinstance(said, Invalid) or faults.remote_code(said) != faults.INVALID_PARAMETER:
            return [one for one in rows if one.key not in outcome]
    rest = [row for row in rows if row.key not in outcome]
    shared = Refused(System.MOODLE, "create_users", "M-023", "no such authentication or language on the site")
    outcome |= {row.key: shared for row in (*alone, *rest)}
    return ()


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
