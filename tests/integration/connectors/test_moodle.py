"""The Moodle connector over real sockets against the simulator."""

from typing import Any

import httpx
import pytest

from connectors.moodle import MoodleSite
from lucy.errors import (
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RetryLater,
    System,
    Unreadable,
)
from tests.integration.connectors.campus import (
    ABSENT,
    CONT,
    CREATE,
    ENROL,
    HIDDEN,
    INGRESO,
    LOOK_UP,
    NO_MANUAL,
    TOKEN,
    Bench,
    code_of,
    people,
    person,
    seat,
)
from tests.integration.connectors.counting import CountingLimiter

# Whole calls that fail


@pytest.mark.parametrize(
    ("setting", "family", "code"),
    [
        ({"maintenance": True}, RetryLater, "M-009"),
        ({"web_services": False}, Refused, "M-003"),
        ({"database_up": False}, RetryLater, "M-010"),
        ({"token_expired": True}, Refused, "M-003"),
        ({"account_problem": "forcepasswordchangenotice"}, Refused, "M-002"),
        ({"functions": ["core_webservice_get_site_info"]}, Refused, "M-003"),
        ({"canonical_host": "campus.example.org"}, Refused, "M-015"),
        ({"missing_capabilities": ["moodle/user:create"]}, Refused, "M-003"),
    ],
)
async def test_site_wide_trouble_is_raised(
    bench: Bench, setting: dict[str, Any], family: type[RemoteError], code: str
) -> None:
    bench.state.seed({"site": setting})
    with pytest.raises(family) as caught:
        await bench.site.create_users(people(3))
    assert (caught.value.code, caught.value.system) == (code, System.MOODLE)
    assert bench.calls(CREATE) <= 1


async def test_a_wrong_token_is_refused(bench: Bench) -> None:
    bench.state.token = "another"
    with pytest.raises(Refused) as caught:
        await bench.site.find_users(people(1))
    assert caught.value.code == "M-002"


async def test_redirects_do_not_take_the_token_along(bench: Bench) -> None:
    bench.state.seed({"site": {"canonical_host": "localhost:1"}})
    with pytest.raises(Refused):
        await bench.site.find_users(people(1))
    assert bench.limiter.spent[System.MOODLE] == 1


@pytest.mark.parametrize(("action", "family"), [("html", Unreadable), ("malformed", Unreadable)])
async def test_pages_instead_of_answers(bench: Bench, action: str, family: type[RemoteError]) -> None:
    bench.fail(LOOK_UP, action)
    with pytest.raises(family) as caught:
        await bench.site.find_users(people(1))
    assert caught.value.code == "M-015"


@pytest.mark.parametrize("action", ["cut_before", "cut_after", "truncate"])
async def test_a_look_up_without_an_answer_may_be_asked_again(bench: Bench, action: str) -> None:
    bench.fail(LOOK_UP, action)
    with pytest.raises(RetryLater) as caught:
        await bench.site.find_users(people(1))
    assert caught.value.code == "M-010"


async def test_retry_after_holds_everybody_back(bench: Bench) -> None:
    bench.fail(LOOK_UP, "status", status=429, retry_after_s=17)
    with pytest.raises(RetryLater) as caught:
        await bench.site.find_users(people(1))
    assert (caught.value.after_s, caught.value.throttled) == (17, True)
    assert bench.limiter.held_back_s == {System.MOODLE: 17}


async def test_a_closed_port_was_not_sent_to() -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        site = MoodleSite(base_url="http://127.0.0.1:1", token=TOKEN, http=http, limiter=CountingLimiter())
        with pytest.raises(RetryLater) as caught:
            await site.create_users(people(1))
    assert caught.value.code == "M-010"


async def test_preflight(bench: Bench) -> None:
    assert isinstance(bench.site, MoodleSite)
    info = await bench.site.site()
    assert info.release.startswith("4.3")
    assert info.user_id == bench.state.caller.id
    assert CREATE in info.functions


# Courses


async def test_courses_by_exact_shortname(bench: Bench) -> None:
    found = await bench.site.find_courses(["CONT-1", "cont-1", "NADA", "BORRADOR", "CONT-1"])
    course = found["CONT-1"]
    assert course is not None
    assert (course.id, course.fullname, course.visible) == (CONT, "Contabilidad I", True)
    hidden = found["BORRADOR"]
    assert hidden is not None
    assert not hidden.visible
    assert found["cont-1"] is None
    assert found["NADA"] is None
    assert bench.limiter.spent[System.MOODLE] == 4


async def test_courses_of_users(bench: Bench) -> None:
    first, second = bench.seed_users(2)
    await bench.site.enrol([seat("1", first, INGRESO), seat("2", first, CONT)])
    courses = await bench.site.courses_of([first, second, 9999])
    assert courses == {first: {INGRESO, CONT}, second: frozenset(), 9999: frozenset()}


async def test_one_failure_among_many_questions_is_raised_bare(bench: Bench) -> None:
    bench.fail("core_course_get_courses_by_field", "maintenance", times=1)
    with pytest.raises(RetryLater) as caught:
        await bench.site.find_courses(["CONT-1", "ADM-1", "MAT-1"])
    assert caught.value.code == "M-009"


# Enrolling


