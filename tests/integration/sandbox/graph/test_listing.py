"""Users read, listed, changed, deleted, restored."""

import pytest

from sandbox.graph import GraphState
from tests.integration.sandbox.graph.calls import Clock, Graph, licence, token_answer, upn

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
