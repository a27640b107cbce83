"""`core_enrol_get_enrolled_users` and `core_enrol_get_users_courses`.

Source: contracts/moodle.md, "Functions"; what `onlyactive` and `onlysuspended` ask for is in the function's own
description (moodle/moodle, `enrol/externallib.php`).
"""

import time
from dataclasses import dataclass
from typing import Any

from sandbox.moodle.errors import coding_error, record_missing
from sandbox.moodle.models import ROLE_NAMES, Course, Enrolment
from sandbox.moodle.parameters import BOOL, INT, RAW, SAFE_NAME, Absent, Rows, Struct, defaulting, required
from sandbox.moodle.state import MoodleState
from sandbox.moodle.user_lookup import show_user

IN_COURSE = Struct(
    {
        "courseid": required(INT),
        "options": Rows(Struct({"name": required(SAFE_NAME), "value": required(RAW)}), absent=Absent.LEFT_OUT),
    }
)
OF_USER = Struct({"userid": required(INT), "returnusercount": defaulting(BOOL, True)})


@dataclass(frozen=True)
class _Wish:
    only_active: bool
    only_suspended: bool
    group_id: int
    fields: frozenset[str]
    start: int
    number: int


def enrolled_users(state: MoodleState, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All of them without their status; `onlysuspended` gives the expired and future ones too (measured).

    Both `only…` want `moodle/course:enrolreview`.
    """
    course = state.store.courses.get(arguments["courseid"])
    if course is None:
        raise record_missing("course")
    state.enter_course(course)
    wish = _wish(arguments.get("options", []))
    if wish.only_active or wish.only_suspended:
        state.require("moodle/course:enrolreview")
    if not state.may("moodle/user:viewdetails"):
        return []
    listed = [enrolment for enrolment in state.store.enrolments_in(course.id) if _wanted(state, wish, enrolment)]
    end = wish.start + wish.number if wish.number else None
    return [_show(state, enrolment, wish.fields) for enrolment in listed[wish.start : end]]


def _wish(options: list[dict[str, str]]) -> _Wish:
    given = {option["name"]: option["value"] for option in options}
    only_active, only_suspended = (given.get(name, "0") not in ("", "0") for name in ("onlyactive", "onlysuspended"))
    if only_active and only_suspended:
        raise coding_error("onlyactive and onlysuspended are mutually exclusive.")
    return _Wish(
        only_active=only_active,
        only_suspended=only_suspended,
        group_id=INT(given.get("groupid", "0")),
        fields=frozenset(name.strip() for name in given.get("userfields", "").split(",") if name.strip()),
        start=INT(given.get("limitfrom", "0")),
        number=INT(given.get("limitnumber", "0")),
    )


def _wanted(state: MoodleState, wish: _Wish, enrolment: Enrolment) -> bool:
    active = enrolment.active(time.time())
    if (wish.only_active and not active) or (wish.only_suspended and active):
        return False
    return not wish.group_id or state.store.is_member(wish.group_id, enrolment.user_id)


def _show(state: MoodleState, enrolment: Enrolment, fields: frozenset[str]) -> dict[str, Any]:
    shown = show_user(state, state.store.users[enrolment.user_id])
    if not fields or "groups" in fields:
        shown["groups"] = [
            {"id": group.id, "name": group.name, "description": group.description, "descriptionformat": 1}
            for group in state.store.groups_in(enrolment.course_id)
            if state.store.is_member(group.id, enrolment.user_id)
        ]
    if not fields or "roles" in fields:
        shown["roles"] = [
            {"roleid": role_id, "name": "", "shortname": ROLE_NAMES.get(role_id, ""), "sortorder": 0}
            for role_id in enrolment.role_ids
        ]
    if not fields:
        return shown
    return {name: value for name, value in shown.items() if name == "id" or name in fields}


def users_courses(state: MoodleState, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Leaves out suspended, expired and future enrolments and hidden courses; `[]` for an absent user (measured)."""
    now_s = time.time()
    courses = [
        state.store.courses[enrolment.course_id]
        for enrolment in state.store.enrolments_of(arguments["userid"])
        if enrolment.active(now_s)
    ]
    return [_show_course(state, course, counted=arguments["returnusercount"]) for course in courses if course.visible]


def _show_course(state: MoodleState, course: Course, *, counted: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": course.id,
        "shortname": course.shortname,
        "fullname": course.fullname,
        "displayname": course.fullname,
        "idnumber": course.idnumber,
        "visible": int(course.visible),
    }
    if counted:
        shown["enrolledusercount"] = len(state.store.enrolments_in(course.id))
    return shown
