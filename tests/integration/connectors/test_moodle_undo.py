"""The calls that take back what a batch made in Moodle, against the simulator: each read back before or after."""

from typing import Any

import pytest

from lucy.errors import NotFound, OutcomeUnknown, Refused, RemoteError, RetryLater, System
from lucy.ports import EnrolmentRequest, MoodleUser, UnenrolRequest, UserSuspension
from tests.integration.connectors.campus import (
    ABSENT,
    CONT,
    CREATE,
    ENROL,
    HIDDEN,
    INGRESO,
    LOOK_UP,
    NO_MANUAL,
    STUDENT,
    Bench,
    seat,
)

UNENROL = "enrol_manual_unenrol_users"
LISTED = "core_enrol_get_enrolled_users"
UPDATE = "core_user_update_users"
ADMIN = 2


def leave(key: str, user_id: int, course_id: int = INGRESO) -> UnenrolRequest:
    return UnenrolRequest(key, user_id, course_id)


def told(outcome: Any) -> dict[str, tuple[type[RemoteError], str]]:
    """The failures."""
    return {key: (type(error), error.code) for key, error in outcome.items() if error is not None}


async def enrolled_users(bench: Bench, count: int, *courses: int) -> list[int]:
    users = bench.seed_users(count)
    rows = [{"course_id": course, "user_id": user} for user in users for course in (courses or (INGRESO,))]
    bench.state.seed({"enrolments": rows})
    return users


# Suspended enrolments


async def test_an_enrolment_is_suspended_seen_and_active_again(bench: Bench) -> None:
    one, two = await enrolled_users(bench, 2, INGRESO, CONT)
    suspended = EnrolmentRequest("1", one, INGRESO, STUDENT, suspend=True)
    assert await bench.site.enrol([suspended, seat("2", two, INGRESO)]) == {"1": None, "2": None}
    assert await bench.site.suspended_in([INGRESO, CONT]) == {INGRESO: {one}, CONT: frozenset()}
    assert (await bench.site.courses_of([one]))[one] == {CONT}
    assert bench.enrolled(INGRESO) == {one, two}
    assert await bench.site.enrol([suspended]) == {"1": None}  # harmless again
    assert await bench.site.enrol([seat("1", one, INGRESO)]) == {"1": None}
    assert await bench.site.suspended_in([INGRESO]) == {INGRESO: frozenset()}


async def test_everybody_in_a_course_is_seen_whatever_their_state_and_its(bench: Bench) -> None:
    one, two = await enrolled_users(bench, 2, INGRESO, HIDDEN)
    bench.state.seed({"enrolments": [{"course_id": HIDDEN, "user_id": one, "suspended": True}]})
    assert await bench.site.enrolled_in([INGRESO, HIDDEN, ABSENT]) == {
        INGRESO: {one, two},
        HIDDEN: {one, two},
        ABSENT: frozenset(),
    }


async def test_suspending_fits_into_what_php_takes(bench: Bench) -> None:
    users = bench.seed_users(300)
    rows = [EnrolmentRequest(f"{user}", user, INGRESO, STUDENT, suspend=True) for user in users]
    assert set((await bench.site.enrol(rows)).values()) == {None}
    assert (await bench.site.suspended_in([INGRESO]))[INGRESO] == set(users)
    assert [(call["rows"], call["dropped"]) for call in bench.state.control.calls(ENROL)] == [(225, 0), (75, 0)]


async def test_nobody_is_suspended_in_an_absent_course(bench: Bench) -> None:
    assert await bench.site.suspended_in([ABSENT, INGRESO]) == {ABSENT: frozenset(), INGRESO: frozenset()}


async def test_seeing_who_is_suspended_needs_a_permission(bench: Bench) -> None:
    bench.state.seed({"site": {"missing_capabilities": ["moodle/course:enrolreview"]}})
    with pytest.raises(Refused) as caught:
        await bench.site.suspended_in([INGRESO])
    assert (caught.value.code, caught.value.operation) == ("M-003", "suspended_in")


async def test_a_list_without_an_answer_may_be_asked_again(bench: Bench) -> None:
    bench.fail(LISTED, "cut_after", times=1)
    with pytest.raises(RetryLater):
        await bench.site.suspended_in([INGRESO])


