"""`core_user_get_users_by_field`, and how one user is shown.

Source: contracts/moodle.md, "Functions" and "Look-ups without rights lie with []".
"""

from collections.abc import Callable
from typing import Any

from sandbox.moodle.errors import invalid_parameter
from sandbox.moodle.models import User
from sandbox.moodle.parameters import INT, RAW, TRIMMED, USERNAME, Rows, Struct, required
from sandbox.moodle.state import MoodleState

BY_FIELD = Struct({"field": required(RAW), "values": Rows(required(RAW))})


def users_by_field(state: MoodleState, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Those found, by id and once each; an upper-case username fails the whole call; `email` compares with case."""
    field, values = arguments["field"], arguments["values"]
    found = {user.id: user for value in values for user in _find(state, field=field, value=value)}
    if not state.may("moodle/user:viewdetails"):
        return []
    if field == "email" and not state.may("moodle/site:viewuseridentity"):
        return []
    return [show_user(state, found[user_id]) for user_id in sorted(found)]


def _find(state: MoodleState, *, field: str, value: str) -> list[User]:
    lookup = _LOOKUPS.get(field)
    if lookup is None:
        raise invalid_parameter()
    return lookup(state, value)


def _by_id(state: MoodleState, value: str) -> list[User]:
    """Finds deleted users too, with mangled names (measured)."""
    user = state.store.users.get(INT(value))
    return [] if user is None else [user]


def _by_username(state: MoodleState, value: str) -> list[User]:
    user = state.store.user_by_username(USERNAME(value))
    return [] if user is None or user.deleted else [user]


def _by_email(state: MoodleState, value: str) -> list[User]:
    asked = TRIMMED(value)
    return [user for user in state.store.users_by_email(asked) if user.email == asked and not user.deleted]


def _by_idnumber(state: MoodleState, value: str) -> list[User]:
    return state.store.users_by_idnumber(value)


_LOOKUPS: dict[str, Callable[[MoodleState, str], list[User]]] = {
    "id": _by_id,
    "username": _by_username,
    "email": _by_email,
    "idnumber": _by_idnumber,
}


def show_user(state: MoodleState, user: User) -> dict[str, Any]:
    """An empty `idnumber` is absent; `email` and the two names need their capability."""
    shown: dict[str, Any] = {"id": user.id, "username": user.username}
    if state.may("moodle/site:viewfullnames"):
        shown |= {"firstname": user.firstname, "lastname": user.lastname}
    shown["fullname"] = f"{user.firstname} {user.lastname}"
    if state.may("moodle/site:viewuseridentity"):
        shown["email"] = user.email
    shown["department"] = ""
    if user.idnumber:
        shown["idnumber"] = user.idnumber
    shown |= {
        "firstaccess": 0,
        "lastaccess": 0,
        "auth": user.auth,
        "suspended": user.suspended,
        "confirmed": True,
        "lang": user.lang,
        "theme": "",
        "timezone": "99",
        "mailformat": 1,
    }
    shown |= {name: value for name, value in (("city", user.city), ("country", user.country)) if value}
    return shown
