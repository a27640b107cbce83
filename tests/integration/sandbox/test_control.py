"""Faults, the record of calls and the `/_control` routes, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web

from sandbox.control import Control, Fault, control_routes, serve
from sandbox.http_faults import apply_http_fault

STEPS = {"a": 1, "b": [1, 2, 3]}


@dataclass
class Counter:
    """The smallest simulator: `POST /count` adds one."""

    control: Control = field(default_factory=Control)
    count: int = 0

    def reset(self) -> None:
        self.count = 0

    def seed(self, wanted: Any) -> None:
        self.count = int(wanted["count"])


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
async def http(counter: Counter) -> AsyncIterator[httpx.AsyncClient]:
    async def count(request: web.Request) -> web.StreamResponse:
        counter.control.record("count", who=request.query.get("who"))

        async def respond() -> web.StreamResponse:
            counter.count += 1
            return web.json_response(STEPS)

        return await apply_http_fault(counter.control.take("count"), request, respond)

    app = web.Application()
    app.router.add_post("/count", count)
    app.add_routes(
        control_routes(counter.control, state=lambda: {"count": counter.count}, reset=counter.reset, seed=counter.seed)
    )
    runner, port = await serve(app, port=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        yield client
    await runner.cleanup()


def taken(control: Control, *operations: str) -> list[bool]:
    return [control.take(operation) is not None for operation in operations]


# --- which call a fault hits ---


@pytest.mark.parametrize("pattern", ["datospersonales", "datospersonales/40000001", "datos*", "*/40000001"])
def test_a_pattern_is_a_part_of_the_name_or_a_glob_of_it_all(pattern: str) -> None:
    control = Control()
    control.add_fault(Fault(pattern, "status"))
    assert taken(control, "datospersonales/40000001", "listas/aspirantes") == [True, False]


def test_a_whole_operation_name_means_that_one_only() -> None:
    control = Control(["POST /users", "POST /users/{id}/assignLicense"])
    control.add_fault(Fault("POST /users", "status"))
    assert taken(control, "POST /users/{id}/assignLicense", "POST /users") == [False, True]
    control.record("POST /users")
    control.record("POST /users/{id}/assignLicense")
    assert len(control.calls("POST /users")) == 1
    assert len(control.calls("POST")) == 2


def test_a_fault_can_wait_for_one_subject() -> None:
    control = Control(["POST /users"])
    control.add_fault(Fault("POST /users ana@", "status"))
    assert control.take("POST /users", "eva@x") is None
    assert control.take("POST /users", "ana@x") is not None


def test_times_and_after() -> None:
    control = Control()
    control.add_fault(Fault("x", "status", times=2, after=1))
    assert taken(control, "x", "y", "x", "x", "x") == [False, False, True, True, False]


def test_without_times_it_stays_until_removed() -> None:
    control = Control()
    control.add_fault(Fault("x", "status"))
    assert taken(control, "x", "x", "x") == [True, True, True]
    control.clear_faults()
    assert control.take("x") is None


def test_the_first_added_hits_first_and_the_callers_object_is_left_alone() -> None:
    control = Control()
    first = Fault("x", "status", times=1)
    control.add_fault(first)
    control.add_fault(Fault("x", "html", times=1))
    hits = [control.take("x") for _ in range(3)]
    assert [hit and hit.action for hit in hits] == ["status", "html", None]
    assert first.times == 1


# --- the record ---


def test_calls_are_numbered_bounded_and_copied() -> None:
    control = Control(keep=2)
    before = time.time()
    for who in ("ana", "eva", "leo"):
        control.record("x", who=who)
    calls = control.calls()
    assert [(call["n"], call["who"]) for call in calls] == [(2, "eva"), (3, "leo")]
    assert before <= calls[0]["at"] <= time.time()
    calls[0]["who"] = "changed"
    assert control.calls()[0]["who"] == "eva"


def test_numbers_go_on_after_a_reset() -> None:
    control = Control()
    control.record("x")
    control.add_fault(Fault("x", "status"))
    control.reset()
    assert (control.calls(), control.take("x")) == ([], None)
    assert control.record("x")["n"] == 2


# --- the routes ---


async def test_health_state_seed_and_reset(http: httpx.AsyncClient, counter: Counter) -> None:
    assert (await http.get("/_control/health")).json() == {"status": "ok"}
    assert (await http.post("/_control/seed", json={"count": 7})).is_success
    assert (await http.get("/_control/state")).json() == {"count": 7}
    counter.control.add_fault(Fault("count", "status"))
    await http.post("/count")
    assert (await http.post("/_control/reset")).is_success
    assert (await http.get("/_control/state")).json() == {"count": 0}
    assert (await http.get("/_control/calls")).json() == []
    assert (await http.post("/count")).status_code == 200


async def test_a_seed_of_another_shape_is_400(http: httpx.AsyncClient) -> None:
    shapes: list[Any] = [{}, [], {"count": "many"}]
    for wrong in shapes:
        assert (await http.post("/_control/seed", json=wrong)).status_code == 400
    assert (await http.post("/_control/seed", content=b"{")).status_code == 400


async def test_calls_by_match(http: httpx.AsyncClient) -> None:
    await http.post("/count", params={"who": "ana"})
    assert [call["who"] for call in (await http.get("/_control/calls", params={"match": "cou*"})).json()] == ["ana"]
    assert (await http.get("/_control/calls", params={"match": "other"})).json() == []


async def test_faults_are_added_one_or_many_and_removed(http: httpx.AsyncClient) -> None:
    one = {"match": "count", "action": "status", "status": 418, "times": 1, "retry_after_s": 2}
    assert (await http.post("/_control/faults", json=one)).json() == {"added": 1}
    refused = await http.post("/count")
    assert (refused.status_code, refused.headers["Retry-After"]) == (418, "2")
    assert (await http.post("/_control/faults", json=[one, one])).json() == {"added": 2}
    await http.delete("/_control/faults")
    assert (await http.post("/count")).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"match": "x", "action": "explode"}, "explode"),
        ({"match": "x", "action": "status", "statuss": 500}, "statuss"),
        ({"match": "x"}, "action"),
        ({"match": "x", "action": "status", "times": "two"}, "times"),
        ({"match": "x", "action": "status", "status": None}, "status"),
        ({"match": "", "action": "status"}, "match"),
        ("status", "JSON object"),
    ],
)
async def test_a_wrong_fault_is_400_and_says_why(
    http: httpx.AsyncClient, counter: Counter, wrong: Any, said: str
) -> None:
    good = {"match": "x", "action": "status"}
    response = await http.post("/_control/faults", json=[good, wrong])
    assert response.status_code == 400
    assert said in response.json()["error"]
    assert counter.control.take("x") is None


async def test_a_simulator_may_narrow_the_actions_to_its_own() -> None:
    control = Control()
    app = web.Application()
    app.add_routes(control_routes(control, state=dict, reset=lambda: None, actions=("throttle",)))
    runner, port = await serve(app, port=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        statuses = [
            (await http.post("/_control/faults", json={"match": "x", "action": action})).status_code
            for action in ("throttle", "status", "moodle_error")
        ]
        assert statuses == [200, 200, 400]
        assert (await http.post("/_control/seed", json={})).status_code == 404
    await runner.cleanup()


# --- what each fault does ---


async def test_status_with_its_own_body_does_nothing_else(http: httpx.AsyncClient, counter: Counter) -> None:
    counter.control.add_fault(Fault("count", "status", times=1, status=503, retry_after_s=0.5, body={"why": "busy"}))
    response = await http.post("/count")
    assert (response.status_code, response.json(), response.headers["Retry-After"]) == (503, {"why": "busy"}, "0.5")
    assert counter.count == 0


async def test_delay_answers_late_and_works_even_when_nobody_waits(http: httpx.AsyncClient, counter: Counter) -> None:
    counter.control.add_fault(Fault("count", "delay", times=2, delay_s=0.1))
    started = time.monotonic()
    assert (await http.post("/count")).json() == STEPS
    assert time.monotonic() - started >= 0.1
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/count", timeout=0.02)
    await asyncio.sleep(0.15)
    assert counter.count == 2


@pytest.mark.parametrize(("action", "done"), [("cut_before", 0), ("cut_after", 1), ("truncate", 1)])
async def test_a_lost_answer(http: httpx.AsyncClient, counter: Counter, action: str, done: int) -> None:
    counter.control.add_fault(Fault("count", action, times=1))
    with pytest.raises(httpx.TransportError):
        await http.post("/count")
    assert counter.count == done
    assert (await http.post("/count")).json() == STEPS


async def test_truncate_sends_half(http: httpx.AsyncClient, counter: Counter) -> None:
    counter.control.add_fault(Fault("count", "truncate", times=1))
    async with http.stream("POST", "/count") as response:
        received = b""
        with pytest.raises(httpx.RemoteProtocolError):
            async for chunk in response.aiter_raw():
                received += chunk
        assert response.headers["Content-Type"] == "application/json"
        assert len(received) == int(response.headers["Content-Length"]) // 2


@pytest.mark.parametrize("action", ["html", "malformed"])
async def test_an_unreadable_answer(http: httpx.AsyncClient, counter: Counter, action: str) -> None:
    counter.control.add_fault(Fault("count", action, times=1))
    response = await http.post("/count")
    assert response.status_code == 200
    with pytest.raises(ValueError):
        response.json()
    assert counter.count == 0


async def test_an_action_the_simulator_does_not_know_is_loud(http: httpx.AsyncClient, counter: Counter) -> None:
    counter.control.add_fault(Fault("count", "throttle", times=1))
    assert (await http.post("/count")).status_code == 501
