"""Which application permission each request needs: the token's `roles` must hold all of one alternative.

Source: contracts/graph.md sections 5 and 12. Where the contract has a conflict, the least that some page names is
enough here. Those for seats are of https://learn.microsoft.com/graph/api/subscribedsku-list (checked 2026-11).
"""

from collections.abc import Mapping
from typing import Any

from sandbox.graph import operations
from sandbox.graph.errors import GraphError, of_status

_EVERYTHING = frozenset({"Directory.ReadWrite.All"})
_USERS = frozenset({"User.ReadWrite.All"})
_READ_USERS = (frozenset({"User.Read.All"}), frozenset({"Directory.Read.All"}), _USERS, _EVERYTHING)
_MEMBERS = (frozenset({"GroupMember.ReadWrite.All"}), frozenset({"Group.ReadWrite.All"}), _EVERYTHING)
_READ_GROUPS = (frozenset({"GroupMember.Read.All"}), frozenset({"Group.Read.All"}), *_MEMBERS)
_READ_TENANT = (
    frozenset({"Organization.Read.All"}),
    frozenset({"LicenseAssignment.Read.All"}),
    frozenset({"Organization.ReadWrite.All"}),
    frozenset({"Directory.Read.All"}),
    _EVERYTHING,
)
_PASSWORD = (frozenset({"User-PasswordProfile.ReadWrite.All"}),)
_SWITCH = (frozenset({"User.EnableDisableAccount.All", "User.Read.All"}), _USERS, _EVERYTHING)
_PROFILE = (frozenset({"User.ReadUpdate.All"}), _USERS, _EVERYTHING)

Alternatives = tuple[frozenset[str], ...]
NEEDS: Mapping[str, Alternatives] = {
    operations.CREATE_USER: (frozenset({"User.Create"}), _USERS, _EVERYTHING),
    operations.LIST_USERS: _READ_USERS,
    operations.GET_USER: _READ_USERS,
    operations.DELTA: _READ_USERS,
    operations.CHECK_MEMBER: (*_READ_USERS, frozenset({"GroupMember.Read.All"}), *_MEMBERS),
    operations.DELETE_USER: (_USERS,),
    operations.REVOKE_SESSIONS: (frozenset({"User.RevokeSessions.All"}), _USERS, _EVERYTHING),
    operations.ASSIGN_LICENSE: (frozenset({"LicenseAssignment.ReadWrite.All"}), _USERS, _EVERYTHING),
    operations.LICENSE_DETAILS: _READ_USERS,
    operations.LIST_DELETED: _READ_USERS,
    operations.RESTORE: (_USERS,),
    operations.SUBSCRIBED_SKUS: _READ_TENANT,
    operations.ORGANIZATION: (*_READ_TENANT, *_READ_USERS),
    operations.SEND_MAIL: (frozenset({"Mail.Send"}),),
    operations.GET_GROUP: _READ_GROUPS,
    operations.LIST_MEMBERS: _READ_GROUPS,
    operations.ADD_MEMBER: _MEMBERS,
    operations.REMOVE_MEMBER: _MEMBERS,
}
LUCYS = frozenset(
    {
        "User.ReadWrite.All",
        "User-PasswordProfile.ReadWrite.All",
        "User.RevokeSessions.All",
        "LicenseAssignment.Read.All",
        "LicenseAssignment.ReadWrite.All",
        "GroupMember.ReadWrite.All",
    }
)
"""What the sandbox's tenant has consented to."""


def refuse_role(operation: str, body: Any, roles: frozenset[str]) -> GraphError | None:
    """403 where a permission is missing; a change of several kinds needs those of each."""
    missing = [one for one in _needs(operation, body) if not any(wanted <= roles for wanted in one)]
    return of_status(403) if missing else None


def _needs(operation: str, body: Any) -> list[Alternatives]:
    if operation != operations.UPDATE_USER:
        return [NEEDS[operation]]
    changed = set(body) if isinstance(body, dict) else set()
    kinds = {"accountEnabled": _SWITCH, "passwordProfile": _PASSWORD}
    needed = [kinds[name] for name in sorted(changed & set(kinds))]
    return needed if changed and changed <= set(kinds) else [*needed, _PROFILE]
