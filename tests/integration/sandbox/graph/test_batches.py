"""$batch, throttling, replication."""

import time
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.control import Fault
from sandbox.graph import GraphState
from sandbox.graph.throttle import WriteBudget
from tests.integration.sandbox.graph.calls import (
    CLIENT,
    TENANT,
    Clock,
    Graph,
    licence,
    new_user,
    step,
    token_answer,
    upn,
)

# --- batches ---


async def test_a_batch_judges_each_and_answers_out_of_order(graph: Graph, state: GraphState) -> None:
    await graph.make("eva")
    requests_sent = [
        step("1", "POST", "/users", new_user("ana")),
        step("2", "POST", "/users", new_user("eva")),
        step("3", "GET", f"/users/{quote(upn('eva'))}?$select=id"),
        step("4", "PATCH", f"users/{upn('eva')}", {"jobTitle": "x"}),
        step("5", "GET", "/userz"),
    ]
    response = await graph("POST", "/$batch", {"requests": requests_sent})
    listed = response.json()["responses"]
    assert [one["id"] for one in listed] != [one["id"] for one in requests_sent]
    answers = {one["id"]: one for one in listed}
    assert {key: answer["status"] for key, answer in answers.items()} == {
        "1": 201,
        "2": 400,
        "3": 200,
        "4": 204,
        "5": 400,
    }
    assert answers["2"]["body"]["error"]["details"][0]["code"] == "ObjectConflict"
    assert answers["1"]["headers"]["Content-Type"] == "application/json"
    calls = state.control.calls("POST /users")
    assert [(call["upn"], call.get("step"), call["status"]) for call in calls] == [
        (upn("eva"), None, 201),
        (upn("ana"), "1", 201),
        (upn("eva"), "2", 400),
    ]
    assert [(call["steps"], call["status"]) for call in state.control.calls("$batch")] == [(5, 200)]


GET = step("1", "GET", "/users")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "payload"),
        (["x"], "payload"),
        ([GET | {"id": str(n)} for n in range(21)], "maximum value of 20"),
        ([GET, GET], "unique"),
        ([GET | {"id": "a"}, GET | {"id": "A"}], "unique"),
        ([GET | {"id": 1}], "a string"),
        ([GET | {"method": "HEAD"}], "method"),
        ([GET | {"url": "https://graph.microsoft.com/v1.0/users"}], "relative"),
        ([step("1", "POST", "/users", new_user("ana")) | {"headers": {}}], "Content-Type"),
        ([step("1", "POST", "/users/x/revokeSignInSessions")], "Content-Type header or body"),
        ([GET | {"dependsOn": ["9"]}], "depends on"),
        ([GET | {"dependsOn": "9"}], "dependsOn"),
    ],
)
async def test_malformed_batches(graph: Graph, state: GraphState, rows: list[Any], said: str) -> None:
    error = await graph.error("POST", "/$batch", {"requests": rows})
    assert said in error["message"]
    assert state.users == {}
    await graph.error("POST", "/$batch", [])


async def test_twenty_fit(graph: Graph) -> None:
    assert len(await graph.batch(*(step(str(n), "POST", "/users", new_user(f"a{n}")) for n in range(20)))) == 20


async def test_dependents_of_a_failed_request_get_424(graph: Graph) -> None:
    answers = await graph.batch(
        step("A", "POST", "/users", new_user("ana")),
        step("b", "POST", "/users", new_user("ana"), dependsOn=["a"]),
        step("c", "GET", f"/users/{upn('ana')}", dependsOn=["B"]),
        step("d", "GET", f"/users/{upn('ana')}", dependsOn=["A"]),
    )
    assert [answers[key]["status"] for key in "Abcd"] == [201, 400, 424, 200]


async def test_a_licence_batch_takes_the_last_seat_once(graph: Graph, state: GraphState) -> None:
    state.seed({"seats": 1})
    for name in ("ana", "eva"):
        await graph.make(name)
    answers = await graph.batch(
        *(step(name, "POST", f"/users/{upn(name)}/assignLicense", licence(state)) for name in ("ana", "eva"))
    )
    assert sorted(answer["status"] for answer in answers.values()) == [200, 400]


# --- throttling ---


