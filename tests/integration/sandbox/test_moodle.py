"""The Moodle simulator over real sockets: every rule of contracts/moodle.md that it enforces, and its faults."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from sandbox.control import Fault, serve
from sandbox.moodle import SERVER_PATH, MoodleState, build_app

TOKEN = "sandbox-moodle-token"
INGRESO, CONT, HIDDEN, NO_MANUAL = 2, 3, 9, 10
STUDENT = 5


def php(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Flatten to PHP's field names, in order."""
    if isinstance(value, dict):
        pairs = [(f"{name}[{key}]" if name else key, item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{name}[{index}]", item) for index, item in enumerate(value)]
    else:
        return [(name, str(value))]
    return [field for key, item in pairs for field in php(item, key)]


class Caller:
    """Posts as Lucy does: `wsfunction` last unless told."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def post(self, function: str, *, token: str = TOKEN, name_first: bool = False, **arguments: Any) -> Any:
        name = [("wsfunction", function)]
        fields = [("wstoken", token), ("moodlewsrestformat", "json"), *php(arguments)]
        fields = [*name, *fields] if name_first else [*fields, *name]
        body = urlencode(fields)
        return await self.http.post(
            SERVER_PATH, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )

    async def __call__(self, function: str, **arguments: Any) -> Any:
        response = await self.post(function, **arguments)
        assert response.status_code == 200
        return response.json()

    async def errorcode(self, function: str, **arguments: Any) -> str:
        answer = await self(function, **arguments)
        assert "exception" in answer, answer
        assert "debuginfo" not in answer
        code: str = answer["errorcode"]
        return code

    async def make(self, *usernames: str, **fields: Any) -> list[int]:
        made = await self("core_user_create_users", users=[new_user(name, **fields) for name in usernames])
        return [row["id"] for row in made]

    async def enrol(self, *user_ids: int, course: int = INGRESO, **fields: Any) -> Any:
        rows = [{"roleid": STUDENT, "userid": user_id, "courseid": course, **fields} for user_id in user_ids]
        return await self("enrol_manual_enrol_users", enrolments=rows)

    async def enrolled(self, course: int = INGRESO, **options: Any) -> list[int]:
        rows = [{"name": name, "value": value} for name, value in options.items()]
        listed = await self("core_enrol_get_enrolled_users", courseid=course, **({"options": rows} if rows else {}))
        return [user["id"] for user in listed]


def new_user(username: str, **fields: Any) -> dict[str, Any]:
    return {
        "username": username,
        "auth": "oidc",
        "firstname": "Ana",
        "lastname": "Suárez D'Angelo",
        "email": f"{username}@example.com",
        **fields,
    }


@pytest.fixture
def state() -> MoodleState:
    return MoodleState(TOKEN)


@pytest.fixture
async def call(state: MoodleState) -> AsyncIterator[Caller]:
    runner, port = await serve(build_app(state), port=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as http:
        yield Caller(http)
    await runner.cleanup()


# --- the door ---


async def test_site_info_is_the_preflight(call: Caller, state: MoodleState) -> None:
    info = await call("core_webservice_get_site_info")
    assert info["release"].startswith("4.3")
    assert info["userid"] == state.caller.id
    assert len(info["functions"]) == 15


async def test_errors_are_http_200(call: Caller) -> None:
    response = await call.post("core_webservice_get_site_info", token="wrong")
    assert response.status_code == 200
    assert response.json() == {
        "exception": "moodle_exception",
        "errorcode": "invalidtoken",
        "message": "Invalid token - token not found",
    }


async def test_unknown_function_and_function_not_in_service(call: Caller, state: MoodleState) -> None:
    assert await call.errorcode("core_no_such_thing") == "invalidrecord"
    state.seed({"site": {"functions": ["core_webservice_get_site_info"]}})
    assert await call.errorcode("core_course_get_courses") == "accessexception"
    info = await call("core_webservice_get_site_info")
    assert [function["name"] for function in info["functions"]] == ["core_webservice_get_site_info"]


async def test_expired_token_is_deleted_after_its_first_use(call: Caller, state: MoodleState) -> None:
    state.site.token_expired = True
    assert await call.errorcode("core_webservice_get_site_info") == "accessexception"
    assert await call.errorcode("core_webservice_get_site_info") == "invalidtoken"


@pytest.mark.parametrize("problem", ["wsaccessusersuspended", "forcepasswordchangenotice", "sitepolicynotagreed"])
async def test_trouble_with_the_tokens_user(call: Caller, state: MoodleState, problem: str) -> None:
    state.site.account_problem = problem
    assert await call.errorcode("core_webservice_get_site_info") == problem


async def test_site_wide_trouble(call: Caller, state: MoodleState) -> None:
    state.site.database_up = False
    assert await call.errorcode("core_webservice_get_site_info") == "dbconnectionfailed"
    state.site.maintenance = True
    closed = await call.post("core_webservice_get_site_info")
    assert (closed.status_code, closed.headers["Content-Type"].split(";")[0]) == (503, "text/html")
    state.site.maintenance, state.site.web_services = False, False
    off = await call.post("core_webservice_get_site_info")
    assert (off.status_code, off.content) == (403, b"")
    state.site.web_services, state.site.canonical_host = True, "campus.example.org"
    moved = await call.post("core_webservice_get_site_info")
    assert moved.status_code == 303
    assert moved.headers["Location"] == "http://campus.example.org/webservice/rest/server.php"


async def test_xml_is_the_default_format(call: Caller) -> None:
    good = await call.http.post(SERVER_PATH, data={"wstoken": TOKEN, "wsfunction": "core_course_get_courses"})
    assert good.headers["Content-Type"].startswith("application/xml")
    assert '<KEY name="shortname"><VALUE>INGRESO-2026</VALUE>' in good.text
    bad = await call.http.post(SERVER_PATH, data={"wstoken": "wrong", "wsfunction": "core_course_get_courses"})
    assert "<ERRORCODE>invalidtoken</ERRORCODE>" in bad.text


async def test_json_bodies_and_bearer_tokens_are_not_understood(call: Caller) -> None:
    response = await call.http.post(
        SERVER_PATH,
        json={"wstoken": TOKEN, "wsfunction": "core_course_get_courses"},
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert "<ERRORCODE>invalidtoken</ERRORCODE>" in response.text


async def test_get_works_up_to_8_kb(call: Caller) -> None:
    query = {"wstoken": TOKEN, "wsfunction": "core_course_get_courses", "moodlewsrestformat": "json"}
    assert len((await call.http.get(SERVER_PATH, params=query)).json()) == 9
    long = await call.http.get(SERVER_PATH, params=query | {"x": "y" * 8200})
    assert (long.status_code, long.headers["Content-Type"].split(";")[0]) == (414, "text/html")


async def test_body_past_post_max_size_goes_whole(call: Caller, state: MoodleState) -> None:
    state.site.post_max_bytes = 200
    response = await call.post("core_user_get_users_by_field", field="username", values=["u" * 300])
    assert "<ERRORCODE>invalidtoken</ERRORCODE>" in response.text


# --- PHP's cut ---


async def test_at_1000_names_997_are_answered(call: Caller, state: MoodleState) -> None:
    names = [f"u{index}" for index in range(1000)]
    state.seed({"users": [{**new_user(name), "auth": "oidc"} for name in names]})
    found = await call("core_user_get_users_by_field", name_first=True, field="username", values=names)
    assert len(found) == 997
    assert state.control.calls()[-1]["dropped"] == 3


async def test_700_unenrolled_says_null_and_does_499(call: Caller, state: MoodleState) -> None:
    user_ids = list(range(1001, 1701))
    state.seed(
        {
            "users": [{"id": user_id, **new_user(f"u{user_id}")} for user_id in user_ids],
            "enrolments": [{"course_id": INGRESO, "user_id": user_id} for user_id in user_ids],
        }
    )
    rows = [{"userid": user_id, "courseid": INGRESO} for user_id in user_ids]
    assert await call("enrol_manual_unenrol_users", name_first=True, enrolments=rows) is None
    assert len(await call.enrolled()) == 201


async def test_function_name_last_turns_a_cut_into_an_error(call: Caller, state: MoodleState) -> None:
    state.seed({"site": {"max_input_vars": 20}})
    (user_id,) = await call.make("u1")
    rows = [{"userid": user_id, "courseid": INGRESO, "roleid": STUDENT}] * 10
    assert await call.errorcode("enrol_manual_enrol_users", enrolments=rows) == "invalidparameter"
    assert await call.enrolled() == []


async def test_a_row_cut_in_half_is_refused(call: Caller, state: MoodleState) -> None:
    state.seed({"site": {"max_input_vars": 6}})
    rows = [{"userid": 3, "courseid": INGRESO, "roleid": STUDENT}] * 2
    code = await call.errorcode("enrol_manual_enrol_users", name_first=True, enrolments=rows)
    assert code == "invalidparameter"


# --- look-ups ---


async def test_lookup_by_each_field(call: Caller, state: MoodleState) -> None:
    first, second = await call.make("zoe", "ana", idnumber="40123456")
    assert state.store.users[first].auth == "oidc"
    for field, values in (("id", [second, first, second, 999]), ("username", ["ana", "zoe", "nobody"])):
        found = await call("core_user_get_users_by_field", field=field, values=values)
        assert [user["id"] for user in found] == [first, second]
    found = await call("core_user_get_users_by_field", field="idnumber", values=["40123456"])
    assert len(found) == 2
    shown = found[0]
    assert shown["fullname"] == "Ana Suárez D'Angelo"
    assert "firstname" not in shown
    assert (shown["suspended"], shown["auth"], shown["email"]) == (False, "oidc", "zoe@example.com")


async def test_lookup_by_email_compares_case(call: Caller) -> None:
    await call.make("ana", email="Ana@example.com")
    assert await call("core_user_get_users_by_field", field="email", values=["ana@example.com"]) == []
    assert len(await call("core_user_get_users_by_field", field="email", values=["Ana@example.com"])) == 1


async def test_bad_lookups(call: Caller) -> None:
    upper = await call.errorcode("core_user_get_users_by_field", field="username", values=["ana", "ANA"])
    unknown = await call.errorcode("core_user_get_users_by_field", field="phone", values=["1"])
    missing = await call.errorcode("core_user_get_users_by_field", field="username")
    extra = await call.errorcode("core_user_get_users_by_field", field="username", values=["ana"], more="1")
    not_id = await call.errorcode("core_user_get_users_by_field", field="id", values=[""])
    assert {upper, unknown, missing, extra, not_id} == {"invalidparameter"}


async def test_lookups_without_rights_lie(call: Caller, state: MoodleState) -> None:
    (user_id,) = await call.make("ana", idnumber="40123456")
    await call.enrol(user_id)
    state.site.missing_capabilities = ("moodle/site:viewuseridentity",)
    assert await call("core_user_get_users_by_field", field="email", values=["ana@example.com"]) == []
    (seen,) = await call("core_user_get_users_by_field", field="username", values=["ana"])
    assert "email" not in seen
    assert seen["firstname"] == "Ana"
    state.site.missing_capabilities = ("moodle/user:viewdetails",)
    assert await call("core_user_get_users_by_field", field="username", values=["ana"]) == []
    assert await call.enrolled() == []


async def test_empty_idnumber_is_absent(call: Caller) -> None:
    await call.make("ana")
    (seen,) = await call("core_user_get_users_by_field", field="username", values=["ana"])
    assert "idnumber" not in seen


# --- creating, updating, deleting ---


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "taken"},
        {"email": "TAKEN@example.com"},
        {"email": "no tiene"},
        {"username": "Ana"},
        {"username": "añá"},
        {"username": ""},
        {"auth": "ldap"},
        {"lang": "xx"},
        {"firstname": "<b>Ana</b>"},
        {"lastname": "  "},
        {"auth": "manual"},
        {"nickname": "anita"},
    ],
)
async def test_a_bad_user_fails_the_whole_array_without_a_hint(call: Caller, fields: dict[str, str]) -> None:
    await call.make("taken")
    rows = [new_user("good1"), new_user("bad") | fields, new_user("good2")]
    assert await call.errorcode("core_user_create_users", users=rows) == "invalidparameter"
    assert await call("core_user_get_users_by_field", field="username", values=["good1", "good2"]) == []


async def test_missing_field_and_twice_in_one_array(call: Caller) -> None:
    incomplete = {name: value for name, value in new_user("ana").items() if name != "email"}
    assert await call.errorcode("core_user_create_users", users=[incomplete]) == "invalidparameter"
    assert await call.errorcode("core_user_create_users", users=[new_user("ana")] * 2) == "invalidparameter"
    assert await call.make("ana") != []


async def test_long_name_and_weak_password(call: Caller) -> None:
    long = await call.errorcode("core_user_create_users", users=[new_user("ana", firstname="A" * 101)])
    assert long == "dmlwriteexception"
    weak = await call.errorcode("core_user_create_users", users=[new_user("ana", auth="manual", password="abc")])
    assert weak.startswith("<div>Passwords must be at least 8 characters long.</div>")
    assert await call.make("ana", auth="manual", password="Buena-Clave-1") != []


async def test_createpassword_mails_even_when_rolled_back(call: Caller, state: MoodleState) -> None:
    rows = [new_user("ana", auth="manual", createpassword=1), new_user("bad", lang="xx")]
    assert await call.errorcode("core_user_create_users", users=rows) == "invalidparameter"
    assert [mail["to"] for mail in state.mails] == ["ana@example.com"]
    assert await call("core_user_get_users_by_field", field="username", values=["ana"]) == []


async def test_idnumber_is_not_unique_and_custom_fields_are_ignored(call: Caller) -> None:
    fields = {"idnumber": "40123456", "customfields": [{"type": "nothing", "value": "1"}]}
    assert len(await call.make("ana", "eva", **fields)) == 2


async def test_auth_methods_can_be_taken_away(call: Caller, state: MoodleState) -> None:
    state.seed({"site": {"auth_methods": ["manual", "oauth2"]}})
    assert await call.errorcode("core_user_create_users", users=[new_user("ana")]) == "invalidparameter"
    assert await call.make("ana", auth="oauth2") != []


async def test_update_gives_warnings_and_applies_the_good_rows(call: Caller, state: MoodleState) -> None:
    ana, eva = await call.make("ana", "eva")
    rows = [
        {"id": ana, "suspended": 1, "email": "nueva@example.com"},
        {"id": eva, "email": "Nueva@example.com"},
        {"id": eva, "email": "no tiene"},
        {"id": eva, "username": "ana"},
        {"id": 999, "email": "x@example.com"},
        {"id": 2, "email": "x@example.com"},
    ]
    answer = await call("core_user_update_users", users=rows)
    assert [(warning["itemid"], warning["warningcode"]) for warning in answer["warnings"]] == [
        (eva, "useremailduplicate"),
        (eva, "useremailinvalid"),
        (eva, "dmlwriteexception"),
        (999, "invaliduserid"),
        (2, "usernotupdatedadmin"),
    ]
    assert state.store.users[ana].suspended
    assert state.store.users[ana].email == "nueva@example.com"
    assert state.store.users[eva].email == "eva@example.com"


async def test_deleted_users_keep_their_id_and_free_their_names(call: Caller, state: MoodleState) -> None:
    (ana,) = await call.make("ana", idnumber="40123456")
    await call.enrol(ana)
    assert await call("core_user_delete_users", userids=[ana]) is None
    assert await call.enrolled() == []
    for field, value in (("username", "ana"), ("email", "ana@example.com"), ("idnumber", "40123456")):
        assert await call("core_user_get_users_by_field", field=field, values=[value]) == []
    (seen,) = await call("core_user_get_users_by_field", field="id", values=[ana])
    assert seen["username"].startswith("ana@example.com.")
    assert await call.errorcode("core_user_delete_users", userids=[ana]) == "invaliduser"
    assert await call.make("ana", idnumber="40123456") != [ana]


async def test_admins_and_the_caller_cannot_be_deleted(call: Caller, state: MoodleState) -> None:
    (ana,) = await call.make("ana")
    assert await call.errorcode("core_user_delete_users", userids=[ana, 2]) == "useradminodelete"
    assert await call.errorcode("core_user_delete_users", userids=[ana, state.caller.id]) == "usernotdeletederror"
    assert not state.store.users[ana].deleted


@pytest.mark.parametrize(
    ("capability", "function", "arguments"),
    [
        ("moodle/user:create", "core_user_create_users", {"users": [new_user("ana")]}),
        ("moodle/user:update", "core_user_update_users", {"users": [{"id": 3, "city": "Holmberg"}]}),
        ("moodle/user:delete", "core_user_delete_users", {"userids": [3]}),
        ("enrol/manual:enrol", "enrol_manual_enrol_users", {"enrolments": [{"roleid": 5, "userid": 3, "courseid": 2}]}),
        ("enrol/manual:unenrol", "enrol_manual_unenrol_users", {"enrolments": [{"userid": 3, "courseid": 2}]}),
        ("moodle/course:managegroups", "core_group_get_course_groups", {"courseid": 2}),
        (
            "moodle/course:enrolreview",
            "core_enrol_get_enrolled_users",
            {"courseid": 2, "options": [{"name": "onlysuspended", "value": "1"}]},
        ),
    ],
)
async def test_missing_capability(
    call: Caller, state: MoodleState, capability: str, function: str, arguments: dict[str, Any]
) -> None:
    state.site.missing_capabilities = (capability,)
    assert await call.errorcode(function, **arguments) == "nopermissions"


# --- courses ---


async def test_courses_by_field(call: Caller, state: MoodleState) -> None:
    answer = await call("core_course_get_courses_by_field", field="shortname", value="CONT-1")
    assert answer["warnings"] == []
    assert [(course["id"], course["enrollmentmethods"]) for course in answer["courses"]] == [(CONT, ["manual"])]
    assert (await call("core_course_get_courses_by_field", field="shortname", value="cont-1"))["courses"] == []
    both = await call("core_course_get_courses_by_field", field="ids", value=f"{CONT},{INGRESO}")
    assert [course["id"] for course in both["courses"]] == [CONT, INGRESO]
    failed = await call("core_course_get_courses_by_field", field="ids", value=f"{CONT},999")
    assert failed["exception"] == "Error"
    assert "errorcode" not in failed
    assert (await call("core_course_get_courses_by_field", field="id", value="999"))["courses"] == []
    assert await call.errorcode("core_course_get_courses_by_field", field="colour", value="1") == "invalidparameter"


async def test_courses_leave_absent_and_unseen_ones_out(call: Caller, state: MoodleState) -> None:
    listed = await call("core_course_get_courses", options={"ids": [CONT, 999, HIDDEN]})
    assert [(course["id"], course["visible"]) for course in listed] == [(CONT, 1), (HIDDEN, 0)]
    state.site.missing_capabilities = ("moodle/course:viewhiddencourses",)
    listed = await call("core_course_get_courses", options={"ids": [CONT, HIDDEN]})
    assert [course["id"] for course in listed] == [CONT]
    found = await call("core_course_get_courses_by_field", field="shortname", value="BORRADOR")
    assert found["courses"] == []


# --- enrolments ---


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"userid": 999}, "codingerror"),
        ({"courseid": 999}, "invalidparameter"),
        ({"roleid": 3}, "wsusercannotassign"),
        ({"roleid": 77}, "wsusercannotassign"),
        ({"courseid": NO_MANUAL}, "wsnoinstance"),
        ({"suspend": "true"}, "invalidparameter"),
        ({"suspend": ""}, "invalidparameter"),
        ({"userid": "abc"}, "invalidparameter"),
    ],
)
async def test_one_bad_enrolment_among_many_enrols_nobody(call: Caller, row: dict[str, Any], code: str) -> None:
    ana, eva = await call.make("ana", "eva")
    good = [{"roleid": STUDENT, "userid": user_id, "courseid": INGRESO} for user_id in (ana, eva)]
    bad = {"roleid": STUDENT, "userid": eva, "courseid": INGRESO} | row
    assert await call.errorcode("enrol_manual_enrol_users", enrolments=[*good, bad]) == code
    assert await call.enrolled() == []


async def test_enrolling_a_deleted_user_and_in_a_course_out_of_sight(call: Caller, state: MoodleState) -> None:
    ana, eva = await call.make("ana", "eva")
    await call("core_user_delete_users", userids=[ana])
    assert (await call.enrol(ana))["errorcode"] == "codingerror"
    assert await call.enrol(eva, course=HIDDEN) is None
    state.site.missing_capabilities = ("moodle/course:viewhiddencourses",)
    assert (await call.enrol(eva, course=HIDDEN))["errorcode"] == "requireloginerror"
    state.site.missing_capabilities = ("moodle/role:assign",)
    assert (await call.enrol(eva))["errorcode"] == "wsusercannotassign"


async def test_enrolling_again_reactivates_and_clears_dates(call: Caller, state: MoodleState) -> None:
    (ana,) = await call.make("ana")
    assert await call.enrol(ana, suspend=1, timestart=100, timeend=200) is None
    kept = state.store.enrolments[INGRESO, ana]
    assert (kept.suspended, kept.time_start, kept.time_end) == (True, 100, 200)
    assert await call.enrol(ana) is None
    kept = state.store.enrolments[INGRESO, ana]
    assert (kept.suspended, kept.time_start, kept.time_end) == (False, 0, 0)


async def test_a_second_role_adds_and_unenrolling_takes_all(call: Caller, state: MoodleState) -> None:
    state.seed({"courses": [{"id": 20, "shortname": "X", "fullname": "X", "assignable_role_ids": [4, 5]}]})
    (ana,) = await call.make("ana")
    await call.enrol(ana, course=20)
    await call.enrol(ana, course=20, roleid=4)
    (seen,) = await call("core_enrol_get_enrolled_users", courseid=20)
    assert [role["roleid"] for role in seen["roles"]] == [4, 5]
    rows = [{"userid": ana, "courseid": 20}]
    assert await call("enrol_manual_unenrol_users", enrolments=rows) is None
    assert await call.enrolled(20) == []
    assert await call("enrol_manual_unenrol_users", enrolments=rows) is None


async def test_unenrolling_is_all_or_nothing(call: Caller, state: MoodleState) -> None:
    (ana,) = await call.make("ana")
    await call.enrol(ana)
    good = {"userid": ana, "courseid": INGRESO}
    absent_user = [good, {"userid": 999, "courseid": INGRESO}]
    assert await call.errorcode("enrol_manual_unenrol_users", enrolments=absent_user) == "invalidparameter"
    no_instance = [good, {"userid": ana, "courseid": NO_MANUAL}]
    assert await call.errorcode("enrol_manual_unenrol_users", enrolments=no_instance) == "wsnoinstance"
    assert await call.enrolled() == [ana]
    with_role = [{**good, "roleid": STUDENT}]
    state.site.release = "5.0 (Build: 20250414)"
    assert await call.errorcode("enrol_manual_unenrol_users", enrolments=with_role) == "invalidparameter"
    state.site.release = "4.3"
    assert await call("enrol_manual_unenrol_users", enrolments=with_role) is None


async def test_enrolled_lists_and_their_options(call: Caller) -> None:
    active, suspended, expired, future = await call.make("a", "b", "c", "d")
    await call.enrol(active)
    await call.enrol(suspended, suspend=1)
    await call.enrol(expired, timeend=1000)
    await call.enrol(future, timestart=9_999_999_999)
    assert await call.enrolled() == [active, suspended, expired, future]
    assert await call.enrolled(onlyactive=1) == [active]
    assert await call.enrolled(onlysuspended=1) == [suspended, expired, future]
    assert await call.enrolled(limitfrom=1, limitnumber=2) == [suspended, expired]
    options = [{"name": "userfields", "value": "id,email"}]
    listed = await call("core_enrol_get_enrolled_users", courseid=INGRESO, options=options)
    assert listed[0] == {"id": active, "email": "a@example.com"}
    options = [{"name": "onlysuspended", "value": "1"}, {"name": "userfields", "value": "id"}]
    listed = await call("core_enrol_get_enrolled_users", courseid=INGRESO, options=options)
    assert listed == [{"id": suspended}, {"id": expired}, {"id": future}]
    assert await call.errorcode("core_enrol_get_enrolled_users", courseid=999) == "invalidrecord"


async def test_users_courses_leaves_out_what_is_not_active_or_hidden(call: Caller) -> None:
    (ana,) = await call.make("ana")
    await call.enrol(ana)
    await call.enrol(ana, course=CONT, suspend=1)
    await call.enrol(ana, course=HIDDEN)
    listed = await call("core_enrol_get_users_courses", userid=ana)
    assert [(course["shortname"], course["enrolledusercount"]) for course in listed] == [("INGRESO-2026", 1)]
    (course,) = await call("core_enrol_get_users_courses", userid=ana, returnusercount=0)
    assert "enrolledusercount" not in course
    assert await call("core_enrol_get_users_courses", userid=999) == []


async def test_two_calls_on_the_same_new_row(call: Caller, state: MoodleState) -> None:
    (ana,) = await call.make("ana")
    state.seed({"site": {"latency_s": 0.1}})
    first, second = await asyncio.gather(call.enrol(ana), call.enrol(ana))
    assert {first is None, second is None} == {True, False}
    assert (second or first)["errorcode"] == "dmlwriteexception"
    state.seed({"site": {"latency_s": 0.0}})
    assert await call.enrolled() == [ana]


async def test_the_server_goes_on_after_the_client_gave_up(call: Caller, state: MoodleState) -> None:
    (ana,) = await call.make("ana")
    state.seed({"site": {"row_latency_s": 0.2}})
    with pytest.raises(httpx.ReadTimeout):
        call.http.timeout = httpx.Timeout(0.05)
        await call.enrol(ana)
    call.http.timeout = httpx.Timeout(5)
    await asyncio.sleep(0.25)
    assert await call.enrolled() == [ana]


# --- groups ---


async def test_groups(call: Caller) -> None:
    ana, eva = await call.make("ana", "eva")
    await call.enrol(ana)
    wanted = [{"courseid": INGRESO, "name": name, "description": ""} for name in ("PRES-02", "PRES-01")]
    second, first = await call("core_group_create_groups", groups=wanted)
    listed = await call("core_group_get_course_groups", courseid=INGRESO)
    assert [group["name"] for group in listed] == ["PRES-01", "PRES-02"]
    member = {"groupid": first["id"], "userid": ana}
    for _ in range(2):
        assert await call("core_group_add_group_members", members=[member]) is None
    assert await call.enrolled(groupid=first["id"]) == [ana]
    (seen,) = await call("core_enrol_get_enrolled_users", courseid=INGRESO)
    assert [group["name"] for group in seen["groups"]] == ["PRES-01"]
    rows = [{"groupid": second["id"], "userid": ana}, {"groupid": second["id"], "userid": eva}]
    assert await call.errorcode("core_group_add_group_members", members=rows) == "invalidparameter"
    assert await call.enrolled(groupid=second["id"]) == []


async def test_bad_groups(call: Caller, state: MoodleState) -> None:
    good = {"courseid": INGRESO, "name": "PRES-01", "description": ""}
    assert await call.errorcode("core_group_create_groups", groups=[good, good]) == "invalidparameter"
    assert await call("core_group_get_course_groups", courseid=INGRESO) == []
    assert await call.errorcode("core_group_create_groups", groups=[good | {"name": " "}]) == "invalidparameter"
    assert await call.errorcode("core_group_get_course_groups", courseid=999) == "invalidrecord"
    absent = [{"groupid": 999, "userid": 3}]
    assert await call.errorcode("core_group_add_group_members", members=absent) == "invalidrecord"


async def test_unenrolling_leaves_the_groups(call: Caller, state: MoodleState) -> None:
    state.seed({"groups": [{"id": 7, "course_id": INGRESO, "name": "PRES-01"}]})
    (ana,) = await call.make("ana")
    await call.enrol(ana)
    await call("core_group_add_group_members", members=[{"groupid": 7, "userid": ana}])
    await call("enrol_manual_unenrol_users", enrolments=[{"userid": ana, "courseid": INGRESO}])
    assert list(state.store.members(7)) == []


# --- faults and control ---


def fault(match: str, action: str, **fields: Any) -> dict[str, Any]:
    return {"match": match, "action": action, "times": 1, **fields}


async def add_fault(call: Caller, wanted: dict[str, Any]) -> None:
    (await call.http.post("/_control/faults", json=wanted)).raise_for_status()


async def test_maintenance_fault(call: Caller) -> None:
    await add_fault(call, fault("core_course_get_courses", "maintenance"))
    closed = await call.post("core_course_get_courses")
    assert closed.status_code == 503
    assert "<html>" in closed.text
    assert len(await call("core_course_get_courses")) == 9


async def test_moodle_error_fault(call: Caller) -> None:
    body = {
        "exception": "dml_write_exception",
        "errorcode": "dmlwriteexception",
        "message": "Error writing to database",
    }
    await add_fault(call, fault("enrol_manual_*", "moodle_error", body=body))
    assert await call.enrol(3) == body
    assert await call.enrol(3) is None


async def test_cut_after_does_it_and_says_nothing(call: Caller, state: MoodleState) -> None:
    state.control.add_fault(Fault(match="core_user_create_users", action="cut_after", times=1))
    with pytest.raises(httpx.TransportError):
        await call.make("ana")
    assert len(await call("core_user_get_users_by_field", field="username", values=["ana"])) == 1


async def test_cut_before_does_nothing(call: Caller, state: MoodleState) -> None:
    state.control.add_fault(Fault(match="core_user_create_users", action="cut_before", times=1))
    with pytest.raises(httpx.TransportError):
        await call.make("ana")
    assert await call("core_user_get_users_by_field", field="username", values=["ana"]) == []


async def test_a_fault_for_one_function_spares_the_one_it_is_the_start_of(call: Caller) -> None:
    await add_fault(call, fault("core_course_get_courses", "maintenance"))
    await call("core_course_get_courses_by_field")
    assert (await call.post("core_course_get_courses")).status_code == 503


async def test_status_html_and_malformed_faults(call: Caller, state: MoodleState) -> None:
    state.control.add_fault(Fault(match="core_course_get_courses", action="status", times=1, status=502))
    assert (await call.post("core_course_get_courses")).status_code == 502
    for action in ("html", "malformed"):
        state.control.add_fault(Fault(match="core_course_get_courses", action=action, times=1))
        with pytest.raises(ValueError):
            (await call.post("core_course_get_courses")).json()


async def test_control_seeds_shows_and_resets(call: Caller, state: MoodleState) -> None:
    seeded = await call.http.post("/_control/seed", json={"users": [new_user("ana")]})
    assert seeded.is_success
    shown = (await call.http.get("/_control/state")).json()
    assert "ana" in [user["username"] for user in shown["users"]]
    assert TOKEN not in str(shown)
    await call("core_course_get_courses")
    calls = (await call.http.get("/_control/calls")).json()
    assert "core_course_get_courses" in str(calls)
    assert TOKEN not in str(calls)
    await call.http.post("/_control/reset")
    assert state.store.user_by_username("ana") is None
