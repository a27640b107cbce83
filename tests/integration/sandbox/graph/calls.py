"""How the tests speak to the login authority and Graph simulator."""

import time
from typing import Any

import httpx

from sandbox.graph import GraphState

TENANT, CLIENT, SECRET = "11111111-aaaa-4bbb-8ccc-222222222222", "33333333-aaaa-4bbb-8ccc-444444444444", "s3cr&t+/="
DOMAIN = "estudiantes.example.org"
PASSWORD = "Clave-Temporal-7"
JSON = {"Content-Type": "application/json"}


class Clock:
    """Real time, moved forward by hand."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


class Graph:
    """Calls as an app does; paths are relative to `/v1.0`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.http.request(method, f"/v1.0{path}", json=body, **options)

    async def make(self, name: str, **fields: Any) -> dict[str, Any]:
        response = await self("POST", "/users", new_user(name, **fields))
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    async def error(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """The `error` of a 400."""
        response = await self(method, path, body, **options)
        assert response.status_code == 400, response.text
        error: dict[str, Any] = response.json()["error"]
        return error

    async def names(self, path: str, **query: str) -> list[str]:
        listed = (await self("GET", path, params=query)).json()["value"]
        return [user["userPrincipalName"].partition("@")[0] for user in listed]

    async def batch(self, *steps: dict[str, Any]) -> dict[str, dict[str, Any]]:
        response = await self("POST", "/$batch", {"requests": list(steps)})
        assert response.status_code == 200, response.text
        return {answer["id"]: answer for answer in response.json()["responses"]}


def upn(name: str) -> str:
    return f"{name}@{DOMAIN}"


def new_user(name: str, **fields: Any) -> dict[str, Any]:
    user = {
        "accountEnabled": True,
        "displayName": f"{name} Suárez",
        "mailNickname": name,
        "userPrincipalName": upn(name),
        "usageLocation": "AR",
        "employeeId": "40000001",
        "passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": True},
    } | fields
    return {key: value for key, value in user.items() if value is not ...}


def step(step_id: str, method: str, url: str, body: Any = None, **more: Any) -> dict[str, Any]:
    written = {} if body is None else {"body": body, "headers": JSON}
    return {"id": step_id, "method": method, "url": url, **written, **more}


def licence(state: GraphState) -> dict[str, Any]:
    return {"addLicenses": [{"skuId": state.sku_id, "disabledPlans": []}], "removeLicenses": []}


async def token_answer(http: httpx.AsyncClient, *, tenant: str = TENANT, **fields: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
    } | fields
    return await http.post(f"/{tenant}/oauth2/v2.0/token", data=form)


async def sign_in(graph: Graph, name: str, password: str) -> tuple[bool, bool]:
    answer = (await graph.http.post("/_control/graph/sign-in", json={"upn": upn(name), "password": password})).json()
    return answer["ok"], answer["must_change"]
