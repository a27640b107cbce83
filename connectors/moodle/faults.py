"""What Moodle says when it does not do as asked, by what the caller can do about it.

Application errors are HTTP 200 with `{"exception", "errorcode", "message"}`; the message may name people, so only the
errorcode is kept. Source: contracts/moodle.md, "Errors" (measured on Moodle 4.3).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lucy.errors import (
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RemoteIds,
    RetryLater,
    System,
)

MAINTENANCE_WAIT_S = 60.0
DATABASE_WAIT_S = 30.0
CLASH_WAIT_S = 2.0
DOWN_WAIT_S = 5.0

INVALID_TOKEN = "invalidtoken"
INVALID_PARAMETER = "invalidparameter"
WRITE_FAILED = "dmlwriteexception"
CODING_ERROR = "codingerror"
RECORD_MISSING = "invalidrecord"
USER_MISSING = "invaliduser"
PHP_FAILURE = "Error"
WEAK_PASSWORD = "html"

_CALL_CODES = frozenset(
    {
        INVALID_TOKEN,
        "wsaccessusersuspended",
        "forcepasswordchangenotice",
        "sitepolicynotagreed",
        "accessexception",
        RECORD_MISSING,
        "nopermissions",
        "requireloginerror",
        "dbconnectionfailed",
    }
)

COURSE_CODES = frozenset(
    {INVALID_PARAMETER, "wsusercannotassign", "wsnoinstance", "nopermissions", "requireloginerror"}
)
"""In `enrol`, the course or the role in it is to blame for these, never the user."""

UNENROL_COURSE_CODES = frozenset({RECORD_MISSING, "wsnoinstance", "nopermissions", "requireloginerror"})
"""In `unenrol`, `invalidparameter` is the user's."""


class _Fault(NamedTuple):
    family: type[RemoteError]
    code: str
    after_s: float | None = None


_FAULTS: Mapping[str, _Fault] = {
    INVALID_TOKEN: _Fault(Refused, "M-002"),
    "wsaccessusersuspended": _Fault(Refused, "M-002"),
    "forcepasswordchangenotice": _Fault(Refused, "M-002"),
    "sitepolicynotagreed": _Fault(Refused, "M-002"),
    "accessexception": _Fault(Refused, "M-003"),
    RECORD_MISSING: _Fault(Refused, "M-003"),
    "nopermissions": _Fault(Refused, "M-003"),
    "requireloginerror": _Fault(Refused, "M-003"),
    INVALID_PARAMETER: _Fault(Invalid, "M-004"),
    WRITE_FAILED: _Fault(RetryLater, "M-010", CLASH_WAIT_S),
    "dbconnectionfailed": _Fault(RetryLater, "M-010", DATABASE_WAIT_S),
    WEAK_PASSWORD: _Fault(Refused, "M-016"),
}
_IN_ENROL: Mapping[str, _Fault] = {
    INVALID_PARAMETER: _Fault(NotFound, "M-005"),
    CODING_ERROR: _Fault(NotFound, "M-001"),
    "wsusercannotassign": _Fault(Refused, "M-014"),
    "wsnoinstance": _Fault(Refused, "M-013"),
}
_IN_UNENROL: Mapping[str, _Fault] = {
    INVALID_PARAMETER: _Fault(NotFound, "M-001"),
    RECORD_MISSING: _Fault(NotFound, "M-005"),  # of the course: the function itself is in every Moodle
    "wsnoinstance": _Fault(Refused, "M-013"),
}
_OF_A_SEAT: Mapping[str, _Fault] = {
    RECORD_MISSING: _Fault(NotFound, "M-020"),
    USER_MISSING: _Fault(NotFound, "M-001"),
    INVALID_PARAMETER: _Fault(NotFound, "M-021"),
    "errorremovenotpermitted": _Fault(Refused, "M-022"),
}
_OF_AN_ENROLMENT: Mapping[str, Mapping[str, _Fault]] = {"enrol": _IN_ENROL, "unenrol": _IN_UNENROL}
_OF_AN_OPERATION = {**_OF_AN_ENROLMENT, "join_groups": _OF_A_SEAT, "leave_groups": _OF_A_SEAT}
_OF_A_ROW: Mapping[str, _Fault] = {
    "invaliduserid": _Fault(NotFound, "M-001"),
    "usernotupdateddeleted": _Fault(NotFound, "M-001"),
    WRITE_FAILED: _FAULTS[WRITE_FAILED],
}
_USER_REFUSED = _Fault(Refused, "M-019")
_BROKEN_INSIDE = _Fault(Refused, "M-017")
_REFUSED_ENROLMENT = _Fault(Refused, "M-006")


