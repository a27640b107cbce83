"""The Moodle connector over real sockets against the simulator."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from connectors.moodle import MoodleSite
from lucy.errors import (
    AlreadyThere,
    Conflict,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RetryLater,
    System,
    Unreadable,
)
from lucy.ports import MoodleUser
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


# Finding users


async def test_who_is_who(bench: Bench) -> None:
    himself, renamed, taken, squatted, nobody = people(5)
    bench.seed_user(username=himself.username, email="old@example.com", idnumber=himself.idnumber, suspended=True)
    bench.seed_user(username="40000001", email="renamed@example.com", idnumber=renamed.idnumber)
    bench.seed_user(username="stranger", email=taken.email, idnumber="1")
    bench.seed_user(username=squatted.username, email="squatter@example.com", idnumber="2")
    found = await bench.site.find_users([himself, renamed, taken, squatted, nobody])
    first, second = found[himself.key], found[renamed.key]
    assert isinstance(first, MoodleUser)
    assert isinstance(second, MoodleUser)
    assert (first.username, first.suspended, first.auth) == (himself.username, True, "oidc")
    assert second.username == "40000001"
    assert isinstance(found[taken.key], Conflict)
    assert isinstance(found[squatted.key], Conflict)
    assert code_of(found[taken.key]) == code_of(found[squatted.key]) == "M-008"
    assert found[nobody.key] is None
    assert bench.limiter.spent[System.MOODLE] == 3


async def test_one_call_when_everybody_is_there(bench: Bench) -> None:
    wanted = people(20)
    await bench.site.create_users(wanted)
    before = bench.limiter.spent[System.MOODLE]
    found = await bench.site.find_users([replace(row, username=row.username.upper()) for row in wanted])
    assert all(isinstance(user, MoodleUser) for user in found.values())
    assert bench.limiter.spent[System.MOODLE] - before == 1


async def test_addresses_are_asked_in_lower_case_too(bench: Bench) -> None:
    row = person(40_000_000, email="Ana@Example.com", idnumber="")
    bench.seed_user(username="stranger", email="ana@example.com")
    assert code_of((await bench.site.find_users([row]))[row.key]) == "M-008"


async def test_values_moodle_would_choke_on_do_not_spoil_the_look_up(bench: Bench) -> None:
    good = person(40_000_000)
    await bench.site.create_users([good])
    rows = [good, person(40_000_001, username="Ñandú Ñ"), person(40_000_002, email="no tiene")]
    found = await bench.site.find_users(rows)
    assert isinstance(found[good.key], MoodleUser)
    assert found["40000001"] is None
    assert found["40000002"] is None


async def test_more_names_than_php_takes(bench: Bench) -> None:
    wanted = people(1900)
    bench.state.seed(
        {
            "users": [
                {
                    "username": row.username,
                    "email": row.email,
                    "firstname": "A",
                    "lastname": "B",
                    "idnumber": row.idnumber,
                }
                for row in wanted
            ]
        }
    )
    found = await bench.site.find_users(wanted)
    assert all(isinstance(user, MoodleUser) for user in found.values())
    assert {call["dropped"] for call in bench.state.control.calls(LOOK_UP)} == {0}


# Creating users


async def test_create_in_arrays(bench: Bench) -> None:
    wanted = people(250)
    made = await bench.site.create_users(wanted)
    assert list(made) == [row.key for row in wanted]
    for row in wanted:
        user = made[row.key]
        assert isinstance(user, MoodleUser)
        stored = bench.state.store.users[user.id]
        assert (stored.username, stored.idnumber, stored.lang) == (row.username, row.idnumber, "es")
    assert bench.limiter.spent[System.MOODLE] == bench.calls(CREATE) == 3
    assert {call["dropped"] for call in bench.state.control.calls(CREATE)} == {0}


async def test_manual_users_get_a_password_and_no_letter(bench: Bench) -> None:
    made = await bench.site.create_users([person(40_000_000, auth="manual")])
    assert isinstance(made["40000000"], MoodleUser)
    assert bench.state.mails == []


async def test_good_rows_survive_bad_ones(bench: Bench) -> None:
    wanted = people(60)
    bench.seed_user(username=wanted[7].username, email="x@example.com", idnumber=wanted[7].idnumber)
    bench.seed_user(username="stranger", email=wanted[20].email, idnumber="1")
    bench.seed_user(username="40000021", email="y@example.com", idnumber=wanted[21].idnumber)
    wanted[33] = replace(wanted[33], first_name="<b>Ana</b>")
    wanted[40] = replace(wanted[40], last_name=" ")
    wanted[41] = replace(wanted[41], username="MAYUS")
    made = await bench.site.create_users(wanted)
    bad = {index: made[row.key] for index, row in enumerate(wanted) if not isinstance(made[row.key], MoodleUser)}
    assert {index: (type(error), code_of(error)) for index, error in bad.items()} == {
        7: (AlreadyThere, "M-018"),
        20: (Conflict, "M-008"),
        21: (AlreadyThere, "M-018"),
        33: (Invalid, "M-004"),
        40: (Invalid, "M-004"),
        41: (Invalid, "M-004"),
    }
    assert bench.calls(CREATE) < 20


async def test_two_with_one_address_in_one_array(bench: Bench) -> None:
    first, second, third = people(3)
    made = await bench.site.create_users([first, replace(second, email=first.email), third])
    assert isinstance(made[first.key], MoodleUser)
    assert isinstance(made[third.key], MoodleUser)
    assert code_of(made[second.key]) == "M-008"


async def test_an_authentication_the_site_lacks_is_each_rows_error(bench: Bench) -> None:
    bench.state.seed({"site": {"auth_methods": ["manual"]}})
    made = await bench.site.create_users(people(4))
    assert {code_of(error) for error in made.values()} == {"M-004"}


async def test_weak_password(bench: Bench) -> None:
    html = "<div>The password must have at least 8 characters</div>"
    bench.fail(CREATE, "moodle_error", body={"exception": "moodle_exception", "errorcode": html, "message": html})
    made = await bench.site.create_users(people(1))
    assert code_of(made["40000000"]) == "M-016"


async def test_a_php_failure_once_is_overcome(bench: Bench) -> None:
    bench.fail(CREATE, "moodle_error", times=1, body={"exception": "Error", "message": "Call to a member function"})
    made = await bench.site.create_users(people(4))
    assert all(isinstance(user, MoodleUser) for user in made.values())


async def test_after_a_cut_those_who_are_there_are_results(bench: Bench) -> None:
    bench.fail(CREATE, "cut_after", times=1)
    made = await bench.site.create_users(people(5))
    assert all(isinstance(user, MoodleUser) for user in made.values())
    assert bench.calls(CREATE) == 1


@pytest.mark.parametrize("action", ["cut_before", "truncate", "status"])
async def test_who_is_not_there_after_a_lost_answer_stays_unknown(bench: Bench, action: str) -> None:
    wanted = people(130)
    bench.fail(CREATE, action, times=1, status=504)
    made = await bench.site.create_users(wanted)
    lost, unsent = list(made.values())[:112], list(made.values())[112:]
    if action == "truncate":
        assert all(isinstance(user, MoodleUser) for user in made.values())
        return
    assert all(isinstance(error, OutcomeUnknown) and error.code == "M-010" for error in lost)
    assert all(isinstance(error, RetryLater) and "not sent" in error.detail for error in unsent)
    assert bench.calls(CREATE) == 1


async def test_a_timeout_leaves_the_server_at_work(bench: Bench) -> None:
    bench.fail(CREATE, "delay", times=1, delay_s=0.3)
    wanted = people(2)
    made = await bench.impatient.create_users(wanted)
    assert all(isinstance(error, OutcomeUnknown) for error in made.values())
    for _ in range(20):
        if wanted[0].username in bench.usernames():
            break
        await asyncio.sleep(0.02)
    assert wanted[0].username in bench.usernames()
    again = await bench.site.create_users(wanted)
    assert all(isinstance(error, AlreadyThere) for error in again.values())


async def test_an_outage_half_way_keeps_what_was_done(bench: Bench) -> None:
    bench.fail(CREATE, "maintenance", after=1)
    made = list((await bench.site.create_users(people(130))).values())
    assert all(isinstance(user, MoodleUser) for user in made[:112])
    assert {code_of(error) for error in made[112:]} == {"M-009"}


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