# Un-enrolling


async def test_unenrol_in_arrays_and_read_back(bench: Bench) -> None:
    users = await enrolled_users(bench, 300, INGRESO, CONT)
    (other,) = [bench.seed_user(username="other", email="other@example.org")]
    bench.state.seed({"enrolments": [{"course_id": INGRESO, "user_id": other}]})
    requests = [leave(f"{user}-{course}", user, course) for user in users for course in (CONT, INGRESO)]
    assert await bench.site.unenrol(requests) == {request.key: None for request in requests}
    assert (bench.enrolled(INGRESO), bench.enrolled(CONT)) == ({other}, set())
    calls = bench.state.control.calls(UNENROL)
    assert [(call["rows"], call["dropped"]) for call in calls] == [(450, 0), (150, 0)]
    assert bench.calls(LISTED) == 2
    assert bench.calls(LOOK_UP) == 0
    again = await bench.site.unenrol(requests)
    assert set(again.values()) == {None}


async def test_each_bad_unenrolment_has_its_reason(bench: Bench) -> None:
    users = await enrolled_users(bench, 40)
    requests = [leave(f"{user}", user) for user in users]
    requests += [
        leave("no-course", users[0], ABSENT),
        leave("no-manual", users[1], NO_MANUAL),
        leave("no-user", 9999),
        leave("no-user-either", 9998, CONT),
        leave("not-in-it", users[2], CONT),
    ]
    outcome = await bench.site.unenrol(requests)
    assert told(outcome) == {
        "no-course": (NotFound, "M-005"),
        "no-manual": (Refused, "M-013"),
        "no-user": (NotFound, "M-001"),
        "no-user-either": (NotFound, "M-001"),
    }
    assert bench.enrolled(INGRESO) == set()
    assert bench.calls(UNENROL) < 15


async def test_a_course_out_of_sight_does_not_cost_the_others(bench: Bench) -> None:
    users = await enrolled_users(bench, 20, INGRESO, HIDDEN)
    bench.state.seed({"site": {"missing_capabilities": ["moodle/course:viewhiddencourses"]}})
    outcome = await bench.site.unenrol([leave(f"{c}-{user}", user, c) for user in users for c in (HIDDEN, INGRESO)])
    assert told(outcome) == {f"{HIDDEN}-{user}": (Refused, "M-003") for user in users}
    assert (bench.enrolled(INGRESO), bench.enrolled(HIDDEN)) == (set(), set(users))


async def test_a_null_that_did_nothing_is_found_out(bench: Bench) -> None:
    """As for an enrolment by another method: Moodle says `null` and leaves it."""
    users = await enrolled_users(bench, 3)
    bench.fail(UNENROL, "moodle_error", times=1, body=None)
    outcome = await bench.site.unenrol([leave(f"{user}", user) for user in users])
    assert told(outcome) == {f"{user}": (Refused, "M-011") for user in users}
    assert all(isinstance(error, RemoteError) and "M-011" in str(error) for error in outcome.values())


async def test_a_suspended_enrolment_that_stayed_is_seen(bench: Bench) -> None:
    (user,) = bench.seed_users(1)
    bench.state.seed({"enrolments": [{"course_id": INGRESO, "user_id": user, "suspended": True}]})
    bench.fail(UNENROL, "moodle_error", times=1, body=None)
    assert told(await bench.site.unenrol([leave("1", user)])) == {"1": (Refused, "M-011")}
    assert await bench.site.unenrol([leave("1", user)]) == {"1": None}


async def test_after_a_cut_the_course_decides(bench: Bench) -> None:
    users = await enrolled_users(bench, 5)
    bench.fail(UNENROL, "cut_after", times=1)
    assert set((await bench.site.unenrol([leave(f"{user}", user) for user in users])).values()) == {None}
    assert bench.calls(UNENROL) == 1