def application_error(operation: str, answer: Mapping[str, object]) -> RemoteError:
    """The error of an `{"exception": …}` answer."""
    errorcode = _errorcode(answer)
    own = _OF_AN_OPERATION.get(operation, {})
    unknown = _REFUSED_ENROLMENT if operation in _OF_AN_ENROLMENT and errorcode != PHP_FAILURE else _BROKEN_INSIDE
    return _error(operation, errorcode, own.get(errorcode) or _FAULTS.get(errorcode, unknown))


def row_error(operation: str, errorcode: str) -> RemoteError:
    """The error of one row that `core_user_update_users` warned of; the others were done."""
    return _error(operation, errorcode, _OF_A_ROW.get(errorcode, _USER_REFUSED))


def _error(operation: str, errorcode: str, fault: _Fault) -> RemoteError:
    ids = RemoteIds(remote_code=errorcode)
    if fault.after_s is not None:
        return RetryLater(System.MOODLE, operation, fault.code, detail=errorcode, ids=ids, after_s=fault.after_s)
    return fault.family(System.MOODLE, operation, fault.code, detail=errorcode, ids=ids)


def _errorcode(answer: Mapping[str, object]) -> str:
    """The errorcode, fit for a log: a weak password puts the policy's HTML there, a PHP failure nothing."""
    code = answer.get("errorcode")
    if not isinstance(code, str) or not code:
        return PHP_FAILURE
    if "<" in code:
        return WEAK_PASSWORD
    return safe_code(code)


def safe_code(code: object) -> str:
    return re.sub(r"[^A-Za-z0-9_/]", "", code)[:60] if isinstance(code, str) else ""


def status_error(operation: str, status: int, *, retry_after_s: float | None, changes: bool) -> RemoteError:
    """The error of an answer that is not 200. `changes`: the call writes, so a gateway's 5xx leaves it unknown.

    503 is maintenance, an empty 403 web services switched off, 303 a host that is not the site's own.
    """
    detail = f"HTTP {status}"
    ids = RemoteIds(remote_code=str(status))
    if status in (429, 503):
        return RetryLater(
            System.MOODLE,
            operation,
            "M-009" if status == 503 else "M-010",
            detail=detail,
            ids=ids,
            after_s=MAINTENANCE_WAIT_S if retry_after_s is None else retry_after_s,
            throttled=status == 429 or retry_after_s is not None,
        )
    if status >= 500:
        if changes:
            return OutcomeUnknown(System.MOODLE, operation, "M-010", detail=detail, ids=ids)
        return RetryLater(System.MOODLE, operation, "M-010", detail=detail, ids=ids, after_s=DOWN_WAIT_S)
    return Refused(System.MOODLE, operation, "M-003" if status == 403 else "M-015", detail=detail, ids=ids)


def remote_code(error: RemoteError) -> str:
    """The errorcode behind an error, empty when Moodle did not give one."""
    return error.ids.remote_code


def blames_a_row(error: RemoteError) -> bool:
    """True when one row of the array may be the cause, so that looking and bisecting helps.

    Nothing was done then: arrays run in one transaction. An errorcode nobody has met is counted in, as Moodle keeps
    adding checks of single rows (5.x refuses suspended accounts in `enrol`).
    """
    code = remote_code(error)
    return bool(code) and not code.isdigit() and code not in _CALL_CODES


def blames_a_seat(error: RemoteError) -> bool:
    """As `blames_a_row`, of a place in a group: what is missing is the row's group or user, the function is there."""
    return remote_code(error) in _OF_A_SEAT or blames_a_row(error)


def not_sent(operation: str) -> RetryLater:
    """For what was left unsent behind a call that got no answer."""
    return RetryLater(System.MOODLE, operation, "M-010", detail="not sent: no answer before it", after_s=DOWN_WAIT_S)
