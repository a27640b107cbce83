"""Faults on demand, and the control routes."""

import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.control import Fault
from sandbox.graph import GraphState, ensure_certificate
from tests.integration.sandbox.graph.calls import PASSWORD, Graph, new_user, sign_in, step, token_answer, upn

# --- faults ---


@pytest.mark.parametrize(
    ("status", "code"), [(403, "Authorization_RequestDenied"), (503, "ServiceUnavailable"), (504, "GatewayTimeout")]
)
async def test_status_faults_wear_graphs_envelope(graph: Graph, state: GraphState, status: int, code: str) -> None:
    state.control.add_fault(Fault("POST /users", "status", times=2, status=status, retry_after_s=2))
    alone = await graph("POST", "/users", new_user("ana"))
    assert (alone.status_code, alone.json()["error"]["code"], alone.headers["Retry-After"]) == (status, code, "2")
    assert alone.json()["error"]["innerError"]["request-id"] == alone.headers["request-id"]
    inner = (await graph.batch(step("1", "POST", "/users", new_user("ana"))))["1"]
    assert (inner["status"], inner["body"]["error"]["code"], inner["headers"]["Retry-After"]) == (status, code, "2")
    assert state.users == {}
    assert [(call["fault"], call["status"]) for call in state.control.calls("POST /users")] == [("status", status)] * 2


async def test_a_fault_may_bring_its_own_body(graph: Graph, state: GraphState) -> None:
    state.control.add_fault(Fault("GET /users", "status", times=1, status=500, body={"odd": True}))
    assert (await graph("GET", "/users")).json() == {"odd": True}


@pytest.mark.parametrize(("action", "done"), [("cut_before", False), ("cut_after", True), ("truncate", True)])
async def test_an_answer_lost_on_the_way(graph: Graph, state: GraphState, action: str, done: bool) -> None:
    state.control.add_fault(Fault("POST /users", action, times=1))
    with pytest.raises(httpx.TransportError):
        await graph("POST", "/users", new_user("ana"))
    assert state.is_taken(upn("ana")) is done
    assert (await graph("GET", "/users")).status_code == 200


async def test_a_batch_cut_after_is_done_whole(graph: Graph, state: GraphState) -> None:
    state.control.add_fault(Fault("$batch", "cut_after", times=1))
    with pytest.raises(httpx.TransportError):
        await graph.batch(*(step(name, "POST", "/users", new_user(name)) for name in ("ana", "eva")))
    assert await graph.names("/users") == ["ana", "eva"]


@pytest.mark.parametrize(("action", "done"), [("cut_before", False), ("html", False), ("cut_after", True)])
async def test_an_inner_answer_that_is_lost_is_a_504(graph: Graph, state: GraphState, action: str, done: bool) -> None:
    state.control.add_fault(Fault("POST /users", action, times=1))
    inner = (await graph.batch(step("1", "POST", "/users", new_user("ana"))))["1"]
    assert inner["status"] == 504
    assert state.is_taken(upn("ana")) is done


async def test_delays_inside_a_batch_run_side_by_side(graph: Graph, state: GraphState) -> None:
    state.control.add_fault(Fault("POST /users", "delay", delay_s=0.1))
    started = time.monotonic()
    answers = await graph.batch(*(step(str(n), "POST", "/users", new_user(f"a{n}")) for n in range(20)))
    assert 0.1 <= time.monotonic() - started < 1.5
    assert {answer["status"] for answer in answers.values()} == {201}


async def test_token_faults(http: httpx.AsyncClient, state: GraphState) -> None:
    state.control.add_fault(Fault("token", "throttle", times=1, retry_after_s=4))
    throttled = await token_answer(http)
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "4")
    state.control.add_fault(Fault("token", "html", times=1))
    assert "<html>" in (await token_answer(http)).text
    assert (await token_answer(http)).status_code == 200


# --- control ---


async def test_seed_and_reset(graph: Graph, state: GraphState) -> None:
    user_id = str(uuid.uuid4())
    seeded = {
        "users": [
            {
                "id": user_id,
                "userPrincipalName": upn("ana"),
                "employeeId": "1",
                "password": PASSWORD,
                "mustChange": True,
                "licensed": True,
            }
        ],
        "seats": 3,
        "replication_s": 0,
    }
    assert (await graph.http.post("/_control/seed", json=seeded)).is_success
    shown = (await graph.http.get("/_control/state")).json()
    assert (shown["seats"], shown["consumedUnits"], shown["users"][0]["id"]) == (3, 1, user_id)
    assert await sign_in(graph, "ana", PASSWORD) == (True, True)
    assert (await graph.http.post("/_control/reset")).is_success
    assert (state.users, state.seats) == ({}, 500)
    assert (await graph("GET", "/users")).json()["value"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": 1},
        {"latency_s": "slow"},
        {"users": [{}]},
        {"users": [{"userPrincipalName": "a@b", "dni": 1}]},
        {"users": [{"userPrincipalName": "a@b"}] * 2},
        [],
    ],
)
async def test_seeds_that_are_refused(graph: Graph, wrong: Any) -> None:
    assert (await graph.http.post("/_control/seed", json=wrong)).status_code == 400


def test_a_certificate_is_made_once(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path / "tls")
    made = first.ca_file.read_bytes()
    assert ensure_certificate(tmp_path / "tls").ca_file.read_bytes() == made
    assert first.key_file.stat().st_mode & 0o077 == 0
