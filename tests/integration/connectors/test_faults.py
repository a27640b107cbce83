"""Every fault that a simulator can be told, against the client that meets it: a named error, and nothing done twice."""

import time
from typing import Any

import pytest

from lucy.errors import Invalid, OutcomeUnknown, Refused, RemoteError, RetryLater, System, Unreadable
from lucy.ports import DirectoryUser, MoodleUser
from tests.integration.connectors.campus import CREATE, LOOK_UP, Bench, people
from tests.integration.connectors.tenants import Tenant, account

Family = type[RemoteError]
WRITES: list[tuple[str, dict[str, Any], Family]] = [
    ("status", {"status": 401}, Refused),
    ("status", {"status": 403}, Refused),
    ("status", {"status": 429}, RetryLater),
    ("status", {"status": 429, "retry_after_s": 7}, RetryLater),
    ("status", {"status": 503}, RetryLater),
    ("status", {"status": 503, "retry_after_s": "soon"}, RetryLater),
    ("status", {"status": 500}, OutcomeUnknown),
    ("status", {"status": 502}, OutcomeUnknown),
    ("status", {"status": 504}, OutcomeUnknown),
    ("cut_before", {}, OutcomeUnknown),
    ("cut_after", {}, OutcomeUnknown),
    ("truncate", {}, OutcomeUnknown),
    ("malformed", {}, OutcomeUnknown),
    ("html", {}, OutcomeUnknown),
    ("redirect", {"body": "https://elsewhere.test/v1.0/$batch"}, Unreadable),
]
LATE = [("delay", {"delay_s": 0.2}), ("drip", {"delay_s": 0.2})]
IDS = [f"{action} {more}" for action, more, _ in WRITES]


@pytest.mark.parametrize(("action", "more", "family"), WRITES, ids=IDS)
async def test_a_write_to_graph(tenant: Tenant, action: str, more: dict[str, Any], family: Family) -> None:
    """Three accounts; who is in doubt is looked for, and asking again makes nobody twice."""
    times = 2 if more.get("status") == 401 else 1  # the first one renews the token
    tenant.fault("$batch", action, times=times, **more)
    wanted = [account(number) for number in range(3)]
    made = await tenant.directory.create_users(wanted)
    assert {type(one) for one in made.values()} == {family}
    found = await tenant.directory.find_users({one.key: one.upn for one in wanted})
    absent = [one for one in wanted if found[one.key] is None]
    assert len(absent) in (0, 3)
    if absent:
        made = await tenant.directory.create_users(absent)
        assert all(isinstance(one, DirectoryUser) for one in made.values())
    assert len(tenant.state.users) == 3


@pytest.mark.parametrize(("action", "more"), LATE, ids=[action for action, _ in LATE])
async def test_a_late_answer_of_graph_is_an_answer(tenant: Tenant, action: str, more: dict[str, Any]) -> None:
    await tenant.tokens.token()
    tenant.fault("$batch", action, **more)
    began = time.perf_counter()
    made = await tenant.directory.create_users([account(1)])
    assert isinstance(made["k1"], DirectoryUser)
    assert time.perf_counter() - began >= 0.2


async def test_a_request_that_a_proxy_sent_twice_makes_one_account(tenant: Tenant) -> None:
    """The second answer says that the name is taken: the mark tells that it is our own."""
    tenant.fault("POST /users", "twice")
    made = (await tenant.directory.create_users([account(1)]))["k1"]
    assert isinstance(made, RemoteError)
    assert made.code == "T-004"
    found = (await tenant.directory.find_users({"k1": account(1).upn}))["k1"]
    assert isinstance(found, DirectoryUser)
    assert found.employee_id == account(1).employee_id
    assert len(tenant.state.users) == 1


async def test_an_answer_of_graph_without_end_is_given_up(tenant: Tenant) -> None:
    tenant.fault("GET /groups/{id}", "flood")
    with pytest.raises(Unreadable):
        await tenant.directory.group("g")


async def test_graph_names_a_wait_as_a_date(tenant: Tenant) -> None:
    tenant.fault("$batch", "status", status=429, retry_after_s="Fri, 31 Dec 2027 23:59:59 GMT")
    made = (await tenant.directory.create_users([account(1)]))["k1"]
    assert isinstance(made, RetryLater)
    assert (made.throttled, made.after_s) == (True, 3600.0)  # an hour at most
    assert tenant.limiter.silences == [3600.0]


MOODLE_WRITES = [
    *(
        one
        for one in WRITES
        if one[1].get("status") not in (401, 403) and one[0] not in ("redirect", "malformed", "html", "truncate")
    ),
    ("status", {"status": 403}, Refused),
    ("redirect", {"body": "https://elsewhere.test/"}, Refused),
    ("malformed", {}, Unreadable),
    ("html", {}, Unreadable),
]


@pytest.mark.parametrize(("action", "more", "family"), MOODLE_WRITES, ids=[f"{a} {m}" for a, m, _ in MOODLE_WRITES])
async def test_a_write_to_moodle(bench: Bench, action: str, more: dict[str, Any], family: Family) -> None:
    bench.fail(CREATE, action, times=1, **more)
    wanted = people(3)
    try:
        made = dict(await bench.site.create_users(wanted))
    except RemoteError as error:
        made = {one.key: error for one in wanted}
    assert all(isinstance(one, MoodleUser | family) for one in made.values()), made
    again = [one for one in wanted if not isinstance(made[one.key], MoodleUser)]
    if again:
        found = await bench.site.find_users(again)
        await bench.site.create_users([one for one in again if found[one.key] is None])
    names = [user.username for user in bench.state.store.users.values()]
    assert sorted(name for name in names if name.startswith("a4")) == sorted(one.username for one in wanted)


async def test_a_request_to_moodle_that_was_sent_twice_makes_one_user(bench: Bench) -> None:
    bench.fail(CREATE, "twice", times=1)
    made = await bench.site.create_users(people(2))
    assert not any(isinstance(one, Invalid) for one in made.values()), "they are there, and that is what is said"
    assert len([one for one in bench.usernames() if one.startswith("a4")]) == 2


@pytest.mark.parametrize("action", ["charset", "flood"])
async def test_what_moodle_sends_broken_or_without_end(bench: Bench, action: str) -> None:
    bench.fail(LOOK_UP, action, times=1)
    with pytest.raises(Unreadable) as caught:
        await bench.site.find_users(people(1))
    assert caught.value.system is System.MOODLE
