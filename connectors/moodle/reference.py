"""What is asked of Moodle, as docs/connectors/moodle.md shows it. Source: contracts/moodle.md."""

from connectors.moodle import wire
from connectors.reference import CallReference, LimitReference, Reference
from lucy.errors import System

_LOOK = "moodle/user:viewdetails, moodle/site:viewuseridentity"
_ENTER = "moodle/course:view, moodle/course:viewhiddencourses"
_GROUPS = "moodle/course:managegroups"


def _call(operation: str, function: str, when: str, permission: str = "", *, harmless: bool = True) -> CallReference:
    return CallReference(operation, function, when, permission, harmless)


REFERENCE = Reference(
    system=System.MOODLE,
    title="Moodle through its web services",
    summary="Users, enrolments and groups, in arrays. `POST {site}/webservice/rest/server.php`, form-encoded.",
    settings=(
        "LUCY_MOODLE_URL",
        "LUCY_MOODLE_TOKEN",
        "LUCY_MOODLE_USER",
        "LUCY_MOODLE_PASSWORD",
        "LUCY_MOODLE_SERVICE",
        "LUCY_MOODLE_AUTH",
        "LUCY_MOODLE_ROLE_ID",
        "LUCY_MOODLE_SITES",
        "LUCY_RATE_MOODLE",
        "LUCY_CA_FILE",
    ),
    calls=(
        _call("sign_in", "login/token.php", "where a user is set instead of a token", "moodle/webservice:createtoken"),
        _call("site", "core_webservice_get_site_info", "`lucy check`", "webservice/rest:use"),
        _call("find_users", "core_user_get_users_by_field", "before and after a user is made", _LOOK),
        _call("create_users", "core_user_create_users", "a user is made", "moodle/user:create", harmless=False),
        _call("suspend_users", "core_user_update_users", "disable, enable", "moodle/user:update"),
        _call("find_courses", "core_course_get_courses_by_field", "before an enrolment", _ENTER),
        _call("courses_of", "core_enrol_get_users_courses", "a user was there before Lucy", _ENTER),
        _call("enrolled_in", "core_enrol_get_enrolled_users", "before and after un-enrolling", f"{_ENTER}, {_LOOK}"),
        _call(
            "enrol",
            "enrol_manual_enrol_users",
            "an enrolment is made, suspended or let in; a course is looked at",
            "enrol/manual:enrol, moodle/role:assign and the role assignable",
        ),
        _call("unenrol", "enrol_manual_unenrol_users", "an enrolment of Lucy's is taken back", "enrol/manual:unenrol"),
        _call("groups_in", "core_group_get_course_groups", "before a group is made or joined", _GROUPS),
        _call("create_groups", "core_group_create_groups", "a course lacks a group", _GROUPS, harmless=False),
        _call("join_groups", "core_group_add_group_members", "a student joins", _GROUPS),
        _call("leave_groups", "core_group_delete_group_members", "a student leaves", _GROUPS),
    ),
    limits=(
        LimitReference("values in one call", f"{wire.MAX_VALUES}", "PHP's max_input_vars: 1,000 unless raised"),
        LimitReference(
            "rows of a create, an enrolment, an un-enrolment",
            f"{wire.CREATE_ROWS}, {wire.ENROL_ROWS}, {wire.UNENROL_ROWS}",
            "values by fields of a row",
        ),
        LimitReference("names in a look-up", f"{wire.LOOK_UP_VALUES}", "about 2 s on the measured site"),
        LimitReference("pace", "LUCY_RATE_MOODLE calls a second, over all sites", "setting"),
        LimitReference("one answer", "16 MB, 60 s", "connectors/http.py, connectors/moodle/client.py"),
    ),
    letters=("M",),
    notes=(
        "Application errors come with HTTP 200; only the errorcode is kept, never the message.",
        "Arrays are all or nothing: rows are looked up, then the array is halved until the bad rows stand alone. What "
        "the whole site lacks (authentication, language) is told after three rows.",
        "`wsfunction` is sent last, so that a body PHP has cut does nothing.",
        "After a call without an answer Moodle goes on and commits: everything is read back before it is sent again.",
        "Redirects are never followed: the token would go along.",
        "Moodle's REST server takes no OAuth token (`Authorization: Bearer`): a token of the service, or a user.",
    ),
)
