"""Faults on demand, and the control routes."""

from typing import Any

import httpx
import pytest

from sandbox.control import Fault
from sandbox.moodle import MoodleState
from tests.integration.sandbox.moodle.calls import TOKEN, Caller, new_user


def fault(match: str, action: str, **fields: Any) -> dict[str, Any]:
    return {"match": match, "action": action, "times": 1, **fields}


async def add_fault(call: Caller, wanted: dict[str, Any]) -> None:
    (await call.http.post("/_control/faults", json=wanted)).raise_for_status()


async def test_maintenance_fault(call: Caller) -> None:
    await add_fault(call, fault("core_course_get_courses", "maintenance"))
    closed = await call.post("core_course_get_courses")
    assert closed.status_code == 503
    assert "<html>" in closed.text
    assert len(await call("core_course_get_courses")) == 9


async def test_moodle_error_fault(call: Caller) -> None:
    body = {
        "exception": "dml_write_exception",
        "errorcode": "dmlwriteexception",
        "message": "Error writing to database",
    }
    await add_fault(call, fault("enrol_manual_*", "moodle_error", body=body))
    assert await call.enrol(3) == body
    assert await call.enrol(3) is None


async def test_cut_after_does_it_and_says_nothing(call: Caller, state: MoodleState) -> None:
    state.control.add_fault(Fault(match="core_user_create_users", action="cut_after", times=1))
    with pytest.raises(httpx.TransportError):
        await call.make("ana")
    assert len(await call("core_user_get_users_by_field", field="username", values=["ana"])) == 1


async def test_cut_before_does_nothing(call: Caller, state: MoodleState) -> None:
    state.control.add_fault(Fault(match="core_user_create_users", action="cut_before", times=1))
    with pytest.raises(httpx.TransportError):
        await call.make("ana")
    assert await call("core_user_get_users_by_field", field="username", values=["ana"]) == []


async def test_a_fault_for_one_function_spares_the_one_it_is_the_start_of(call: Caller) -> None:
    await add_fault(call, fault("core_course_get_courses", "maintenance"))
    await call("core_course_get_courses_by_field")
    assert (await call.post("core_course_get_courses")).status_code == 503


async def test_status_html_and_malformed_faults(call: Caller, state: MoodleState) -> None:
    state.control.add_fault(Fault(match="core_course_get_courses", action="status", times=1, status=502))
    assert (await call.post("core_course_get_courses")).status_code == 502
    for action in ("html", "malformed"):
        state.control.add_fault(Fault(match="core_course_get_courses", action=action, times=1))
        with pytest.raises(ValueError):
            (await call.post("core_course_get_courses")).json()


async def test_control_seeds_shows_and_resets(call: Caller, state: MoodleState) -> None:
    seeded = await call.http.post("/_control/seed", json={"users": [new_user("ana")]})
    assert seeded.is_success
    shown = (await call.http.get("/_control/state")).json()
    assert "ana" in [user["username"] for user in shown["users"]]
    assert TOKEN not in str(shown)
    await call("core_course_get_courses")
    calls = (await call.http.get("/_control/calls")).json()
    assert "core_course_get_courses" in str(calls)
    assert TOKEN not in str(calls)
    await call.http.post("/_control/reset")
    assert state.store.user_by_username("ana") is None
