"""The token, the form, PHP's limit of fields."""

import pytest

from sandbox.moodle import SERVER_PATH, MoodleState
from tests.integration.sandbox.moodle.calls import INGRESO, STUDENT, TOKEN, Caller, new_user

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