@pytest.mark.parametrize(
    ("action", "family"), [("cut_before", OutcomeUnknown), ("status", OutcomeUnknown), ("html", RemoteError)]
)
async def test_who_is_still_in_it_without_an_answer_stays_unknown(
    bench: Bench, action: str, family: type[RemoteError]
) -> None:
    users = await enrolled_users(bench, 460)
    bench.fail(UNENROL, action, times=1, status=504)
    outcome = list((await bench.site.unenrol([leave(f"{user}", user) for user in users])).values())
    assert all(isinstance(error, family) and error.code != "M-011" for error in outcome[:450])
    assert bench.enrolled(INGRESO) == set(users)
    assert bench.calls(UNENROL) == 1
    if family is OutcomeUnknown:
        assert all(isinstance(error, RetryLater) and "not sent" in error.detail for error in outcome[450:])


async def test_a_page_instead_of_an_answer_is_read_back_too(bench: Bench) -> None:
    users = await enrolled_users(bench, 2)
    await bench.site.unenrol([leave("gone", users[0])])
    bench.fail(UNENROL, "html", times=1)
    outcome = await bench.site.unenrol([leave("gone", users[0]), leave("here", users[1])])
    assert outcome["gone"] is None
    assert told(outcome)["here"][1] == "M-015"


async def test_a_read_back_that_fails_is_told(bench: Bench) -> None:
    users = await enrolled_users(bench, 2, INGRESO, CONT)
    bench.fail(LISTED, "maintenance", times=1)
    requests = [leave(f"{course}", users[0], course) for course in (INGRESO, CONT)]
    assert list(told(await bench.site.unenrol(requests)).values()) == [(RetryLater, "M-009")]
    bench.fail(UNENROL, "cut_after", times=1)
    bench.fail(LISTED, "cut_before")
    assert told(await bench.site.unenrol([leave("1", users[1])])) == {"1": (OutcomeUnknown, "M-010")}


async def test_a_blind_token_proves_no_absence(bench: Bench) -> None:
    users = await enrolled_users(bench, 2)
    bench.state.seed({"site": {"missing_capabilities": ["moodle/user:viewdetails"]}})
    assert told(await bench.site.unenrol([leave("1", users[0])])) == {"1": (Refused, "M-003")}
    bench.fail(UNENROL, "cut_before", times=1)
    assert told(await bench.site.unenrol([leave("2", users[1])])) == {"2": (OutcomeUnknown, "M-010")}
    assert bench.enrolled(INGRESO) == {users[1]}


async def test_unenrolling_waits_when_asked_to(bench: Bench) -> None:
    (user,) = await enrolled_users(bench, 1)
    bench.fail(UNENROL, "status", times=1, status=429, retry_after_s=17)
    with pytest.raises(RetryLater) as caught:
        await bench.site.unenrol([leave("1", user)])
    assert (caught.value.after_s, caught.value.throttled) == (17, True)
    assert bench.limiter.held_back_s == {System.MOODLE: 17}


async def test_a_clash_is_tried_once_more(bench: Bench) -> None:
    (user,) = await enrolled_users(bench, 1)
    clash = {"exception": "dml_write_exception", "errorcode": "dmlwriteexception", "message": "x"}
    bench.fail(UNENROL, "moodle_error", times=1, body=clash)
    assert await bench.site.unenrol([leave("1", user)]) == {"1": None}


async def test_nothing_to_do_asks_for_nothing(bench: Bench) -> None:
    assert await bench.site.unenrol([]) == {}
    assert await bench.site.suspend_users([]) == {}
    assert await bench.site.read_users([]) == {}
    assert await bench.site.suspended_in([]) == {}
    assert bench.limiter.spent[System.MOODLE] == 0


# Reading users back


async def test_users_are_read_by_id_and_the_deleted_are_gone(bench: Bench) -> None:
    users = bench.seed_users(900)
    bench.state.store.delete_user(bench.state.store.users[users[3]])
    read = await bench.site.read_users([*users, 99_999])
    assert [one for one in read if read[one] is None] == [users[3], 99_999]
    first = read[users[0]]
    assert isinstance(first, MoodleUser)
    assert (first.id, first.username, first.suspended) == (users[0], "s0", False)
    assert (bench.calls(LOOK_UP), bench.calls(CREATE)) == (2, 0)


