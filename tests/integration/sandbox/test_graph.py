"""The login authority and Graph simulator over real TLS sockets: every rule of contracts/graph.md that it enforces."""

import asyncio
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msal
import pytest
import requests

from sandbox.control import Fault, serve
from sandbox.graph import GraphState, ServerCertificate, build_app, ensure_certificate
from sandbox.graph.operations import GRAPH_OPERATIONS
from sandbox.graph.routes import HANDLERS
from sandbox.graph.throttle import WriteBudget

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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return ensure_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> GraphState:
    return GraphState(TENANT, CLIENT, SECRET, DOMAIN, clock=clock)


@pytest.fixture
async def origin(state: GraphState, certificate: ServerCertificate) -> AsyncIterator[str]:
    runner, port = await serve(build_app(state), port=0, ssl_context=certificate.server_context())
    yield f"https://localhost:{port}"
    await runner.cleanup()


@pytest.fixture
async def http(origin: str, certificate: ServerCertificate) -> AsyncIterator[httpx.AsyncClient]:
    context = ssl.create_default_context(cafile=certificate.ca_file)
    async with httpx.AsyncClient(base_url=origin, verify=context, timeout=5, trust_env=False) as client:
        yield client


async def token_answer(http: httpx.AsyncClient, *, tenant: str = TENANT, **fields: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
    } | fields
    return await http.post(f"/{tenant}/oauth2/v2.0/token", data=form)


@pytest.fixture
async def graph(http: httpx.AsyncClient) -> Graph:
    token = (await token_answer(http)).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    return Graph(http)


# --- the login authority ---


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


# --- read and list ---


async def test_select(graph: Graph) -> None:
    made = await graph.make("ana")
    wanted = "id,accountEnabled,employeeId,usageLocation,assignedLicenses,licenseAssignmentStates,createdDateTime"
    read = (await graph("GET", f"/users/{made['id'].upper()}", params={"$select": wanted})).json()
    read.pop("@odata.context")
    assert list(read) == wanted.split(",")
    assert (read["accountEnabled"], read["employeeId"], read["assignedLicenses"]) == (True, "40000001", [])
    error = await graph.error("GET", f"/users/{upn('ana')}", params={"$select": "id,dni"})
    assert "dni" in error["message"]


async def test_filters(graph: Graph) -> None:
    for name, employee in (("ana", "1"), ("o'brien", "2"), ("anabel", "3")):
        await graph.make(name, employeeId=employee)
    quoted = upn("o''brien")
    filters = {
        f"userPrincipalName eq '{upn('ANA')}'": ["ana"],
        f"userPrincipalName eq '{quoted}'": ["o'brien"],
        "employeeId eq '3'": ["anabel"],
        "startsWith(userPrincipalName,'ana')": ["ana", "anabel"],
        "startswith(userPrincipalName, 'ana') and employeeId eq '3'": ["anabel"],
        f"userPrincipalName in ('{upn('ana')}', '{upn('nobody')}')": ["ana"],
        "employeeId eq '1' or employeeId eq '2'": ["ana", "o'brien"],
        "accountEnabled eq false": [],
    }
    for text, expected in filters.items():
        assert await graph.names("/users", **{"$filter": text}) == expected, text


@pytest.mark.parametrize(
    "text",
    [
        "employeeId ne '1'",
        "not(employeeId eq '1')",
        "endsWith(mail,'x')",
        "careers eq '1'",
        "employeeId eq 1",
        "employeeId eq 'a'b'",
        "employeeId eq",
        "employeeId in ('1'",
        "employeeId eq '1' employeeId",
        "startsWith(employeeId,true)",
        "employeeId in (" + ",".join(f"'{n}'" for n in range(16)) + ")",
        " or ".join(f"employeeId eq '{n}'" for n in range(16)),
    ],
)
async def test_filters_that_are_refused(graph: Graph, text: str) -> None:
    assert (await graph.error("GET", "/users", params={"$filter": text}))["code"] == "Request_UnsupportedQuery"


async def test_fifteen_alternatives_pass(graph: Graph, state: GraphState) -> None:
    rows = [{"userPrincipalName": upn(f"a{n}"), "employeeId": str(n)} for n in (14, 15)]
    state.seed({"users": [*rows, {"userPrincipalName": upn("none")}]})
    text = "employeeId in (" + ",".join(f"'{n}'" for n in range(15)) + ")"
    assert await graph.names("/users", **{"$filter": text}) == ["a14"]


async def test_pages(graph: Graph, state: GraphState) -> None:
    state.seed({"users": [{"userPrincipalName": upn(f"a{n:03}")} for n in range(105)]})
    assert len((await graph("GET", "/users")).json()["value"]) == 100
    seen: list[str] = []
    answer = (await graph("GET", "/users", params={"$top": "40", "$select": "userPrincipalName"})).json()
    while True:
        seen += [user["userPrincipalName"] for user in answer["value"]]
        if "@odata.nextLink" not in answer:
            break
        answer = (await graph.http.get(answer["@odata.nextLink"])).json()
    assert seen == [upn(f"a{n:03}") for n in range(105)]


