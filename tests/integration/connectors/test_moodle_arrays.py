"""Arrays of 200 of which one row is bad: Moodle does none of them, the connector does 199."""

from dataclasses import replace
from typing import Any

import pytest

from lucy.errors import RemoteError
from lucy.ports import MoodleUser
from tests.integration.connectors.campus import (
    ABSENT,
    CONT,
    CREATE,
    ENROL,
    INGRESO,
    NO_MANUAL,
    Bench,
    code_of,
    people,
    seat,
)


@pytest.mark.parametrize("position", [0, 77, 199])
@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"user_id": 9999}, "M-001"),
        ({"course_id": ABSENT}, "M-005"),
        ({"course_id": NO_MANUAL}, "M-013"),
        ({"course_id": CONT, "role_id": 3}, "M-014"),
    ],
)
async def test_199_of_200_are_enrolled(bench: Bench, position: int, bad: dict[str, Any], code: str) -> None:
    users = bench.seed_users(200)
    requests = [seat(f"{user}", user, INGRESO) for user in users]
    requests[position] = replace(requests[position], **bad)
    outcome = await bench.site.enrol(requests)
    failed = {key: error.code for key, error in outcome.items() if error is not None}
    assert (len(outcome), failed) == (200, {f"{users[position]}": code})
    assert bench.enrolled(INGRESO) == set(users) - {users[position]}
    assert bench.calls(ENROL) <= 4


async def test_a_row_nothing_explains_is_found_by_halving(bench: Bench) -> None:
    """A user the token cannot look up either: no hint, so bisection alone finds it."""
    users = bench.seed_users(199)
    bench.state.seed({"site": {"missing_capabilities": ["moodle/user:viewdetails"]}})
    requests = [seat(f"{user}", user, INGRESO) for user in users]
    requests.insert(77, seat("bad", 9999, INGRESO))
    outcome = await bench.site.enrol(requests)
    assert {key: error.code for key, error in outcome.items() if error is not None} == {"bad": "M-001"}
    assert bench.enrolled(INGRESO) == set(users)
    assert bench.calls(ENROL) <= 17  # 1 + 2 × log2(200), rounded up


@pytest.mark.parametrize("position", [0, 77, 199])
@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"email": "admin@example.org"}, "M-008"),
        ({"first_name": "<b>Ana</b>"}, "M-004"),
        ({"auth": "absent"}, "M-004"),
        ({"lang": "xx"}, "M-004"),
    ],
)
async def test_199_of_200_are_created(bench: Bench, position: int, bad: dict[str, Any], code: str) -> None:
    wanted = people(200)
    wanted[position] = replace(wanted[position], **bad)
    made = await bench.site.create_users(wanted)
    failed = {key: code_of(one) for key, one in made.items() if isinstance(one, RemoteError)}
    assert (len(made), failed) == (200, {wanted[position].key: code})
    ids = {one.id for one in made.values() if isinstance(one, MoodleUser)}
    there = {user.username for user in bench.state.store.users.values() if user.id in ids}
    assert there == {row.username for row in wanted} - {wanted[position].username}
    assert bench.calls(CREATE) <= 4 + 2 * 7
