"""`enrol_manual_enrol_users` and `enrol_manual_unenrol_users`.

Source: contracts/moodle.md, "Errors" and "Functions"; checks within a row in Moodle's order: course, role, manual
instance, user.
"""

from typing import Any

from sandbox.moodle.errors import (
    MoodleError,
    coding_error,
    invalid_parameter,
    moodle_exception,
    record_missing,
)
from sandbox.moodle.models import Enrolment
from sandbox.moodle.parameters import INT, Rows, Struct, optional, required
from sandbox.moodle.state import MoodleState

ENROL = Struct(
    {
        "enrolments": Rows(
            Struct(
                {
                    "roleid": required(INT),
                    "userid": required(INT),
                    "courseid": required(INT),
                    "timestart": optional(INT),
                    "timeend": optional(INT),
                    "suspend": optional(INT),
                }
            )
        )
    }
)
UNENROL = Struct(
    {"enrolments": Rows(Struct({"userid": required(INT), "courseid": required(INT), "roleid": optional(INT)}))}
)


def enrol_users(state: MoodleState, arguments: dict[str, Any]) -> None:
    """All or nobody; no word of which row was bad."""
    with state.store.transaction():
        for row in arguments["enrolments"]:
            _enrol(state, row)


def _enrol(state: MoodleState, row: dict[str, Any]) -> None:
    """Again re-activates a suspended enrolment and clears the dates not sent; another role adds."""
    _check_course(state, row)
    user = state.store.users.get(row["userid"])
    if user is None or user.deleted:
        raise coding_error(f"User ID does not exist or is deleted! ID: {row['userid']}")
    known = state.store.enrolments.get((row["courseid"], row["userid"]))
    roles = {*(known.role_ids if known else ()), row["roleid"]}
    state.store.put_enrolment(
        Enrolment(
            course_id=row["courseid"],
            user_id=row["userid"],
            role_ids=tuple(sorted(roles)),
            suspended=bool(row.get("suspend", 0)),
            time_start=row.get("timestart", 0),
            time_end=row.get("timeend", 0),
        )
    )


def _check_course(state: MoodleState, row: dict[str, Any]) -> None:
    course = state.store.courses.get(row["courseid"])
    if course is None:
        raise invalid_parameter()
    state.enter_course(course)
    state.require("enrol/manual:enrol")
    if row["roleid"] not in course.assignable_role_ids or not state.may("moodle/role:assign"):
        raise moodle_exception(
            "wsusercannotassign",
            f"You don't have the permission to assign this role ({row['roleid']}) to this user "
            f"({row['userid']}) in this course ({course.id}).",
        )
    if not course.manual_enrolment:
        raise _no_instance(course.id)


def unenrol_users(state: MoodleState, arguments: dict[str, Any]) -> None:
    """`null` also for who is not enrolled; takes every role. Moodle 5 refuses `roleid` (source read, not run)."""
    with state.store.transaction():
        for row in arguments["enrolments"]:
            _unenrol(state, row)


def _unenrol(state: MoodleState, row: dict[str, Any]) -> None:
    if "roleid" in row and state.site.major >= 5:
        raise invalid_parameter()
    course = state.store.courses.get(row["courseid"])
    if course is None:
        raise record_missing("context")
    state.enter_course(course)
    state.require("enrol/manual:unenrol")
    if not course.manual_enrolment:
        raise _no_instance(course.id)
    if row["userid"] not in state.store.users:
        raise invalid_parameter()
    known = state.store.enrolments.get((row["courseid"], row["userid"]))
    if known is not None:
        state.store.remove_enrolment(known)


def _no_instance(course_id: int) -> MoodleError:
    return moodle_exception(
        "wsnoinstance",
        f"Manual enrolment plugin instance doesn't exist or is disabled for the course (id = {course_id})",
    )