async def test_query_options_that_are_refused(graph: Graph) -> None:
    for query in ({"$top": "1000"}, {"$top": "0"}, {"$top": "x"}, {"$search": "x"}, {"$count": "true"}):
        await graph.error("GET", "/users", params=query)
    counted = await graph("GET", "/users", params={"$count": "true"}, headers={"ConsistencyLevel": "eventual"})
    assert counted.json()["@odata.count"] == 0


# --- change, delete, restore ---


async def test_patch_changes_what_is_sent(graph: Graph, state: GraphState) -> None:
    made = await graph.make("ana", department="Ingreso")
    changed = await graph("PATCH", f"/users/{made['id']}", {"accountEnabled": False, "department": None})
    assert (changed.status_code, changed.content) == (204, b"")
    user = state.users[made["id"]]
    assert (user.properties["accountEnabled"], user.properties["department"]) == (False, None)
    assert user.properties["employeeId"] == "40000001"


async def test_patch_is_checked_as_a_whole(graph: Graph, state: GraphState) -> None:
    await graph.make("eva")
    made = await graph.make("ana")
    path = f"/users/{made['id']}"
    weak = {"accountEnabled": False, "passwordProfile": {"password": "weak"}}
    for wrong in ({"displayName": ""}, {"usageLocation": None}, {"employeeId": "x" * 17}, {"x": 1}, {}, weak):
        await graph.error("PATCH", path, wrong)
    assert state.users[made["id"]].properties["accountEnabled"] is True
    taken = await graph.error("PATCH", path, {"userPrincipalName": upn("eva")})
    assert taken["details"][0]["code"] == "ObjectConflict"
    assert (await graph("PATCH", path, {"userPrincipalName": upn("ana")})).status_code == 204
    assert (await graph("PATCH", path, {"userPrincipalName": upn("ana2")})).status_code == 204
    assert (await graph("GET", f"/users/{upn('ana')}")).status_code == 404
    assert (await graph("GET", f"/users/{upn('ana2')}")).json()["id"] == made["id"]


async def test_only_the_synchronisation_says_who_is_synchronised(graph: Graph, state: GraphState) -> None:
    state.seed({"users": [{"userPrincipalName": upn("eva"), "onPremisesSyncEnabled": True}]})
    await graph.make("ana")
    query = {"$select": "onPremisesSyncEnabled"}
    said = [(await graph("GET", f"/users/{upn(name)}", params=query)).json() for name in ("eva", "ana")]
    assert [one["onPremisesSyncEnabled"] for one in said] == [True, None]
    error = await graph.error("PATCH", f"/users/{upn('ana')}", {"onPremisesSyncEnabled": True})
    assert "onPremisesSyncEnabled" in error["message"]


async def test_revoke_moves_the_sessions_date(graph: Graph, clock: Clock) -> None:
    made = await graph.make("ana")
    query = {"$select": "signInSessionsValidFromDateTime"}
    before = (await graph("GET", f"/users/{made['id']}", params=query)).json()
    clock.ahead_s += 10
    assert (await graph("POST", f"/users/{made['id']}/revokeSignInSessions")).json()["value"] is True
    after = (await graph("GET", f"/users/{made['id']}", params=query)).json()
    key = "signInSessionsValidFromDateTime"
    assert after[key] > before[key]


async def test_a_deleted_user_can_be_restored_with_its_licence(graph: Graph, state: GraphState) -> None:
    made = await graph.make("ana")
    await graph("POST", f"/users/{made['id']}/assignLicense", licence(state))
    assert (await graph("DELETE", f"/users/{upn('ana')}")).status_code == 204
    assert (await graph("GET", f"/users/{made['id']}")).status_code == 404
    assert await graph.names("/users") == []
    assert state.consumed_units == 0
    deleted = "/directory/deletedItems/microsoft.graph.user"
    found = (await graph("GET", deleted, params={"$select": "id,deletedDateTime"})).json()["value"]
    assert found[0]["id"] == made["id"]
    assert found[0]["deletedDateTime"] is not None
    restored = await graph("POST", f"/directory/deletedItems/{made['id']}/restore")
    assert (restored.status_code, restored.json()["id"]) == (200, made["id"])
    assert await graph.names("/users") == ["ana"]
    assert state.consumed_units == 1
    assert (await graph("POST", f"/directory/deletedItems/{made['id']}/restore")).status_code == 404


async def test_a_deleted_users_upn_is_free_but_then_it_cannot_come_back(graph: Graph) -> None:
    first = await graph.make("ana")
    await graph("DELETE", f"/users/{first['id']}")
    await graph.make("ana")
    error = await graph.error("POST", f"/directory/deletedItems/{first['id']}/restore")
    assert error["details"][0]["code"] == "ObjectConflict"


async def test_deleted_users_are_purged_after_thirty_days(graph: Graph, state: GraphState, clock: Clock) -> None:
    state.seed({"users": [{"userPrincipalName": upn("ana"), "deleted": True}], "token_lifetime_s": 1e9})
    graph.http.headers["Authorization"] = f"Bearer {(await token_answer(graph.http)).json()['access_token']}"
    deleted = "/directory/deletedItems/microsoft.graph.user"
    clock.ahead_s += 29 * 86400
    assert [name.endswith("ana") for name in await graph.names(deleted)] == [True]  # behind the object id
    clock.ahead_s += 2 * 86400
    assert await graph.names(deleted) == []


