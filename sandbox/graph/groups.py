"""Groups: read one, list its members, put users in, take them out.

Source: contracts/graph.md section 8 (microsoft-graph-docs-contrib `api/group-post-members.md` and
`group-delete-members.md`; Azure/azure-cli#16905 for the text of a member again). The text for groups that take no
members is from field reports.
"""

from typing import Any

from sandbox.graph.errors import GraphError, not_found, of_status
from sandbox.graph.group import DEFAULT_GROUP_PROPERTIES, Group, every_property
from sandbox.graph.listing import page_of
from sandbox.graph.request import Answer, GraphRequest
from sandbox.graph.state import GraphState

REFERENCE = "/directoryobjects/"


def get_group(state: GraphState, request: GraphRequest, target: str) -> Answer:
    group = find_group(state, target)
    known = every_property(group)
    wanted = request.query.get("$select")
    names = [name.strip() for name in wanted.split(",")] if wanted else list(DEFAULT_GROUP_PROPERTIES)
    if unknown := [name for name in names if name not in known]:
        raise GraphError(
            f"Parsing OData Select and Expand failed: Could not find a property named '{unknown[0]}' on type "
            "'microsoft.graph.group'.",
            code="BadRequest",
        )
    context = f"{request.base_url}/$metadata#groups/$entity"
    return Answer(200, {"@odata.context": context, **{name: known[name] for name in names}})


def list_members(state: GraphState, request: GraphRequest, target: str) -> Answer:
    group = find_group(state, target)
    members = [state.users[one] for one in group.members if state.is_visible(state.users[one])]
    return page_of(members, request, context="directoryObjects", type_name="#microsoft.graph.user")


def add_member(state: GraphState, request: GraphRequest, target: str) -> Answer:
    """204; 400 for a member again, and for a group whose members are not given by hand."""
    group = find_group(state, target)
    reference = request.body.get("@odata.id") if isinstance(request.body, dict) else None
    if not isinstance(reference, str) or REFERENCE not in reference.lower():
        raise GraphError("The request body must contain a reference of a directory object in @odata.id.")
    user = state.find(reference[reference.lower().rindex(REFERENCE) + len(REFERENCE) :])
    if group.role_assignable:
        raise of_status(403)  # `RoleManagement.ReadWrite.Directory` is never given here
    if group.dynamic:
        raise GraphError("Cannot modify the membership of a group with a dynamic membership rule.")
    if user.id in group.members:
        raise GraphError(
            "One or more added object references already exist for the following modified properties: 'members'."
        )
    state.join(group, user)
    return Answer(204)


def remove_member(state: GraphState, request: GraphRequest, target: str) -> Answer:
    """204; 404 for who is not in it."""
    group = find_group(state, target)
    member = request.segments[3].lower()
    if member not in group.members:
        raise not_found(member)
    state.leave(group, state.users[member])
    return Answer(204)


def check_member_groups(state: GraphState, request: GraphRequest, target: str) -> Answer:
    """Of up to 20 groups, those that hold the user. Groups within groups are not simulated."""
    user = state.find(target)
    asked: Any = request.body.get("groupIds") if isinstance(request.body, dict) else None
    if not isinstance(asked, list) or not 1 <= len(asked) <= 20:
        raise GraphError("groupIds takes 1 to 20 ids.")
    groups = (state.groups.get(str(one).lower()) for one in asked)
    found = [group.id for group in groups if group is not None and user.id in group.members]
    context = f"{request.base_url}/$metadata#Collection(Edm.String)"
    return Answer(200, {"@odata.context": context, "value": found})


def find_group(state: GraphState, target: str) -> Group:
    group = state.groups.get(target.lower())
    if group is None:
        raise not_found(target)
    return group
