"""Which handler answers which request."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.graph import delta, groups, licences, mail, operations, organization, users
from sandbox.graph.errors import GraphError
from sandbox.graph.request import Answer, GraphRequest
from sandbox.graph.state import GraphState

Handler = Callable[[GraphState, GraphRequest, str], Answer]

HANDLERS: dict[str, Handler] = {
    operations.CREATE_USER: users.create_user,
    operations.LIST_USERS: users.list_users,
    operations.DELTA: delta.users_delta,  # before the user whose id might be `delta`
    operations.GET_USER: users.get_user,
    operations.UPDATE_USER: users.update_user,
    operations.DELETE_USER: users.delete_user,
    operations.REVOKE_SESSIONS: users.revoke_sessions,
    operations.ASSIGN_LICENSE: licences.assign_license,
    operations.LICENSE_DETAILS: licences.license_details,
    operations.LIST_DELETED: users.list_deleted,
    operations.RESTORE: users.restore_user,
    operations.SUBSCRIBED_SKUS: licences.subscribed_skus,
    operations.ORGANIZATION: organization.organization,
    operations.SEND_MAIL: mail.send_mail,
    operations.CHECK_MEMBER: groups.check_member_groups,
    operations.GET_GROUP: groups.get_group,
    operations.LIST_MEMBERS: groups.list_members,
    operations.ADD_MEMBER: groups.add_member,
    operations.REMOVE_MEMBER: groups.remove_member,
}


# A question asked by POST, and what is Exchange's, which has limits of its own.
_NO_DIRECTORY_WRITES = frozenset({operations.CHECK_MEMBER, operations.SEND_MAIL})
_SPELLINGS = {"graph.user": "microsoft.graph.user", "delta()": "delta"}
"""How Microsoft's own client writes a cast and a function without parameters; the service takes both."""


@dataclass(frozen=True)
class Route:
    """An operation found for a request; `target` is what stands for `{id}`, empty without one."""

    operation: str
    target: str
    handler: Handler

    @property
    def is_write(self) -> bool:
        """Whether it costs a write (section 9: POST, PATCH, DELETE)."""
        return not self.operation.startswith("GET ") and self.operation not in _NO_DIRECTORY_WRITES


def find_route(method: str, segments: tuple[str, ...]) -> Route:
    """Raises GraphError: 400 for an unknown path, 405 for a method that the path does not take."""
    segments = tuple(_SPELLINGS.get(segment.lower(), segment) for segment in segments)
    path_known = False
    for operation, handler in HANDLERS.items():
        wanted_method, _, path = operation.partition(" /")
        target = _match(tuple(path.split("/")), segments)
        if target is None:
            continue
        path_known = True
        if method == wanted_method:
            return Route(operation, target, handler)
    if path_known:
        raise GraphError("Specified HTTP method is not allowed for the request target.", status=405)
    raise GraphError(f"Resource not found for the segment '{segments[-1]}'.", code="BadRequest")


def _match(pattern: tuple[str, ...], segments: tuple[str, ...]) -> str | None:
    """What stands for `{id}`, empty without one; None when the path is another."""
    if len(pattern) != len(segments):
        return None
    target = ""
    for wanted, given in zip(pattern, segments, strict=True):
        if wanted == "{id}" and given:
            target = given
        elif wanted == "{member}" and given:
            continue
        elif wanted.lower() != given.lower():
            return None
    return target