# --- passwords ---


async def sign_in(graph: Graph, name: str, password: str) -> tuple[bool, bool]:
    answer = (await graph.http.post("/_control/graph/sign-in", json={"upn": upn(name), "password": password})).json()
    return answer["ok"], answer["must_change"]


async def test_the_password_opens_the_account_until_it_is_reset_or_disabled(graph: Graph) -> None:
    await graph.make("ana")
    assert await sign_in(graph, "ANA", PASSWORD) == (True, True)
    assert await sign_in(graph, "ana", "another-1A") == (False, False)
    assert await sign_in(graph, "nobody", PASSWORD) == (False, False)
    profile = {"password": "Nueva-Clave-8", "forceChangePasswordNextSignIn": False}
    await graph("PATCH", f"/users/{upn('ana')}", {"passwordProfile": profile})
    assert await sign_in(graph, "ana", PASSWORD) == (False, False)
    assert await sign_in(graph, "ana", "Nueva-Clave-8") == (True, False)
    await graph("PATCH", f"/users/{upn('ana')}", {"accountEnabled": False})
    assert (await sign_in(graph, "ana", "Nueva-Clave-8"))[0] is False


async def test_no_password_and_no_secret_is_ever_shown(graph: Graph) -> None:
    await graph.make("ana")
    await graph.batch(step("1", "POST", "/users", new_user("eva")))
    for path in ("/_control/state", "/_control/calls"):
        text = (await graph.http.get(path)).text
        assert PASSWORD not in text
        assert SECRET not in text
        assert graph.http.headers["Authorization"].removeprefix("Bearer ") not in text
    shown = (await graph.http.get("/_control/state")).json()["users"]
    assert shown[0]["passwordHash"] != shown[1]["passwordHash"]
    read = (await graph("GET", f"/users/{upn('ana')}", params={"$select": "passwordProfile"})).json()
    assert read["passwordProfile"] is None


async def test_sign_in_wants_both(graph: Graph) -> None:
    assert (await graph.http.post("/_control/graph/sign-in", json={"upn": "x"})).status_code == 400


# --- licences ---


async def test_assigning_takes_a_seat_once(graph: Graph, state: GraphState) -> None:
    made = await graph.make("ana")
    path = f"/users/{made['id']}"
    for _ in range(2):
        assigned = await graph("POST", f"{path}/assignLicense", licence(state))
        assert (assigned.status_code, assigned.json()["id"]) == (200, made["id"])
    sku = (await graph("GET", "/subscribedSkus")).json()["value"][0]
    assert (sku["skuPartNumber"], sku["consumedUnits"]) == ("STANDARDWOFFPACK_STUDENT", 1)
    assert sku["prepaidUnits"]["enabled"] == 500
    details = (await graph("GET", f"{path}/licenseDetails")).json()["value"]
    assert [one["skuId"] for one in details] == [state.sku_id]
    await graph("POST", f"{path}/assignLicense", {"addLicenses": [], "removeLicenses": [state.sku_id]})
    assert state.consumed_units == 0


async def test_no_free_seats(graph: Graph, state: GraphState) -> None:
    state.seed({"seats": 1, "users": [{"userPrincipalName": upn("eva"), "licensed": True}]})
    await graph.make("ana")
    error = await graph.error("POST", f"/users/{upn('ana')}/assignLicense", licence(state))
    assert error["code"] == "Request_BadRequest"
    assert error["message"].endswith("does not have any available licenses.")


async def test_no_usage_location(graph: Graph, state: GraphState) -> None:
    await graph.make("ana", usageLocation=...)
    error = await graph.error("POST", f"/users/{upn('ana')}/assignLicense", licence(state))
    assert error["message"] == "License assignment cannot be done for user with invalid usage location."


async def test_licence_bodies_that_are_refused(graph: Graph, state: GraphState) -> None:
    await graph.make("ana")
    path = f"/users/{upn('ana')}/assignLicense"
    add = licence(state)["addLicenses"]
    for body, said in (
        ({"addLicenses": add}, "removeLicenses"),
        ({"removeLicenses": []}, "addLicenses"),
        ({"addLicenses": [], "removeLicenses": []}, "No license changes provided"),
        ({"addLicenses": [{"skuId": str(uuid.uuid4())}], "removeLicenses": []}, "valid company License"),
        ({"addLicenses": [{}], "removeLicenses": []}, "payload"),
        ({"addLicenses": [], "removeLicenses": [state.sku_id]}, "corresponding license"),
    ):
        assert said in (await graph.error("POST", path, body))["message"]


async def test_organization_lists_the_verified_domains(graph: Graph) -> None:
    tenant = (await graph("GET", "/organization")).json()["value"][0]
    assert (tenant["id"], tenant["verifiedDomains"][0]["name"]) == (TENANT, DOMAIN)


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