async def test_the_deleted_are_known_without_their_address_too(bench: Bench) -> None:
    users = bench.seed_users(2)
    bench.state.store.delete_user(bench.state.store.users[users[0]])
    bench.state.seed({"site": {"missing_capabilities": ["moodle/site:viewuseridentity"]}})
    read = await bench.site.read_users(users)
    assert read[users[0]] is None
    assert read[users[1]] is not None


async def test_reading_users_without_an_answer_is_no_absence(bench: Bench) -> None:
    bench.fail(LOOK_UP, "cut_after", times=1)
    with pytest.raises(RetryLater) as caught:
        await bench.site.read_users([1])
    assert caught.value.operation == "read_users"


# Suspending users


def suspension(key: str, user_id: int, *, suspended: bool = True) -> UserSuspension:
    return UserSuspension(key, user_id, suspended=suspended)


async def test_users_are_suspended_and_let_in_again(bench: Bench) -> None:
    users = await enrolled_users(bench, 500)
    rows = [suspension(f"{user}", user) for user in users]
    for _ in range(2):  # harmless again
        assert await bench.site.suspend_users(rows) == {row.key: None for row in rows}
    read = await bench.site.read_users(users)
    assert all(user is not None and user.suspended for user in read.values())
    calls = bench.state.control.calls(UPDATE)
    assert [(call["rows"], call["dropped"]) for call in calls] == [(450, 0), (50, 0)] * 2
    assert bench.enrolled(INGRESO) == set(users)
    again = await bench.site.suspend_users([suspension("1", users[0], suspended=False)])
    assert again == {"1": None}
    assert not bench.state.store.users[users[0]].suspended


async def test_one_who_cannot_be_suspended_does_not_cost_the_others(bench: Bench) -> None:
    users = bench.seed_users(5)
    bench.state.store.delete_user(bench.state.store.users[users[2]])
    rows = [suspension(f"{user}", user) for user in users]
    rows += [suspension("absent", 9999), suspension("admin", ADMIN)]
    outcome = await bench.site.suspend_users(rows)
    assert told(outcome) == {
        f"{users[2]}": (NotFound, "M-001"),
        "absent": (NotFound, "M-001"),
        "admin": (Refused, "M-019"),
    }
    suspended = {user.id for user in bench.state.store.users.values() if user.suspended}
    assert suspended == set(users) - {users[2]}
    assert bench.calls(UPDATE) == 1


async def test_a_php_failure_over_one_user_is_searched_out(bench: Bench) -> None:
    users = bench.seed_users(4)
    failure = {"exception": "Error", "message": "Call to a member function"}
    bench.fail(UPDATE, "moodle_error", times=2, body=failure)
    assert set((await bench.site.suspend_users([suspension(f"{user}", user) for user in users])).values()) == {None}
    bench.fail(UPDATE, "moodle_error", times=1, body=failure)
    assert told(await bench.site.suspend_users([suspension("1", users[0])])) == {"1": (Refused, "M-017")}


async def test_a_cut_after_suspending_is_unknown_until_read_back(bench: Bench) -> None:
    users = bench.seed_users(460)
    bench.fail(UPDATE, "cut_after", times=1)
    rows = [suspension(f"{user}", user) for user in users]
    outcome = list((await bench.site.suspend_users(rows)).values())
    assert all(isinstance(error, OutcomeUnknown) and error.code == "M-010" for error in outcome[:450])
    assert all(isinstance(error, RetryLater) and "not sent" in error.detail for error in outcome[450:])
    read = await bench.site.read_users(users)
    assert [user is not None and user.suspended for user in read.values()] == [True] * 450 + [False] * 10
    assert set((await bench.site.suspend_users(rows)).values()) == {None}


async def test_suspending_without_the_permission_is_raised(bench: Bench) -> None:
    users = bench.seed_users(3)
    bench.state.seed({"site": {"missing_capabilities": ["moodle/user:update"]}})
    with pytest.raises(Refused) as caught:
        await bench.site.suspend_users([suspension(f"{user}", user) for user in users])
    assert (caught.value.code, bench.calls(UPDATE)) == ("M-003", 1)
