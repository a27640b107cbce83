"""The application permissions that each request needs: all of one alternative, the least one first.

Source: contracts/graph.md, sections 5 and 12; for seats https://learn.microsoft.com/graph/api/subscribedsku-list, which
does not count the permission to assign licences among those that may read them (checked 2026-11). Newer, narrower
permissions stand beside the older ones: a tenant may not list them yet.
"""

from collections.abc import Mapping

from connectors.graph.models import Operation

Alternatives = tuple[frozenset[str], ...]


def _any(*alternatives: str) -> Alternatives:
    """Each is one permission, or several joined by +."""
    return tuple(frozenset(one.split("+")) for one in alternatives)


_EVERYTHING = "Directory.ReadWrite.All"
_READ = _any("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", _EVERYTHING)
_LICENSING = _any("LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", _EVERYTHING)
_MEMBERSHIP = _any("GroupMember.ReadWrite.All", "Group.ReadWrite.All", _EVERYTHING)
_GROUPS = _any("GroupMember.Read.All", "Group.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All")

NEEDED: Mapping[Operation, Alternatives] = {
    Operation.CREATE: _any("User.Create", "User.ReadWrite.All", _EVERYTHING),
    Operation.FIND: _READ,
    Operation.READ: _READ,
    Operation.UPDATE: _any("User.ReadUpdate.All", "User.ReadWrite.All", _EVERYTHING),
    Operation.ENABLE: _any("User.EnableDisableAccount.All+User.Read.All", "User.ReadWrite.All", _EVERYTHING),
    Operation.PASSWORD: _any("User-PasswordProfile.ReadWrite.All"),
    Operation.REVOKE: _any("User.RevokeSessions.All", "User.ReadWrite.All", _EVERYTHING),
    Operation.DELETE: _any("User.ReadWrite.All"),
    Operation.DELETED: _READ,
    Operation.RESTORE: _any("User.ReadWrite.All"),
    Operation.SEATS: _any(
        "LicenseAssignment.Read.All",
        "Organization.Read.All",
        "Organization.ReadWrite.All",
        "Directory.Read.All",
        _EVERYTHING,
    ),
    Operation.LICENCE: _LICENSING,
    Operation.UNLICENCE: _LICENSING,
    Operation.GROUP: (*_GROUPS, frozenset({_EVERYTHING})),
    Operation.MEMBERS: (*_GROUPS, frozenset({_EVERYTHING})),
    Operation.JOIN: _MEMBERSHIP,
    Operation.LEAVE: _MEMBERSHIP,
    Operation.CHANGES: _READ,
    Operation.SIGNS: _READ,  # sign-ins also need AuditLog.Read.All and a licence; without, the password tells
}
OF_GROUPS = frozenset({Operation.GROUP, Operation.MEMBERS, Operation.JOIN, Operation.LEAVE})


def in_words(operation: Operation) -> str:
    """User.Create, or User.ReadWrite.All, or …; empty where none is needed."""
    return ", or ".join(" and ".join(sorted(one)) for one in NEEDED.get(operation, ()))


def lacking(granted: frozenset[str], *, groups: bool) -> dict[Operation, str]:
    """What cannot be done with these permissions, and which would do. `groups`: whether groups are used at all."""
    return {
        operation: in_words(operation)
        for operation, alternatives in NEEDED.items()
        if (groups or operation not in OF_GROUPS) and not any(one <= granted for one in alternatives)
    }