async def test_writes_beyond_the_budget_wait(graph: Graph, state: GraphState, clock: Clock) -> None:
    state.seed({"writes_per_window": 3})
    for name in ("ana", "eva"):
        await graph.make(name)
    last = await graph("POST", "/users", new_user("leo"))
    assert float(last.headers["x-ms-throttle-limit-percentage"]) > 0.9
    refused = await graph("PATCH", f"/users/{upn('ana')}", {"jobTitle": "x"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TooManyRequests")
    assert refused.headers["x-ms-throttle-scope"] == f"Tenant_Application/Write/{CLIENT}/{TENANT}"
    assert (await graph("GET", f"/users/{upn('ana')}")).status_code == 200
    clock.ahead_s += int(refused.headers["Retry-After"])
    assert (await graph("PATCH", f"/users/{upn('ana')}", {"jobTitle": "x"})).status_code == 204


async def test_inner_requests_are_charged_one_by_one(graph: Graph, state: GraphState) -> None:
    state.seed({"writes_per_window": 2})
    answers = await graph.batch(*(step(str(n), "POST", "/users", new_user(f"a{n}")) for n in range(4)))
    assert [answers[str(n)]["status"] for n in range(4)] == [201, 201, 429, 429]
    assert int(answers["2"]["headers"]["Retry-After"]) >= 1
    assert len(state.users) == 2


def test_the_budget_refills_evenly_and_refusals_count() -> None:
    now = [0.0]
    budget = WriteBudget(writes=3000, window_s=150, clock=lambda: now[0])
    assert [budget.take() for _ in range(3000)] == [None] * 3000
    assert budget.take() == 1
    assert [budget.take() for _ in range(100)][-1] == 2
    now[0] = 1.0
    assert budget.take() == 1
    now[0] = 150.0
    assert budget.take() is None


async def test_the_throttle_fault_alone_inside_and_outside_a_batch(graph: Graph, state: GraphState) -> None:
    state.control.add_fault(Fault("GET /users/{id}", "throttle", times=1, retry_after_s=7))
    alone = await graph("GET", f"/users/{upn('ana')}")
    assert (alone.status_code, alone.headers["Retry-After"]) == (429, "7")
    state.control.add_fault(Fault(f"POST /users {upn('eva')}", "throttle", times=1, retry_after_s=9))
    answers = await graph.batch(*(step(name, "POST", "/users", new_user(name)) for name in ("ana", "eva")))
    assert (answers["ana"]["status"], answers["eva"]["status"]) == (201, 429)
    assert answers["eva"]["headers"]["Retry-After"] == "9"
    state.control.add_fault(Fault("$batch", "throttle", times=1, retry_after_s=3))
    outer = await graph("POST", "/$batch", {"requests": [step("1", "POST", "/users", new_user("leo"))]})
    assert (outer.status_code, outer.headers["Retry-After"]) == (429, "3")
    assert not state.is_taken(upn("leo"))


# --- replication and latency ---


async def test_a_new_user_is_not_there_yet(graph: Graph, state: GraphState, clock: Clock) -> None:
    state.seed({"replication_s": 20})
    made = await graph.make("ana")
    path = f"/users/{made['id']}"
    calls: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("GET", f"/users/{upn('ana')}", None),
        ("PATCH", path, {"jobTitle": "x"}),
        ("POST", f"{path}/assignLicense", licence(state)),
    ]
    for method, url, body in calls:
        early = await graph(method, url, body)
        assert (early.status_code, early.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert await graph.names("/users") == []
    assert (await graph.error("POST", "/users", new_user("ana")))["details"][0]["code"] == "ObjectConflict"
    clock.ahead_s += 21
    assert [(await graph(method, url, body)).is_success for method, url, body in calls] == [True] * 4


async def test_latency_is_added_to_every_request_but_once_to_a_batch(graph: Graph, state: GraphState) -> None:
    state.seed({"latency_s": 0.1})
    started = time.monotonic()
    await graph.batch(*(step(str(n), "GET", "/users") for n in range(20)))
    assert 0.1 <= time.monotonic() - started < 1.5
    started = time.monotonic()
    await token_answer(graph.http)
    assert time.monotonic() - started >= 0.1
    state.seed({"latency_s": 0})
