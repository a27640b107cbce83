"""`core_group_get_course_groups`, `core_group_create_groups`, `core_group_add_group_members`, `…delete_group_members`.

Source: Moodle's `group/externallib.php` (read, not measured): arrays are one transaction; a name taken in the course
and a member who is not enrolled are `invalidparameter`; a member again is harmless.
"""

from typing import Any

from sandbox.moodle.errors import invalid_parameter, moodle_exception, record_missing
from sandbox.moodle.models import Group, User
from sandbox.moodle.parameters import INT, NO_TAGS, RAW, Rows, Struct, defaulting, required
from sandbox.moodle.state import MoodleState

IN_COURSE = Struct({"courseid": required(INT)})
CREATE = Struct(
    {
        "groups": Rows(
            Struct(
                {
                    "courseid": required(INT),
                    "name": required(NO_TAGS),
                    "description": required(RAW),
                    "descriptionformat": defaulting(INT, 1),
                    "enrolmentkey": defaulting(RAW, ""),
                    "idnumber": defaulting(RAW, ""),
                }
            )
        )
    }
)
MEMBERS = Struct({"members": Rows(Struct({"groupid": required(INT), "userid": required(INT)}))})


def course_groups(state: MoodleState, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    _enter(state, arguments["courseid"])
    groups = state.store.groups_in(arguments["courseid"])
    return [_show(group) for group in sorted(groups, key=lambda group: group.name)]


def create_groups(state: MoodleState, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    with state.store.transaction():
        return [_show(_create(state, row)) for row in arguments["groups"]]


def _create(state: MoodleState, row: dict[str, Any]) -> Group:
    name = row["name"].strip()
    if not name or any(group.name == name for group in state.store.groups_in(row["courseid"])):
        raise invalid_parameter()
    _enter(state, row["courseid"])
    group = Group(
        id=state.store.next_group_id(),
        course_id=row["courseid"],
        name=name,
        idnumber=row["idnumber"],
        description=row["description"],
    )
    state.store.put_group(group)
    return group


def add_members(state: MoodleState, arguments: dict[str, Any]) -> None:
    with state.store.transaction():
        for row in arguments["members"]:
            _add(state, group_id=row["groupid"], user_id=row["userid"])


def _add(state: MoodleState, *, group_id: int, user_id: int) -> None:
    group, _ = _known(state, group_id=group_id, user_id=user_id)
    if (group.course_id, user_id) not in state.store.enrolments:
        raise invalid_parameter()
    state.store.add_member(group_id, user_id)


def delete_members(state: MoodleState, arguments: dict[str, Any]) -> None:
    """Harmless for who is not in it; refused where a plugin holds the membership."""
    with state.store.transaction():
        for row in arguments["members"]:
            group, _ = _known(state, group_id=row["groupid"], user_id=row["userid"])
            if group.component:
                raise moodle_exception("errorremovenotpermitted", "Group member can not be removed")
            state.store.remove_member(group.id, row["userid"])


def _known(state: MoodleState, *, group_id: int, user_id: int) -> tuple[Group, User]:
    group = state.store.groups.get(group_id)
    if group is None:
        raise record_missing("groups")
    user = state.store.users.get(user_id)
    if user is None or user.deleted:
        raise record_missing("user")
    _enter(state, group.course_id)
    return group, user


def _enter(state: MoodleState, course_id: int) -> None:
    course = state.store.courses.get(course_id)
    if course is None:
        raise record_missing("context")
    state.enter_course(course)
    state.require("moodle/course:managegroups")


def _show(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "courseid": group.course_id,
        "name": group.name,
        "description": group.description,
        "descriptionformat": 1,
        "enrolmentkey": "",
        "idnumber": group.idnumber,
    }