async def test_enrol_in_arrays_sorted(bench: Bench) -> None:
    users = bench.seed_users(400)
    requests = [seat(f"{user}-{course}", user, course) for user in users for course in (CONT, INGRESO)]
    outcome = await bench.site.enrol(requests)
    assert set(outcome) == {request.key for request in requests}
    assert set(outcome.values()) == {None}
    assert bench.enrolled(INGRESO) == bench.enrolled(CONT) == set(users)
    assert bench.limiter.spent[System.MOODLE] == 3
    assert {(call["rows"], call["dropped"]) for call in bench.state.control.calls(ENROL)} == {(300, 0), (200, 0)}


async def test_enrolling_again_is_harmless(bench: Bench) -> None:
    (user,) = bench.seed_users(1)
    for _ in range(2):
        assert await bench.site.enrol([seat("1", user, INGRESO)]) == {"1": None}


async def test_each_bad_enrolment_has_its_reason(bench: Bench) -> None:
    users = bench.seed_users(50)
    requests = [seat(f"ok-{user}", user, INGRESO) for user in users]
    requests += [
        seat("no-course", users[0], ABSENT),
        seat("no-manual", users[1], NO_MANUAL),
        seat("no-role", users[2], CONT, role_id=3),
        seat("no-user", 9999, INGRESO),
        seat("no-user-either", 9998, CONT),
    ]
    outcome = await bench.site.enrol(requests)
    bad = {key: (type(error), error.code) for key, error in outcome.items() if error is not None}
    assert bad == {
        "no-course": (NotFound, "M-005"),
        "no-manual": (Refused, "M-013"),
        "no-role": (Refused, "M-014"),
        "no-user": (NotFound, "M-001"),
        "no-user-either": (NotFound, "M-001"),
    }
    assert bench.enrolled(INGRESO) == set(users)
    assert bench.limiter.spent[System.MOODLE] < 25


async def test_one_absent_user_among_many_costs_few_calls(bench: Bench) -> None:
    users = bench.seed_users(299)
    outcome = await bench.site.enrol([*(seat(f"{user}", user, INGRESO) for user in users), seat("x", 9999, INGRESO)])
    assert [key for key, error in outcome.items() if error is not None] == ["x"]
    assert bench.limiter.spent[System.MOODLE] == 4


async def test_a_deleted_user_is_found_out(bench: Bench) -> None:
    users = bench.seed_users(8)
    bench.state.store.delete_user(bench.state.store.users[users[3]])
    outcome = await bench.site.enrol([seat(f"{user}", user, INGRESO) for user in users])
    assert [key for key, error in outcome.items() if error is not None] == [f"{users[3]}"]
    assert code_of(outcome[f"{users[3]}"]) == "M-001"


async def test_users_the_token_may_not_see_are_enrolled_all_the_same(bench: Bench) -> None:
    users = bench.seed_users(4)
    bench.state.seed({"site": {"missing_capabilities": ["moodle/user:viewdetails"]}})
    outcome = await bench.site.enrol([*(seat(f"{user}", user, INGRESO) for user in users), seat("x", 9999, INGRESO)])
    assert [key for key, error in outcome.items() if error is not None] == ["x"]


async def test_a_course_out_of_sight_does_not_cost_one_call_a_row(bench: Bench) -> None:
    users = bench.seed_users(20)
    bench.state.seed({"site": {"missing_capabilities": ["moodle/course:viewhiddencourses"]}})
    requests = [seat(f"{course}-{user}", user, course) for user in users for course in (HIDDEN, INGRESO)]
    outcome = await bench.site.enrol(requests)
    assert {code_of(outcome[f"{HIDDEN}-{user}"]) for user in users} == {"M-003"}
    assert bench.enrolled(INGRESO) == set(users)
    assert bench.calls(ENROL) == 3


async def test_a_clash_with_another_caller_is_tried_once_more(bench: Bench) -> None:
    users = bench.seed_users(3)
    clash = {"exception": "dml_write_exception", "errorcode": "dmlwriteexception", "message": "x"}
    bench.fail(ENROL, "moodle_error", times=1, body=clash)
    assert set((await bench.site.enrol([seat(f"{user}", user, INGRESO) for user in users])).values()) == {None}
    bench.fail(ENROL, "moodle_error", times=2, body=clash)
    outcome = await bench.site.enrol([seat(f"{user}", user, INGRESO) for user in users])
    assert all(isinstance(error, RetryLater) and error.code == "M-010" for error in outcome.values())


async def test_an_enrolment_without_an_answer_is_unknown(bench: Bench) -> None:
    users = bench.seed_users(310)
    bench.fail(ENROL, "cut_after", times=1)
    outcome = list((await bench.site.enrol([seat(f"{user}", user, INGRESO) for user in users])).values())
    assert all(isinstance(error, OutcomeUnknown) for error in outcome[:300])
    assert all(isinstance(error, RetryLater) for error in outcome[300:])
    assert bench.calls(ENROL) == 1


async def test_no_error_holds_a_persons_data(bench: Bench) -> None:
    row = person(40_000_000, first_name="<b>Secreto</b>")
    made = await bench.site.create_users([row])
    text = f"{made[row.key]} {made[row.key]!r}"
    assert TOKEN not in text
    assert "Secreto" not in text
    assert "40000000" not in text
