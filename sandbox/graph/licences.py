"""Licences and seats.

Source: contracts/graph.md section 7 (microsoft-graph-docs-contrib `api/user-assignlicense.md`, KelvinTegelaar/CIPP#783,
msgraph-sdk-powershell#3286). Assigning one that is held already is 200; both arrays empty is 400. The texts for missing
arrays, an unknown sku and a licence not held are from field reports, not from the contract.
"""

from typing import Any

from sandbox.graph.errors import GraphError
from sandbox.graph.request import Answer, GraphRequest
from sandbox.graph.state import GraphState
from sandbox.graph.user import User, held_licences
from sandbox.graph.users import one_user

SERVICE_PLANS = (
    {"servicePlanId": "9aaf7827-d63c-4b61-89c3-182f06f82e5c", "servicePlanName": "EXCHANGE_S_STANDARD"},
    {"servicePlanId": "57ff2da0-773e-42df-b2af-ffb7a2317929", "servicePlanName": "TEAMS1"},
)


def assign_license(state: GraphState, request: GraphRequest, target: str) -> Answer:
    """200 with the user; all or nothing."""
    user = state.find(target)
    added, removed = _read(request.body)
    error = validate_assignment(state, user, added=added, removed=removed)
    if error is not None:
        raise error
    state.set_licences(user, {sku: plans for sku, plans in user.licences.items() if sku not in removed} | added)
    return Answer(200, one_user(user, request))


def _read(body: Any) -> tuple[dict[str, list[str]], list[str]]:
    """skuId → disabled plans to add, skuIds to remove. Raises GraphError."""
    sent = body if isinstance(body, dict) else {}
    for name in ("addLicenses", "removeLicenses"):
        if not isinstance(sent.get(name), list):
            raise GraphError(f"One of the required parameters is missing or invalid: {name}.")
    if not sent["addLicenses"] and not sent["removeLicenses"]:
        raise GraphError("No license changes provided in the request.")
    try:
        added = {str(one["skuId"]).lower(): list(one.get("disabledPlans", [])) for one in sent["addLicenses"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise GraphError("Unable to read JSON request payload.", code="BadRequest") from error
    return added, [str(sku).lower() for sku in sent["removeLicenses"]]


def validate_assignment(
    state: GraphState, user: User, *, added: dict[str, list[str]], removed: list[str]
) -> GraphError | None:
    for sku in (*added, *removed):
        if sku != state.sku_id:
            return GraphError(f"License {sku} does not correspond to a valid company License.")
    if any(sku not in held_licences(user) for sku in removed):
        return GraphError("User does not have a corresponding license.")
    if any(sku not in user.licences for sku in removed):
        return GraphError("User license is inherited from a group membership and it cannot be removed directly.")
    if added and not user.properties.get("usageLocation"):
        return GraphError("License assignment cannot be done for user with invalid usage location.")
    country = str(user.properties.get("usageLocation") or "").upper()
    if added and country in state.prohibited_locations:
        return GraphError(
            "License assignment failed because the service is not allowed in the user's usage location.",
            details=(("ProhibitedInUsageLocationViolation", "assignedLicenses"),),
        )
    new = [sku for sku in added if sku not in held_licences(user)]
    if new and state.consumed_units >= state.seats:
        return GraphError(f"Subscription with SKU {new[0]} does not have any available licenses.")
    return None


def license_details(state: GraphState, request: GraphRequest, target: str) -> Answer:
    user = state.find(target)
    details = [
        {
            "id": f"{user.id}_{sku}",
            "skuId": sku,
            "skuPartNumber": state.sku_part_number,
            "servicePlans": [
                {**plan, "provisioningStatus": "Disabled" if plan["servicePlanId"] in disabled else "Success"}
                for plan in SERVICE_PLANS
            ],
        }
        for sku, disabled in held_licences(user).items()
    ]
    context = f"{request.base_url}/$metadata#users('{user.id}')/licenseDetails"
    return Answer(200, {"@odata.context": context, "value": details})


def subscribed_skus(state: GraphState, request: GraphRequest, _: str) -> Answer:
    sku = {
        "id": f"{state.tenant_id}_{state.sku_id}",
        "skuId": state.sku_id,
        "skuPartNumber": state.sku_part_number,
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": state.consumed_units,
        "prepaidUnits": {"enabled": state.seats, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [{**plan, "provisioningStatus": "Success", "appliesTo": "User"} for plan in SERVICE_PLANS],
    }
    return Answer(200, {"@odata.context": f"{request.base_url}/$metadata#subscribedSkus", "value": [sku]})
