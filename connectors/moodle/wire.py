"""Moodle's web services as pure functions: the bodies to post and the answers read.

Every call is `POST {site}/webservice/rest/server.php`, form-encoded, with arguments as PHP arrays.
Source: contracts/moodle.md (measured on Moodle 4.3); https://docs.moodle.org/dev/Web_service_API_functions.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from connectors.moodle import faults
from lucy.errors import Invalid, System, Unreadable
from lucy.ports import (
    EnrolmentRequest,
    GroupSeat,
    MoodleCourse,
    MoodleGroup,
    MoodleSiteInfo,
    MoodleUser,
    NewGroup,
    NewMoodleUser,
    UnenrolRequest,
    UserSuspension,
)

SERVER = "/webservice/rest/server.php"

# Every function that Lucy calls: what the service of the token must hold.
FUNCTIONS = frozenset(
    {
        "core_course_get_courses_by_field",
        "core_enrol_get_enrolled_users",
        "core_enrol_get_users_courses",
        "core_group_add_group_members",
        "core_group_create_groups",
        "core_group_delete_group_members",
        "core_group_get_course_groups",
        "core_user_create_users",
        "core_user_get_users_by_field",
        "core_user_update_users",
        "core_webservice_get_site_info",
        "enrol_manual_enrol_users",
        "enrol_manual_unenrol_users",
    }
)

MAX_VALUES = 900  # PHP drops fields past max_input_vars, 1,000 where nobody raised it, without a word
CREATE_ROWS = MAX_VALUES // 8
ENROL_ROWS = MAX_VALUES // 3
SUSPENDED_ENROL_ROWS = MAX_VALUES // 4
UNENROL_ROWS = MAX_VALUES // 2
SUSPENSION_ROWS = MAX_VALUES // 2
GROUP_ROWS = MAX_VALUES // 2
LOOK_UP_VALUES = 800  # about 2 s on the measured site

MAX_NAME = 100
_USERNAME = re.compile(r"[a-z0-9._@-]{1,100}")
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")

Arguments = list[tuple[str, str]]
T = TypeVar("T")


def body(function: str, arguments: Iterable[tuple[str, str]], *, token: str) -> bytes:
    """The form to post. `wsfunction` goes last: a body that PHP has cut then does nothing at all (measured)."""
    fields = [("wstoken", token), ("moodlewsrestformat", "json"), *arguments, ("wsfunction", function)]
    return urlencode(fields).encode("ascii")


def chunks(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def look_up(field: str, values: Sequence[str]) -> Arguments:
    """`core_user_get_users_by_field`."""
    return [("field", field), *((f"values[{index}]", value) for index, value in enumerate(values))]


def new_users(rows: Sequence[NewMoodleUser], passwords: Mapping[str, str]) -> Arguments:
    """`core_user_create_users`. `passwords` by key, for those whose authentication needs one.

    `createpassword` is left off: it mails during the call, even from an array that is then rolled back (measured).
    """
    arguments: Arguments = []
    for index, row in enumerate(rows):
        fields = {
            "username": row.username,
            "auth": row.auth,
            "firstname": row.first_name,
            "lastname": row.last_name,
            "email": row.email,
            "idnumber": row.idnumber,
            "lang": row.lang,
        }
        if row.key in passwords:
            fields["password"] = passwords[row.key]
        arguments += [(f"users[{index}][{name}]", value) for name, value in fields.items()]
    return arguments


def enrolments(rows: Sequence[EnrolmentRequest]) -> Arguments:
    """`enrol_manual_enrol_users`.

    `suspend` is 0 or 1 (`true` is refused). Left out it is 0, so only a 1 is sent: again without it makes a suspended
    enrolment active (measured).
    """
    arguments: Arguments = []
    for index, row in enumerate(rows):
        fields = {"roleid": row.role_id, "userid": row.user_id, "courseid": row.course_id}
        if row.suspend:
            fields["suspend"] = 1
        arguments += _row("enrolments", index, fields)
    return arguments


def enrol_rows(rows: Sequence[EnrolmentRequest]) -> int:
    """How many rows of these one call may take."""
    return SUSPENDED_ENROL_ROWS if any(row.suspend for row in rows) else ENROL_ROWS


def unenrolments(rows: Sequence[UnenrolRequest]) -> Arguments:
    """`enrol_manual_unenrol_users`; without `roleid`, which 5.x refuses."""
    arguments: Arguments = []
    for index, row in enumerate(rows):
        arguments += _row("enrolments", index, {"userid": row.user_id, "courseid": row.course_id})
    return arguments


def suspensions(rows: Sequence[UserSuspension]) -> Arguments:
    """`core_user_update_users`; what is not sent stays as it is."""
    arguments: Arguments = []
    for index, row in enumerate(rows):
        arguments += _row("users", index, {"id": row.user_id, "suspended": int(row.suspended)})
    return arguments


def new_groups(rows: Sequence[NewGroup]) -> Arguments:
    """`core_group_create_groups`; the description is required and may be empty."""
    arguments: Arguments = []
    for index, row in enumerate(rows):
        fields = {"courseid": str(row.course_id), "name": row.name, "description": ""}
        arguments += [(f"groups[{index}][{name}]", value) for name, value in fields.items()]
    return arguments


def seats(rows: Sequence[GroupSeat]) -> Arguments:
    """`core_group_add_group_members` and `core_group_delete_group_members`."""
    arguments: Arguments = []
    for index, row in enumerate(rows):
        arguments += _row("members", index, {"groupid": row.group_id, "userid": row.user_id})
    return arguments


def users_in(course_id: int, options: Mapping[str, str]) -> Arguments:
    """`core_enrol_get_enrolled_users`, ids only: all fields take a multiple of the time (measured)."""
    arguments = [("courseid", str(course_id))]
    for index, (name, value) in enumerate({**options, "userfields": "id"}.items()):
        arguments += [(f"options[{index}][name]", name), (f"options[{index}][value]", value)]
    return arguments


def _row(array: str, index: int, fields: Mapping[str, int]) -> Arguments:
    return [(f"{array}[{index}][{name}]", str(value)) for name, value in fields.items()]


def askable_username(username: str) -> bool:
    """False for what would fail the whole look-up with `invalidparameter`."""
    return _USERNAME.fullmatch(username) is not None


def askable_email(address: str) -> bool:
    return _EMAIL.fullmatch(address) is not None


def refused_beforehand(row: NewMoodleUser) -> Invalid | None:
    """What Moodle is known to refuse in a new user, found without spending a call (`M-004`)."""
    reason = ""
    if not askable_username(row.username):
        reason = "username"
    elif not askable_email(row.email):
        reason = "email"
    elif not row.first_name.strip() or not row.last_name.strip():
        reason = "blank name"
    elif max(len(row.first_name), len(row.last_name), len(row.email)) > MAX_NAME:
        reason = f"more than {MAX_NAME} characters"
    return Invalid(System.MOODLE, "create_users", "M-004", detail=reason) if reason else None


def read_answer(operation: str, answer: object) -> object:
    """Pass a success on. Raises the RemoteError of an `{"exception": …}` answer."""
    if isinstance(answer, dict) and "exception" in answer:
        raise faults.application_error(operation, answer)
    return answer


def read_users(operation: str, answer: object) -> list[MoodleUser]:
    """Those found, in no order. An empty `idnumber` is absent, `email` too without `moodle/site:viewuseridentity`."""
    return [
        MoodleUser(
            id=_number(operation, row, "id"),
            username=_text(operation, row, "username"),
            email=_text(operation, row, "email", default=""),
            idnumber=_text(operation, row, "idnumber", default=""),
            auth=_text(operation, row, "auth", default=""),
            suspended=bool(row.get("suspended", False)),
        )
        for row in _rows(operation, answer)
    ]


def read_created(answer: object) -> dict[str, int]:
    """Ids by username."""
    operation = "create_users"
    return {_text(operation, row, "username"): _number(operation, row, "id") for row in _rows(operation, answer)}


def read_null(operation: str, answer: object) -> None:
    """Success is `null`."""
    if answer not in (None, []):
        raise unreadable(operation, "an answer where null was due")


def read_warnings(answer: object) -> dict[int, str]:
    """Which users were not changed, by id, with the errorcode of each."""
    operation = "suspend_users"
    warnings = answer.get("warnings") if isinstance(answer, dict) else None
    return {
        _number(operation, row, "itemid"): faults.safe_code(row.get("warningcode"))
        for row in _rows(operation, warnings)
    }


def read_course(answer: object, shortname: str) -> MoodleCourse | None:
    """The course of exactly that shortname: some databases compare without case."""
    operation = "find_courses"
    courses = answer.get("courses") if isinstance(answer, dict) else None
    for row in _rows(operation, courses):
        if row.get("shortname") == shortname:
            return MoodleCourse(
                id=_number(operation, row, "id"),
                shortname=shortname,
                fullname=_text(operation, row, "fullname", default=""),
                visible=bool(row.get("visible", True)),
            )
    return None


def read_groups(operation: str, answer: object) -> list[MoodleGroup]:
    return [
        MoodleGroup(
            id=_number(operation, row, "id"),
            course_id=_number(operation, row, "courseid"),
            name=_text(operation, row, "name"),
        )
        for row in _rows(operation, answer)
    ]


def read_ids(operation: str, answer: object) -> frozenset[int]:
    return frozenset(_number(operation, row, "id") for row in _rows(operation, answer))


def read_site(answer: object) -> MoodleSiteInfo:
    operation = "site"
    if not isinstance(answer, dict):
        raise unreadable(operation, "not an object")
    names = frozenset(_text(operation, row, "name") for row in _rows(operation, answer.get("functions")))
    return MoodleSiteInfo(
        release=_text(operation, answer, "release", default=""),
        user_id=_number(operation, answer, "userid"),
        functions=names,
        missing=FUNCTIONS - names,
    )


def unreadable(operation: str, detail: str) -> Unreadable:
    return Unreadable(System.MOODLE, operation, "M-015", detail=detail)


def _rows(operation: str, answer: object) -> list[dict[str, object]]:
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise unreadable(operation, "not a list of objects")
    return answer


def _number(operation: str, row: Mapping[str, object], name: str) -> int:
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise unreadable(operation, f"{name} is not a number")
    return value


def _text(operation: str, row: Mapping[str, object], name: str, *, default: str | None = None) -> str:
    value = row.get(name, default)
    if not isinstance(value, str):
        raise unreadable(operation, f"{name} is not text")
    return value
