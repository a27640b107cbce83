"""The web-service functions this site has: their parameters, what they do, the rows they lock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.moodle import courses, enrolled, enrolments, groups, user_changes, user_lookup
from sandbox.moodle.parameters import Struct
from sandbox.moodle.state import MoodleState


@dataclass(frozen=True)
class Function:
    """`run` is pure but for the state; it returns what Moodle answers or raises MoodleError."""

    parameters: Struct
    run: Callable[[MoodleState, dict[str, Any]], Any]


def site_info(state: MoodleState, arguments: dict[str, Any]) -> dict[str, Any]:
    """The pre-flight: release, the token's user, and the functions in its service."""
    caller = state.caller
    return {
        "sitename": state.site_name,
        "username": caller.username,
        "firstname": caller.firstname,
        "lastname": caller.lastname,
        "fullname": f"{caller.firstname} {caller.lastname}",
        "lang": caller.lang,
        "userid": caller.id,
        "siteurl": "",
        "functions": [{"name": name, "version": state.site.release} for name in FUNCTIONS if in_service(state, name)],
        "release": state.site.release,
        "version": "2023100903",
    }


def in_service(state: MoodleState, name: str) -> bool:
    return state.site.functions is None or name in state.site.functions


def row_count(arguments: dict[str, Any]) -> int:
    """How many rows the call's largest array has."""
    return max((len(value) for value in arguments.values() if isinstance(value, list)), default=0)


def enrolment_keys(name: str, arguments: dict[str, Any]) -> set[tuple[int, int]]:
    """The (course, user) rows this call would write, for the clash of two calls under way."""
    if name != "enrol_manual_enrol_users":
        return set()
    return {(row["courseid"], row["userid"]) for row in arguments["enrolments"]}


FUNCTIONS = {
    "core_webservice_get_site_info": Function(Struct({}), site_info),
    "core_user_get_users_by_field": Function(user_lookup.BY_FIELD, user_lookup.users_by_field),
    "core_user_create_users": Function(user_changes.CREATE, user_changes.create_users),
    "core_user_update_users": Function(user_changes.UPDATE, user_changes.update_users),
    "core_user_delete_users": Function(user_changes.DELETE, user_changes.delete_users),
    "core_course_get_courses_by_field": Function(courses.BY_FIELD, courses.courses_by_field),
    "core_course_get_courses": Function(courses.ALL, courses.courses),
    "core_enrol_get_enrolled_users": Function(enrolled.IN_COURSE, enrolled.enrolled_users),
    "core_enrol_get_users_courses": Function(enrolled.OF_USER, enrolled.users_courses),
    "enrol_manual_enrol_users": Function(enrolments.ENROL, enrolments.enrol_users),
    "enrol_manual_unenrol_users": Function(enrolments.UNENROL, enrolments.unenrol_users),
    "core_group_get_course_groups": Function(groups.IN_COURSE, groups.course_groups),
    "core_group_create_groups": Function(groups.CREATE, groups.create_groups),
    "core_group_add_group_members": Function(groups.MEMBERS, groups.add_members),
    "core_group_delete_group_members": Function(groups.MEMBERS, groups.delete_members),
}
