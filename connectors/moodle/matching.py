"""Who is who among the users of a site. Pure."""

import re
from collections.abc import Mapping, Sequence

from lucy.errors import AlreadyThere, Conflict, RemoteError, System
from lucy.ports import MoodleUser, NewMoodleUser


def by_username(wanted: NewMoodleUser, users: Mapping[str, MoodleUser]) -> MoodleUser | RemoteError | None:
    """The user of that name. Conflict when its document number is another's (`M-008`)."""
    user = users.get(wanted.username.lower())
    if user is None:
        return None
    if wanted.idnumber and user.idnumber and wanted.idnumber != user.idnumber:
        return _conflict("the username is somebody else's")
    return user


def elsewhere(
    wanted: NewMoodleUser, *, same_number: Sequence[MoodleUser], same_address: Sequence[MoodleUser]
) -> MoodleUser | RemoteError | None:
    """For who has no user of their name: themselves under another one, or somebody else with their address.

    `idnumber` is not unique in Moodle: of several, the one with the address is meant. An address without the document
    number proves nothing, and Moodle would refuse it to a second user.
    """
    candidates = list(same_number) if wanted.idnumber else []
    if len(candidates) > 1:
        candidates = [user for user in candidates if user in same_address]
        if len(candidates) != 1:
            return _conflict("several users have this idnumber")
    if candidates:
        return candidates[0]
    return _conflict("the address is somebody else's") if same_address else None


_MANGLED = re.compile(r".*\.[0-9]{10}(\.[0-9]+)?")


def is_deleted(user: MoodleUser) -> bool:
    """By id, Moodle finds deleted users too: a hash where their address was, their name and the time as username.

    The address is hidden without `moodle/site:viewuseridentity`: then the username's end decides.
    """
    if user.email:
        return "@" not in user.email
    return not user.idnumber and _MANGLED.fullmatch(user.username) is not None


def already_there(wanted: NewMoodleUser, user: MoodleUser) -> AlreadyThere:
    """`create_users` met the very person."""
    detail = "" if user.username == wanted.username else "under another username"
    return AlreadyThere(System.MOODLE, "create_users", "M-018", detail=detail)


def _conflict(detail: str) -> Conflict:
    return Conflict(System.MOODLE, "find_users", "M-008", detail=detail)
