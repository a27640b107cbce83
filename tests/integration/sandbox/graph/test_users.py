"""Users: what is refused, what is shown."""

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.graph import GraphState
from sandbox.graph.operations import GRAPH_OPERATIONS
from sandbox.graph.routes import HANDLERS
from tests.integration.sandbox.graph.calls import PASSWORD, Graph, new_user, upn

# --- envelope and ids ---


async def test_the_error_envelope_and_the_echoed_ids(graph: Graph) -> None:
    mine = str(uuid.uuid4())
    response = await graph("GET", "/users/nobody", headers={"client-request-id": mine})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (404, "Request_ResourceNotFound")
    assert error["message"].startswith("Resource 'nobody' does not exist or one of its queried")
    inner = error["innerError"]
    assert set(inner) == {"date", "request-id", "client-request-id"}
    assert (inner["request-id"], inner["client-request-id"]) == (response.headers["request-id"], mine)
    assert response.headers["client-request-id"] == mine
    assert "x-ms-ags-diagnostic" in response.headers


async def test_unknown_paths_methods_and_bodies(graph: Graph) -> None:
    assert (await graph.error("GET", "/userz"))["code"] == "BadRequest"
    assert (await graph("PUT", "/users")).status_code == 405
    assert (await graph("GET", "/$batch")).status_code == 405
    for content, content_type in ((b"{", "application/json"), (b"{}", "text/plain")):
        error = await graph.error("POST", "/users", content=content, headers={"Content-Type": content_type})
        assert "Content-Type" in error["message"]


def test_every_operation_has_its_handler() -> None:
    assert set(HANDLERS) == set(GRAPH_OPERATIONS)


# --- create ---


async def test_create_gives_the_default_properties_only(graph: Graph, state: GraphState) -> None:
    made = await graph.make("ana", givenName="Ana")
    assert (made["userPrincipalName"], made["givenName"]) == (upn("ana"), "Ana")
    assert not {"accountEnabled", "mailNickname", "usageLocation", "employeeId", "passwordProfile"} & set(made)
    assert state.control.calls("POST /users")[0]["upn"] == upn("ana")
    assert PASSWORD not in str(state.control.calls())


@pytest.mark.parametrize(
    "required", ["accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"]
)
async def test_required_properties(graph: Graph, required: str) -> None:
    error = await graph.error("POST", "/users", new_user("ana", **{required: ...}))
    assert error["code"] == "Request_BadRequest"
    assert error["details"][0]["target"] == required


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("displayName", "x" * 257),
        ("mailNickname", "x" * 65),
        ("givenName", "x" * 65),
        ("surname", "x" * 65),
        ("jobTitle", "x" * 129),
        ("employeeId", "x" * 17),
        ("usageLocation", "ARG"),
        ("accountEnabled", "true"),
        ("otherMails", "a@b"),
    ],
)
async def test_limits_and_types(graph: Graph, name: str, value: Any) -> None:
    error = await graph.error("POST", "/users", new_user("ana", **{name: value}))
    assert error["details"] == [{"code": "InvalidValue", "target": name, "message": error["message"]}]


async def test_values_at_the_limit_pass(graph: Graph) -> None:
    await graph.make("ana", displayName="x" * 256, mailNickname="x" * 64, employeeId="x" * 16, jobTitle="x" * 128)


async def test_an_unknown_property(graph: Graph) -> None:
    assert "careers" in (await graph.error("POST", "/users", new_user("ana", careers=[])))["message"]


@pytest.mark.parametrize("name", ["josé", "a b", "a/b", "ana.", "x" * 65, ""])
async def test_upns_that_are_malformed(graph: Graph, name: str) -> None:
    error = await graph.error("POST", "/users", new_user("ana", userPrincipalName=upn(name)))
    assert error["message"] == "Property userPrincipalName is invalid."


@pytest.mark.parametrize("wrong", ["ana", "ana@other.example.org", "ana@"])
async def test_upns_outside_the_verified_domains(graph: Graph, wrong: str) -> None:
    error = await graph.error("POST", "/users", new_user("ana", userPrincipalName=wrong))
    assert error["message"].startswith("The domain portion of the userPrincipalName property is invalid.")
    assert error["details"][0]["code"] == "InvalidValue"


async def test_upns_with_every_legal_sign(graph: Graph) -> None:
    name = "o'brien.-_!#^~1"
    made = await graph.make(name)
    read = await graph("GET", f"/users/{quote(upn(name), safe='')}")
    assert (read.status_code, read.json()["id"]) == (200, made["id"])


@pytest.mark.parametrize("weak", ["Ab1-567", "alllowercase1", "Contraseña-1", "A1-" + "x" * 254])
async def test_passwords_that_miss_the_policy(graph: Graph, weak: str) -> None:
    error = await graph.error("POST", "/users", new_user("ana", passwordProfile={"password": weak}))
    assert error["message"].startswith("The specified password does not comply with password complexity requirements.")
    assert weak not in str(error)


async def test_a_password_is_needed_and_the_flag_is_a_boolean(graph: Graph) -> None:
    for profile in (
        {"forceChangePasswordNextSignIn": True},
        "x",
        {"password": PASSWORD} | {"forceChangePasswordNextSignIn": 1},
    ):
        error = await graph.error("POST", "/users", new_user("ana", passwordProfile=profile))
        assert error["details"][0]["target"] == "passwordProfile"


async def test_a_duplicate_upn_in_any_case(graph: Graph) -> None:
    await graph.make("ana")
    error = await graph.error("POST", "/users", new_user("ana", userPrincipalName=upn("ana").upper()))
    assert error["code"] == "Request_BadRequest"
    assert error["message"] == "Another object with the same value for property userPrincipalName already exists."
    assert (error["details"][0]["code"], error["details"][0]["target"]) == ("ObjectConflict", "userPrincipalName")
