"""Passwords and licences."""

import uuid
from dataclasses import replace

from sandbox.graph import GraphState
from tests.integration.sandbox.graph.calls import (
    DOMAIN,
    PASSWORD,
    SECRET,
    TENANT,
    Clock,
    Graph,
    licence,
    new_user,
    sign_in,
    step,
    upn,
)

# --- passwords ---


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
    assert read["passwordProfile"]["password"] is None


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


async def test_sign_ins_are_told_with_a_premium_licence_and_the_permission(graph: Graph, state: GraphState) -> None:
    made = await graph.make("ana")
    path = f"/users/{made['id']}?$select=id,signInActivity"
    assert (await graph("GET", path)).status_code == 403, "the permission"
    state.tokens = {
        token: replace(issued, roles=issued.roles | {"AuditLog.Read.All"}) for token, issued in state.tokens.items()
    }
    refused = (await graph("GET", path)).json()["error"]
    assert refused["code"] == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    state.seed({"premium": 1})
    assert (await graph("GET", path)).json()["signInActivity"] is None
    await sign_in(graph, "ana", PASSWORD)
    assert (await graph("GET", path)).json()["signInActivity"] is None, "it was only tried"
    state.sign_in(upn("ana"), PASSWORD, new_password="Una-propia-de-ella-9")
    assert (await graph("GET", path)).json()["signInActivity"]["lastSuccessfulSignInDateTime"]


async def test_a_forced_change_is_met_at_the_first_sign_in(graph: Graph, state: GraphState, clock: Clock) -> None:
    made = await graph.make("ana")
    path = f"/users/{made['id']}?$select=passwordProfile,lastPasswordChangeDateTime"
    before = (await graph("GET", path)).json()
    assert before["passwordProfile"] == {"password": None, "forceChangePasswordNextSignIn": True}
    clock.ahead_s = 60
    assert state.sign_in(upn("ana"), "no", new_password="Una-propia-de-ella-9") == (False, False)
    assert (await graph("GET", path)).json() == before
    assert state.sign_in(upn("ana"), PASSWORD, new_password="Una-propia-de-ella-9") == (True, True)
    after = (await graph("GET", path)).json()
    assert after["passwordProfile"]["forceChangePasswordNextSignIn"] is False
    assert after["lastPasswordChangeDateTime"] > before["lastPasswordChangeDateTime"]
    assert state.sign_in(upn("ana"), PASSWORD) == (False, False)
