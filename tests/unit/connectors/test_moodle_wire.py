"""Moodle's shapes, contracts/moodle.md: bodies posted, answers and faults read, who is who."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from connectors.moodle import faults, matching, wire
from lucy.errors import (
    Conflict,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RetryLater,
    Unreadable,
)
from lucy.ports import (
    EnrolmentRequest,
    MoodleCourse,
    MoodleUser,
    NewMoodleUser,
    UnenrolRequest,
    UserSuspension,
)

ANA = NewMoodleUser(
    key="1",
    username="a27896410@eco.example.org",
    first_name="Ana",
    last_name="Suárez",
    email="a27896410@eco.example.org",
    idnumber="27896410",
    auth="oidc",
)
USER = MoodleUser(id=18, username=ANA.username, email=ANA.email, idnumber=ANA.idnumber, auth="oidc", suspended=False)


def posted(function: str, arguments: wire.Arguments) -> list[tuple[str, str]]:
    return parse_qsl(wire.body(function, arguments, token="secret").decode("ascii"), keep_blank_values=True)


def test_wsfunction_is_the_last_field() -> None:
    fields = posted("core_user_get_users_by_field", wire.look_up("username", ["a", "ñ&="]))
    assert fields == [
        ("wstoken", "secret"),
        ("moodlewsrestformat", "json"),
        ("field", "username"),
        ("values[0]", "a"),
        ("values[1]", "ñ&="),
        ("wsfunction", "core_user_get_users_by_field"),
    ]


def test_new_users() -> None:
    fields = dict(wire.new_users([ANA, replace(ANA, key="2", auth="manual")], {"2": "Pw-1"}))
    assert fields["users[0][lastname]"] == "Suárez"
    assert fields["users[0][idnumber]"] == "27896410"
    assert "users[0][password]" not in fields
    assert fields["users[1][password]"] == "Pw-1"
    assert not any("createpassword" in name for name in fields)


def test_arrays_stay_within_what_php_takes() -> None:
    created = wire.new_users([ANA] * wire.CREATE_ROWS, {ANA.key: "x"})
    enrolled = wire.enrolments([EnrolmentRequest("1", 1, 2, 5)] * wire.ENROL_ROWS)
    assert len(created) <= wire.MAX_VALUES
    assert len(enrolled) <= wire.MAX_VALUES
    suspended = [EnrolmentRequest("1", 1, 2, 5, suspend=True)] * wire.SUSPENDED_ENROL_ROWS
    assert len(wire.enrolments(suspended)) <= wire.MAX_VALUES
    assert len(wire.unenrolments([UnenrolRequest("1", 1, 2)] * wire.UNENROL_ROWS)) <= wire.MAX_VALUES
    assert len(wire.suspensions([UserSuspension("1", 1, suspended=True)] * wire.SUSPENSION_ROWS)) <= wire.MAX_VALUES
    assert len(wire.look_up("id", ["1"] * wire.LOOK_UP_VALUES)) <= wire.MAX_VALUES


def test_an_enrolment_is_suspended_with_a_1_and_active_without() -> None:
    rows = [EnrolmentRequest("1", 7, 2, 5), EnrolmentRequest("2", 8, 2, 5, suspend=True)]
    fields = dict(wire.enrolments(rows))
    assert "enrolments[0][suspend]" not in fields
    assert fields["enrolments[1][suspend]"] == "1"
    assert wire.enrol_rows(rows) < wire.enrol_rows(rows[:1]) == wire.ENROL_ROWS


def test_unenrolments_name_no_role() -> None:
    assert wire.unenrolments([UnenrolRequest("1", 7, 2), UnenrolRequest("2", 8, 3)]) == [
        ("enrolments[0][userid]", "7"),
        ("enrolments[0][courseid]", "2"),
        ("enrolments[1][userid]", "8"),
        ("enrolments[1][courseid]", "3"),
    ]


def test_suspensions_change_nothing_else() -> None:
    rows = [UserSuspension("1", 7, suspended=True), UserSuspension("2", 8, suspended=False)]
    assert wire.suspensions(rows) == [
        ("users[0][id]", "7"),
        ("users[0][suspended]", "1"),
        ("users[1][id]", "8"),
        ("users[1][suspended]", "0"),
    ]


def test_a_courses_users_are_asked_for_by_id_alone() -> None:
    assert wire.users_in(2, {}) == [
        ("courseid", "2"),
        ("options[0][name]", "userfields"),
        ("options[0][value]", "id"),
    ]
    assert dict(wire.users_in(2, {"onlysuspended": "1"}))["options[0][name]"] == "onlysuspended"


def test_warnings_are_read_by_user() -> None:
    rows = [
        {"item": "user", "itemid": 7, "warningcode": "usernotupdatedadmin", "message": "Ana Suárez"},
        {"item": "user", "itemid": 8, "warningcode": "<b>x</b>"},
        {"item": "user", "itemid": 9, "warningcode": 0},
    ]
    assert wire.read_warnings({"warnings": rows}) == {7: "usernotupdatedadmin", 8: "bx/b", 9: ""}
    assert wire.read_warnings({"warnings": []}) == {}


@pytest.mark.parametrize("answer", [None, [], {}, {"warnings": None}, {"warnings": [{"itemid": "7"}]}])
def test_a_change_of_users_that_breaks_the_contract(answer: object) -> None:
    with pytest.raises(Unreadable):
        wire.read_warnings(answer)


@pytest.mark.parametrize(
    ("errorcode", "family", "code"),
    [
        ("invaliduserid", NotFound, "M-001"),
        ("usernotupdateddeleted", NotFound, "M-001"),
        ("dmlwriteexception", RetryLater, "M-010"),
        ("usernotupdatedadmin", Refused, "M-019"),
        ("useremailinvalid", Refused, "M-019"),
        ("", Refused, "M-019"),
    ],
)
def test_a_row_that_was_warned_of(errorcode: str, family: type[RemoteError], code: str) -> None:
    error = faults.row_error("suspend_users", errorcode)
    assert (type(error), error.code, error.ids.remote_code) == (family, code, errorcode)


def test_users() -> None:
    answer = [
        {"id": 18, "username": "u1", "fullname": "U 1", "email": "u1@x.org", "idnumber": "7", "auth": "oauth2"},
        {"id": 19, "username": "u2", "suspended": True},
    ]
    assert wire.read_users("find_users", answer) == [
        MoodleUser(18, "u1", "u1@x.org", "7", "oauth2", suspended=False),
        MoodleUser(19, "u2", "", "", "", suspended=True),
    ]


def test_courses_by_exact_case() -> None:
    answer = {"courses": [{"id": 4, "shortname": "cont-1", "fullname": "C", "visible": 1}], "warnings": []}
    assert wire.read_course(answer, "CONT-1") is None
    assert wire.read_course(answer, "cont-1") == MoodleCourse(4, "cont-1", "C", visible=True)
    assert wire.read_course({"courses": [], "warnings": []}, "x") is None


@pytest.mark.parametrize("answer", [None, {}, "x", [1], [{"id": "18", "username": "u"}], [{"id": 1}], [{"id": True}]])
def test_answers_that_break_the_contract(answer: object) -> None:
    with pytest.raises(Unreadable) as caught:
        wire.read_users("find_users", answer)
    assert caught.value.code == "M-015"


def test_enrolled_is_null() -> None:
    wire.read_null("enrol", None)
    with pytest.raises(Unreadable):
        wire.read_null("enrol", {"warnings": [1]})


@pytest.mark.parametrize(
    ("operation", "errorcode", "family", "code"),
    [
        ("find_users", "invalidtoken", Refused, "M-002"),
        ("find_users", "wsaccessusersuspended", Refused, "M-002"),
        ("find_users", "forcepasswordchangenotice", Refused, "M-002"),
        ("find_users", "sitepolicynotagreed", Refused, "M-002"),
        ("find_users", "accessexception", Refused, "M-003"),
        ("find_users", "invalidrecord", Refused, "M-003"),
        ("create_users", "nopermissions", Refused, "M-003"),
        ("create_users", "invalidparameter", Invalid, "M-004"),
        ("create_users", "dmlwriteexception", RetryLater, "M-010"),
        ("create_users", "<div>The password must have at least 8 characters</div>", Refused, "M-016"),
        ("create_users", "somethingnew", Refused, "M-017"),
        ("find_users", "dbconnectionfailed", RetryLater, "M-010"),
        ("enrol", "invalidparameter", NotFound, "M-005"),
        ("enrol", "codingerror", NotFound, "M-001"),
        ("enrol", "wsusercannotassign", Refused, "M-014"),
        ("enrol", "wsnoinstance", Refused, "M-013"),
        ("enrol", "requireloginerror", Refused, "M-003"),
        ("enrol", "dmlwriteexception", RetryLater, "M-010"),
        ("enrol", "somethingnew", Refused, "M-006"),
        ("enrol", "invalidtoken", Refused, "M-002"),
        ("unenrol", "invalidparameter", NotFound, "M-001"),
        ("unenrol", "invalidrecord", NotFound, "M-005"),
        ("unenrol", "wsnoinstance", Refused, "M-013"),
        ("unenrol", "nopermissions", Refused, "M-003"),
        ("unenrol", "dmlwriteexception", RetryLater, "M-010"),
        ("unenrol", "somethingnew", Refused, "M-006"),
        ("suspended_in", "invalidrecord", Refused, "M-003"),
    ],
)
def test_application_errors(operation: str, errorcode: str, family: type[RemoteError], code: str) -> None:
    answer = {"exception": "moodle_exception", "errorcode": errorcode, "message": "Ana Suárez"}
    with pytest.raises(RemoteError) as caught:
        wire.read_answer(operation, answer)
    assert type(caught.value) is family
    assert caught.value.code == code
    assert "Ana" not in str(caught.value)
    assert "<" not in str(caught.value)


@pytest.mark.parametrize("answer", [{"exception": "Error", "message": "x"}, {"exception": "Error", "errorcode": None}])
def test_a_php_failure_has_no_errorcode(answer: object) -> None:
    with pytest.raises(Refused) as caught:
        wire.read_answer("enrol", answer)
    assert (caught.value.code, faults.remote_code(caught.value)) == ("M-017", "Error")
    assert faults.blames_a_row(caught.value)


@pytest.mark.parametrize("answer", [None, [], {}, {"courses": []}, [{"exception": 1}]])
def test_successes_pass(answer: object) -> None:
    assert wire.read_answer("site", answer) == answer


@pytest.mark.parametrize(
    ("status", "changes", "family", "code"),
    [
        (503, True, RetryLater, "M-009"),
        (503, False, RetryLater, "M-009"),
        (403, False, Refused, "M-003"),
        (303, True, Refused, "M-015"),
        (404, False, Refused, "M-015"),
        (429, True, RetryLater, "M-010"),
        (502, False, RetryLater, "M-010"),
        (502, True, OutcomeUnknown, "M-010"),
        (504, True, OutcomeUnknown, "M-010"),
    ],
)
def test_statuses(status: int, changes: bool, family: type[RemoteError], code: str) -> None:
    error = faults.status_error("enrol", status, retry_after_s=None, changes=changes)
    assert type(error) is family
    assert error.code == code
    assert not faults.blames_a_row(error)


def test_retry_after_is_obeyed_by_all() -> None:
    error = faults.status_error("enrol", 503, retry_after_s=120, changes=True)
    assert isinstance(error, RetryLater)
    assert (error.after_s, error.throttled) == (120, True)


@pytest.mark.parametrize(
    "change",
    [
        {"username": "Ana"},
        {"username": "ñandú"},
        {"username": ""},
        {"email": "no tiene"},
        {"email": "a@b"},
        {"first_name": " "},
        {"last_name": ""},
        {"last_name": "x" * 101},
    ],
)
def test_what_moodle_will_never_take(change: dict[str, str]) -> None:
    refusal = wire.refused_beforehand(replace(ANA, **change))
    assert refusal is not None
    assert refusal.code == "M-004"


def test_a_good_row_is_not_refused_beforehand() -> None:
    assert wire.refused_beforehand(replace(ANA, first_name="O'Higgins-Ñandú", last_name="x" * 100)) is None


def test_by_username() -> None:
    assert matching.by_username(ANA, {}) is None
    assert matching.by_username(replace(ANA, username=ANA.username.upper()), {ANA.username: USER}) == USER
    unnumbered = replace(USER, idnumber="")
    assert matching.by_username(ANA, {ANA.username: unnumbered}) == unnumbered
    assert matching.by_username(replace(ANA, idnumber=""), {ANA.username: USER}) == USER
    stranger = matching.by_username(ANA, {ANA.username: replace(USER, idnumber="1")})
    assert isinstance(stranger, Conflict)
    assert stranger.code == "M-008"


def test_who_is_deleted() -> None:
    assert not matching.is_deleted(USER)
    mangled = "a27896410@eco.example.org.1767225600"
    hashed = replace(USER, username=mangled, email="5f4dcc3b5aa765d61d8327deb882cf99", idnumber="")
    assert matching.is_deleted(hashed)
    assert matching.is_deleted(replace(hashed, email=""))
    assert matching.is_deleted(replace(hashed, username=f"{mangled}.7", email=""))
    assert not matching.is_deleted(replace(USER, email=""))
    assert not matching.is_deleted(replace(USER, username="ana.27896410", email="", idnumber=""))


def test_elsewhere() -> None:
    older = replace(USER, id=7, username="27896410", email="ana@example.com")
    stranger = replace(USER, id=8, username="u8", idnumber="")
    assert matching.elsewhere(ANA, same_number=[], same_address=[]) is None
    assert matching.elsewhere(ANA, same_number=[older], same_address=[]) == older
    assert matching.elsewhere(ANA, same_number=[older], same_address=[stranger]) == older
    assert isinstance(matching.elsewhere(ANA, same_number=[], same_address=[stranger]), Conflict)
    assert isinstance(
        matching.elsewhere(replace(ANA, idnumber=""), same_number=[older], same_address=[older]), Conflict
    )


def test_of_several_with_the_number_the_address_decides() -> None:
    first = replace(USER, id=7, username="u7", email="other@example.com")
    second = replace(USER, id=8, username="u8")
    assert matching.elsewhere(ANA, same_number=[first, second], same_address=[second]) == second
    assert isinstance(matching.elsewhere(ANA, same_number=[first, second], same_address=[]), Conflict)
