"""`core_user_create_users`, `core_user_update_users`, `core_user_delete_users`.

Source: contracts/moodle.md, "Errors" and "Functions"; the order of the checks within a row is Moodle's own
(`user/externallib.php`), as the first complaint is the only one given.
"""

import re
from dataclasses import replace
from typing import Any

from sandbox.moodle.errors import (
    MoodleError,
    invalid_parameter,
    moodle_exception,
    record_missing,
    weak_password,
    write_failed,
)
from sandbox.moodle.models import User
from sandbox.moodle.parameters import (
    BOOL,
    INT,
    LETTERS,
    NO_TAGS,
    PLUGIN,
    RAW,
    SAFE_NAME,
    TRIMMED,
    USERNAME,
    Absent,
    Parameter,
    Rows,
    Struct,
    defaulting,
    optional,
    required,
)
from sandbox.moodle.passwords import complaints
from sandbox.moodle.state import MoodleState

INTERNAL_AUTH = ("manual", "email")
NAME_CHARACTERS = 100
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")

_CUSTOM_FIELDS = Rows(Struct({"type": required(SAFE_NAME), "value": required(RAW)}), absent=Absent.LEFT_OUT)
_DETAILS: dict[str, Parameter] = {
    "idnumber": optional(RAW),
    "lang": optional(SAFE_NAME),
    "city": optional(NO_TAGS),
    "country": optional(LETTERS),
    "timezone": optional(RAW),
    "mailformat": optional(INT),
    "description": optional(RAW),
    "institution": optional(NO_TAGS),
    "department": optional(NO_TAGS),
    "phone1": optional(NO_TAGS),
    "phone2": optional(NO_TAGS),
    "address": optional(NO_TAGS),
    "middlename": optional(NO_TAGS),
    "alternatename": optional(NO_TAGS),
    "customfields": _CUSTOM_FIELDS,
    "preferences": _CUSTOM_FIELDS,
}
_KEPT = ("username", "firstname", "lastname", "email", "auth", "idnumber", "lang", "city", "country", "suspended")

CREATE = Struct(
    {
        "users": Rows(
            Struct(
                {
                    "createpassword": defaulting(BOOL, False),
                    "username": required(USERNAME),
                    "auth": defaulting(PLUGIN, "manual"),
                    "password": optional(RAW),
                    "firstname": required(NO_TAGS),
                    "lastname": required(NO_TAGS),
                    "email": required(TRIMMED),
                    **_DETAILS,
                }
            )
        )
    }
)
UPDATE = Struct(
    {
        "users": Rows(
            Struct(
                {
                    "id": required(INT),
                    "username": optional(USERNAME),
                    "auth": optional(PLUGIN),
                    "suspended": optional(BOOL),
                    "password": optional(RAW),
                    "firstname": optional(NO_TAGS),
                    "lastname": optional(NO_TAGS),
                    "email": optional(TRIMMED),
                    **_DETAILS,
                }
            )
        )
    }
)
DELETE = Struct({"userids": Rows(required(INT))})


def create_users(state: MoodleState, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All or nobody. `createpassword` mails during the call, even from an array then rolled back (measured)."""
    state.require("moodle/user:create")
    with state.store.transaction():
        return [_create(state, row) for row in arguments["users"]]


def _create(state: MoodleState, row: dict[str, Any]) -> dict[str, Any]:
    _check_new(state, row)
    user = User(id=state.store.next_user_id(), **{name: row[name] for name in _KEPT if name in row})
    if _too_long(user):
        raise write_failed()
    state.store.put_user(user)
    if row["createpassword"]:
        state.mails.append({"to": user.email, "subject": f"{state.site_name}: New user account"})
    return {"id": user.id, "username": user.username}


def _check_new(state: MoodleState, row: dict[str, Any]) -> None:
    if not row["firstname"].strip() or not row["lastname"].strip():
        raise invalid_parameter()
    if state.store.user_by_username(row["username"]) is not None:
        raise invalid_parameter()
    if row["auth"] not in state.site.auth_methods:
        raise invalid_parameter()
    if row.get("lang", "en") not in state.site.languages:
        raise invalid_parameter()
    password = row.get("password", "")
    if row["auth"] in INTERNAL_AUTH and not password and not row["createpassword"]:
        raise invalid_parameter()
    if not valid_email(row["email"]) or _email_taken(state, row["email"], but=None):
        raise invalid_parameter()
    if password and not row["createpassword"]:
        _check_password(password)


def update_users(state: MoodleState, arguments: dict[str, Any]) -> dict[str, Any]:
    """Never throws for a bad row: the good rows are applied, the bad ones become warnings."""
    state.require("moodle/user:update")
    warnings: list[dict[str, Any]] = []
    for row in arguments["users"]:
        try:
            with state.store.transaction():
                _update(state, row)
        except MoodleError as error:
            warnings.append(
                {"item": "user", "itemid": row["id"], "warningcode": error.errorcode, "message": error.message}
            )
    return {"warnings": warnings}


def _update(state: MoodleState, row: dict[str, Any]) -> None:
    user = state.store.users.get(row["id"])
    if user is None:
        raise moodle_exception("invaliduserid", "Invalid user ID")
    if user.deleted:
        raise moodle_exception("usernotupdateddeleted", "User is deleted")
    if user.site_admin:
        raise moodle_exception("usernotupdatedadmin", "Cannot update admin accounts")
    email = row.get("email", user.email)
    if not valid_email(email):
        raise moodle_exception("useremailinvalid", "Invalid email address")
    if _email_taken(state, email, but=user.id):
        raise moodle_exception("useremailduplicate", "Duplicate email address")
    if row.get("password"):
        _check_password(row["password"])
    changed = replace(user, **{name: row[name] for name in _KEPT if name in row})
    holder = state.store.user_by_username(changed.username)
    if _too_long(changed) or (holder is not None and holder.id != user.id):
        raise write_failed()
    state.store.put_user(changed)


def delete_users(state: MoodleState, arguments: dict[str, Any]) -> None:
    """All or nobody; site administrators and the token's own user cannot be deleted."""
    state.require("moodle/user:delete")
    with state.store.transaction():
        for user_id in arguments["userids"]:
            user = state.store.users.get(user_id)
            if user is None or user.deleted:
                raise record_missing("user")
            if user.site_admin:
                raise moodle_exception("useradminodelete", "Admin accounts can not be deleted")
            if user.id == state.caller.id:
                raise moodle_exception("usernotdeletederror", "User not deleted: error")
            state.store.delete_user(user)


def valid_email(email: str) -> bool:
    return _EMAIL.fullmatch(email) is not None


def _email_taken(state: MoodleState, email: str, *, but: int | None) -> bool:
    """In any case (measured)."""
    return any(user.id != but and not user.deleted for user in state.store.users_by_email(email))


def _check_password(password: str) -> None:
    broken = complaints(password)
    if broken:
        raise weak_password(broken)


def _too_long(user: User) -> bool:
    return any(len(name) > NAME_CHARACTERS for name in (user.firstname, user.lastname, user.username, user.email))
