"""Users: create, read, list, change, revoke, delete, restore.

Source: contracts/graph.md sections 3 to 6; the replication delay is section 10's.
"""

from dataclasses import replace
from typing import Any

from sandbox.graph.errors import GraphError, of_status, quota_exceeded
from sandbox.graph.listing import selected, user_page
from sandbox.graph.passwords import StoredPassword
from sandbox.graph.request import Answer, GraphRequest
from sandbox.graph.rules import validate_changes, validate_new_user
from sandbox.graph.state import GraphState
from sandbox.graph.user import DEFAULT_PROPERTIES, User, view


def create_user(state: GraphState, request: GraphRequest, _: str) -> Answer:
    """201 with the default properties, not everything that was sent."""
    error = validate_new_user(request.body, domains=state.domains, is_taken=state.is_taken)
    if error is not None:
        raise error
    if state.is_full:
        raise quota_exceeded()
    properties = {name: value for name, value in request.body.items() if name != "passwordProfile"}
    user = state.add(properties, replication_s=state.behaviour.replication_s)
    _set_password(user, request.body["passwordProfile"], now=state.clock())
    return Answer(201, one_user(user, request))


def get_user(state: GraphState, request: GraphRequest, target: str) -> Answer:
    names = selected(request.query)
    if "signInActivity" in names:
        _refuse_sign_ins(state, request)
    return Answer(200, one_user(state.find(target), request, names=names))


def _refuse_sign_ins(state: GraphState, request: GraphRequest) -> None:
    """Sign-ins need a premium licence and a permission of their own.

    Source: https://learn.microsoft.com/graph/api/resources/user, "signInActivity";
    microsoftgraph/microsoft-graph-docs#12772. Raises GraphError.
    """
    if "AuditLog.Read.All" not in request.roles:
        raise of_status(403)
    if not state.behaviour.premium:
        raise GraphError(
            "Neither tenant is B2C or tenant doesn't have premium license",
            code="Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            status=403,
        )


def list_users(state: GraphState, request: GraphRequest, _: str) -> Answer:
    return user_page([user for user in state.users.values() if state.is_visible(user)], request)


def update_user(state: GraphState, request: GraphRequest, target: str) -> Answer:
    """204; only what is sent changes, all or nothing."""
    user = state.find(target)
    error = validate_changes(
        request.body,
        domains=state.domains,
        is_taken=lambda upn: upn.lower() != user.upn.lower() and state.is_taken(upn),
    )
    if error is not None:
        raise error
    changes = dict(request.body)
    profile = changes.pop("passwordProfile", None)
    state.change(user, changes)
    if profile:
        _set_password(user, profile, now=state.clock())
    return Answer(204)


def revoke_sessions(state: GraphState, request: GraphRequest, target: str) -> Answer:
    """Moves `signInSessionsValidFromDateTime`."""
    state.find(target).sessions_valid_from = state.clock()
    return Answer(200, {"@odata.context": f"{request.base_url}/$metadata#Edm.Boolean", "value": True})


def delete_user(state: GraphState, _: GraphRequest, target: str) -> Answer:
    """204; the user goes to the deleted items for 30 days."""
    state.delete(state.find(target))
    return Answer(204)


def list_deleted(state: GraphState, request: GraphRequest, _: str) -> Answer:
    return user_page([_as_deleted(user) for user in state.deleted_users()], request)


def _as_deleted(user: User) -> User:
    """Under its object id and its name, as in the deleted items of real tenants (seen, not documented)."""
    return replace(user, properties=user.properties | {"userPrincipalName": user.id.replace("-", "") + user.upn})


def restore_user(state: GraphState, request: GraphRequest, target: str) -> Answer:
    """200 with the object."""
    return Answer(200, one_user(state.restore(target), request))


def one_user(user: User, request: GraphRequest, *, names: tuple[str, ...] = DEFAULT_PROPERTIES) -> dict[str, Any]:
    return {"@odata.context": f"{request.base_url}/$metadata#users/$entity", **view(user, names)}


def _set_password(user: User, profile: dict[str, Any], *, now: float) -> None:
    user.must_change = profile.get("forceChangePasswordNextSignIn", user.must_change)
    if profile.get("password") is not None:
        user.password, user.password_set_at = StoredPassword.of(profile["password"]), now
