"""Groups, the look at a course, tokens from a login, and what a whole site lacks: against the simulator."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from connectors.http import build_http_client
from connectors.moodle import MoodleSite
from connectors.moodle.tokens import SignedInToken
from lucy.errors import AlreadyThere, Invalid, NotFound, OutcomeUnknown, Refused, RemoteError, RetryLater, Unreadable
from lucy.ports import GroupSeat, MoodleGroup, MoodleUser, NewGroup, UnenrolRequest
from sandbox.control import Fault, serve
from sandbox.moodle import MoodleState, build_app
from tests.integration.connectors.campus import (
    ABSENT,
    CONT,
    CREATE,
    INGRESO,
    Bench,
    code_of,
    people,
    seat,
)
from tests.integration.connectors.counting import CountingLimiter

GROUPS = "core_group_get_course_groups"
MAKE, JOIN, LEAVE = "core_group_create_groups", "core_group_add_group_members", "core_group_delete_group_members"
PASSWORD = "A-sandbox-password-1"


def members(bench: Bench, group_id: int) -> set[int]:
    return set(bench.state.store.members(group_id))


async def group_of(bench: Bench, name: str = "P1", course: int = CONT) -> MoodleGroup:
    made = (await bench.site.create_groups([NewGroup("g", course, name)]))["g"]
    assert isinstance(made, MoodleGroup)
    return made


async def enrolled(bench: Bench, count: int, course: int = CONT) -> list[int]:
    ids = bench.seed_users(count)
    await bench.site.enrol([seat(str(one), one, course) for one in ids])
    return ids


# Making groups


async def test_groups_are_made_once(bench: Bench) -> None:
    wanted = [NewGroup("a", CONT, "P1"), NewGroup("b", CONT, "D1"), NewGroup("c", INGRESO, "P1")]
    made = await bench.site.create_groups([*wanted, NewGroup("again", CONT, "P1")])
    groups = {key: one for key, one in made.items() if isinstance(one, MoodleGroup)}
    assert {(one.course_id, one.name) for one in groups.values()} == {(CONT, "P1"), (CONT, "D1"), (INGRESO, "P1")}
    assert groups["again"] == groups["a"]
    again = await bench.site.create_groups(wanted)
    assert all(isinstance(one, AlreadyThere) for one in again.values())
    known = await bench.site.groups_in([CONT, INGRESO, ABSENT])
    assert {name: {group.name for group in those} for name, those in known.items()} == {
        CONT: {"P1", "D1"},
        INGRESO: {"P1"},
        ABSENT: set(),
    }


async def test_a_group_made_without_an_answer_is_found(bench: Bench) -> None:
    bench.fail(MAKE, "cut_after", times=1)
    made = (await bench.site.create_groups([NewGroup("g", CONT, "P1")]))["g"]
    assert isinstance(made, MoodleGroup)
    bench.fail(MAKE, "cut_before", times=1)
    unknown = (await bench.site.create_groups([NewGroup("g", CONT, "P2")]))["g"]
    assert isinstance(unknown, OutcomeUnknown)
    assert len(bench.state.store.groups) == 1


async def test_a_group_somebody_else_was_quicker_with_is_used(bench: Bench) -> None:
    """The look before says there is none, the array fails, the look after finds it."""
    bench.state.seed({"groups": [{"course_id": CONT, "name": "P1"}]})
    bench.fail(GROUPS, "moodle_error", times=1, body=[])
    made = (await bench.site.create_groups([NewGroup("g", CONT, "P1")]))["g"]
    assert isinstance(made, MoodleGroup)
    assert len(bench.state.store.groups) == 1


async def test_groups_that_cannot_be_made_say_why(bench: Bench) -> None:
    outcome = await bench.site.create_groups([NewGroup("blank", CONT, " "), NewGroup("long", CONT, "x" * 300)])
    assert {type(one) for one in outcome.values()} == {Invalid}
    bench.state.seed({"site": {"missing_capabilities": ["moodle/course:managegroups"]}})
    with pytest.raises(Refused) as caught:
        await bench.site.create_groups([NewGroup("g", CONT, "P1")])
    assert caught.value.code == "M-003"


# Joining and leaving


async def test_students_join_and_leave(bench: Bench) -> None:
    group, ids = await group_of(bench), await enrolled(bench, 5)
    seats = [GroupSeat(str(one), group.id, one) for one in ids]
    for _ in range(2):
        assert set((await bench.site.join_groups(seats)).values()) == {None}
    assert members(bench, group.id) == set(ids)
    for _ in range(2):
        assert set((await bench.site.leave_groups(seats[:2])).values()) == {None}
    assert members(bench, group.id) == set(ids[2:])
    assert bench.enrolled(CONT) == set(ids)


async def test_one_bad_row_does_not_cost_the_good_ones(bench: Bench) -> None:
    group, ids = await group_of(bench), await enrolled(bench, 40)
    outsider = bench.seed_user(username="fuera", email="fuera@example.org")
    outcome = await bench.site.join_groups(
        [
            *(GroupSeat(str(one), group.id, one) for one in ids),
            GroupSeat("outsider", group.id, outsider),
            GroupSeat("nobody", group.id, 9999),
            GroupSeat("no group", 777, ids[0]),
        ]
    )
    assert members(bench, group.id) == set(ids)
    bad = {key: (type(error), error.code) for key, error in outcome.items() if error is not None}
    assert bad == {"outsider": (NotFound, "M-021"), "nobody": (NotFound, "M-001"), "no group": (NotFound, "M-020")}
    gone = await bench.site.leave_groups([GroupSeat("nobody", group.id, 9999), GroupSeat("no group", 777, ids[0])])
    assert gone == {"nobody": None, "no group": None}


async def test_a_membership_that_a_plugin_holds_stays(bench: Bench) -> None:
    ids = await enrolled(bench, 1)
    bench.state.seed({"groups": [{"id": 50, "course_id": CONT, "name": "X", "component": "enrol_x", "user_ids": ids}]})
    outcome = await bench.site.leave_groups([GroupSeat("a", 50, ids[0])])
    assert code_of(outcome["a"]) == "M-022"


async def test_joining_without_an_answer_is_in_doubt_and_harmless_to_repeat(bench: Bench) -> None:
    group, ids = await group_of(bench), await enrolled(bench, 3)
    seats = [GroupSeat(str(one), group.id, one) for one in ids]
    bench.fail(JOIN, "cut_after", times=1)
    assert {type(one) for one in (await bench.site.join_groups(seats)).values()} == {OutcomeUnknown}
    assert set((await bench.site.join_groups(seats)).values()) == {None}
    assert members(bench, group.id) == set(ids)


async def test_out_of_the_course_is_out_of_its_groups(bench: Bench) -> None:
    group, ids = await group_of(bench), await enrolled(bench, 1)
    await bench.site.join_groups([GroupSeat("a", group.id, ids[0])])
    await bench.site.unenrol([UnenrolRequest("a", ids[0], CONT)])
    assert members(bench, group.id) == set()


# The look at a course


async def test_courses_are_looked_at_before_anybody_is_enrolled(bench: Bench) -> None:
    bench.state.seed({"courses": [{"id": 20, "shortname": "AJENO", "fullname": "x", "assignable_role_ids": [3]}]})
    seen = await bench.site.inspect(["CONT-1", "NO-ESTA", "SIN-MANUAL", "AJENO", "cont-1"], 5)
    said = {name: [problem.code for problem in one.problems] for name, one in seen.items()}
    assert said == {
        "CONT-1": [],
        "NO-ESTA": ["M-005"],
        "SIN-MANUAL": ["M-013"],
        "AJENO": ["M-014"],
        "cont-1": ["M-005"],
    }
    assert seen["CONT-1"].course is not None
    assert seen["CONT-1"].course.fullname == "Contabilidad I"
    assert not bench.state.store.enrolments


async def test_a_site_that_cannot_be_used_is_not_the_courses_fault(bench: Bench) -> None:
    bench.state.seed({"site": {"functions": ["core_course_get_courses_by_field"]}})
    with pytest.raises(Refused) as caught:
        await bench.site.inspect(["CONT-1"], 5)
    assert caught.value.code == "M-003"


# What a whole site lacks


@pytest.mark.parametrize("setting", [{"auth_methods": ["manual"]}, {"languages": ["en"]}])
async def test_what_the_site_lacks_is_said_after_a_few_calls(bench: Bench, setting: dict[str, Any]) -> None:
    bench.state.seed({"site": setting})
    outcome = await bench.site.create_users(people(100))
    assert {(type(one), one.code) for one in outcome.values() if isinstance(one, RemoteError)} == {(Refused, "M-023")}
    assert len(outcome) == 100
    assert bench.calls(CREATE) == 4  # one array and three witnesses


async def test_bad_rows_at_the_places_of_witnesses_cost_only_themselves(bench: Bench) -> None:
    rows = people(30)
    spoilt = {0, 29}
    wanted = [replace(row, lang="kl") if number in spoilt else row for number, row in enumerate(rows)]
    outcome = await bench.site.create_users(wanted)
    made = {number for number, row in enumerate(wanted) if isinstance(outcome[row.key], MoodleUser)}
    assert made == set(range(30)) - spoilt


# Tokens from a login


@pytest.fixture
async def login() -> Any:
    state = MoodleState("a-token", password=PASSWORD)
    runner, port = await serve(build_app(state), port=0)
    async with build_http_client() as http:
        yield state, f"http://127.0.0.1:{port}", http
    await runner.cleanup()


def signed_in(address: str, http: httpx.AsyncClient, **changes: str) -> SignedInToken:
    form = {"user": "lucy-ws", "password": PASSWORD, "service": "lucy", **changes}
    return SignedInToken(base_url=address, http=http, limiter=CountingLimiter(), **form)


async def test_a_token_is_asked_for_once_and_again_when_it_ends(login: Any) -> None:
    state, address, http = login
    tokens = signed_in(address, http)
    site = MoodleSite(base_url=address, token=tokens, http=http, limiter=CountingLimiter())
    for _ in range(3):
        assert (await site.site()).release
    assert len(state.control.calls("login/token.php")) == 1
    state.token_valid = False
    assert (await site.site()).release
    assert len(state.control.calls("login/token.php")) == 2
    state.token, state.site.token_expired = "changed", False
    state.token_valid = False
    fixed = MoodleSite(base_url=address, token="a-token", http=http, limiter=CountingLimiter())
    with pytest.raises(Refused) as caught:
        await fixed.site()
    assert caught.value.code == "M-002"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "other"}, "invalidlogin"),
        ({"service": "x"}, "servicenotavailable"),
        ({"user": "x"}, "invalidlogin"),
    ],
)
async def test_a_login_that_is_refused_says_so_without_the_password(
    login: Any, changes: dict[str, str], code: str
) -> None:
    _, address, http = login
    with pytest.raises(Refused) as caught:
        await signed_in(address, http, **changes).token()
    assert (caught.value.code, caught.value.ids.remote_code) == ("M-002", code)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("action", "family"),
    [("html", Unreadable), ("cut_after", RetryLater), ("maintenance", RetryLater), ("malformed", Unreadable)],
)
async def test_a_login_that_fails_is_named(login: Any, action: str, family: type[RemoteError]) -> None:
    state, address, http = login
    state.control.add_fault(Fault("login/token.php", action, times=1))
    with pytest.raises(family):
        await signed_in(address, http).token()
