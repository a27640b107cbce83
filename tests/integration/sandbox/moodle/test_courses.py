"""Courses, enrolments and groups."""

import asyncio
from typing import Any

import httpx
import pytest

from sandbox.moodle import MoodleState
from tests.integration.sandbox.moodle.calls import CONT, HIDDEN, INGRESO, NO_MANUAL, STUDENT, Caller

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
