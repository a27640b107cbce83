"""The login authority: discovery and tokens."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msal
import pytest
import requests

from sandbox.graph import GraphState, ServerCertificate
from tests.integration.sandbox.graph.calls import (
    CLIENT,
    SECRET,
    TENANT,
    Clock,
    Graph,
    token_answer,
)


@pytest.fixture
def session(certificate: ServerCertificate) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.verify = str(certificate.ca_file)
        session.trust_env = False
        yield session


async def acquire(origin: str, session: requests.Session, *, secret: str = SECRET) -> dict[str, Any]:
    def blocking() -> dict[str, Any]:
        application = msal.ConfidentialClientApplication(
            CLIENT,
            client_credential=secret,
            authority=f"{origin}/{TENANT}",
            instance_discovery=False,
            http_client=session,
        )
        return dict(application.acquire_token_for_client(["https://graph.microsoft.com/.default"]))

    return await asyncio.to_thread(blocking)


async def test_msal_gets_a_token_that_opens_graph(
    origin: str, session: requests.Session, http: httpx.AsyncClient
) -> None:
    got = await acquire(origin, session)
    assert (got["token_type"], got["expires_in"]) == ("Bearer", 3599)
    response = await http.get("/v1.0/users", headers={"Authorization": f"Bearer {got['access_token']}"})
    assert response.status_code == 200


async def test_msal_reports_a_wrong_secret(origin: str, session: requests.Session) -> None:
    got = await acquire(origin, session, secret="its id, not its value")
    assert got["error"] == "invalid_client"
    assert got["error_description"].startswith("AADSTS7000215")


@pytest.mark.parametrize(
    ("wrong", "status", "error", "number"),
    [
        ({"client_secret": "x"}, 401, "invalid_client", 7000215),
        ({"client_id": "x"}, 400, "unauthorized_client", 700016),
        ({"tenant": "other"}, 400, "invalid_request", 90002),
        ({"scope": "User.Read.All"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
async def test_token_refusals(
    http: httpx.AsyncClient, wrong: dict[str, str], status: int, error: str, number: int
) -> None:
    response = await token_answer(http, **wrong)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"].startswith(f"AADSTS{number}:")
    assert response.json()["error_codes"] == [number]


async def test_an_expired_secret(http: httpx.AsyncClient, state: GraphState) -> None:
    state.seed({"secret_expired": True})
    assert "AADSTS7000222" in (await token_answer(http)).json()["error_description"]


async def test_a_secret_in_the_basic_header(http: httpx.AsyncClient) -> None:
    form = {"grant_type": "client_credentials", "scope": "x/.default"}
    credentials = httpx.BasicAuth(quote(CLIENT, safe=""), quote(SECRET, safe=""))
    assert (await http.post(f"/{TENANT}/oauth2/v2.0/token", data=form, auth=credentials)).status_code == 200


async def test_discovery_is_for_the_own_tenant(http: httpx.AsyncClient) -> None:
    path = "/v2.0/.well-known/openid-configuration"
    found = (await http.get(f"/{TENANT}{path}")).json()
    assert {"issuer", "token_endpoint", "authorization_endpoint", "jwks_uri"} <= set(found)
    assert (await http.get(f"/other{path}")).status_code == 400


async def test_graph_wants_a_live_token(graph: Graph, state: GraphState, clock: Clock) -> None:
    for header in ("", "Basic x", "Bearer unknown"):
        response = await graph("GET", "/users", headers={"Authorization": header})
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert (await graph("GET", "/users")).status_code == 200
    clock.ahead_s += 3600
    expired = await graph("GET", "/users")
    assert "expired" in expired.json()["error"]["message"]
    assert [call["status"] for call in state.control.calls("GET /users")] == [401, 401, 401, 200, 401]
