"""What Graph is asked; pure. Every shape here is in contracts/graph.md, with its source."""

from collections.abc import Sequence
from urllib.parse import quote

from connectors.graph.models import SubRequest
from connectors.graph.wire import DELTA_FIELDS, USE_FIELDS, USER_FIELDS
from lucy.domain.account_print import NAME_LENGTH, shown_name
from lucy.domain.students import Upn
from lucy.ports import AccountChange, EnabledChange, GroupMember, LicenceRequest, NewAccount, NewPassword

BATCH_SIZE = 20  # https://learn.microsoft.com/graph/json-batching, checked 2026-10
LONGEST_PAGE = 999  # https://learn.microsoft.com/graph/api/group-list-members, checked 2026-10
SEATS_PATH = "/subscribedSkus"
DELETED_PATH = (
    "/directory/deletedItems/microsoft.graph.user?$select=id,userPrincipalName,displayName,employeeId,deletedDateTime"
)
CHANGES_PATH = f"/users/delta?$select={DELTA_FIELDS}"

_JSON = {"Content-Type": "application/json"}
_GROUP_FIELDS = "id,displayName,groupTypes,isAssignableToRole,resourceProvisioningOptions,assignedLicenses"


def create_user(account: NewAccount) -> SubRequest:
    """`POST /users`: a cloud user who must change the password at the first sign-in.

    Graph takes no empty strings, so an absent name is left out.
    """
    body: dict[str, object] = {
        "accountEnabled": True,
        **_names(account.first_name, account.last_name),
        "mailNickname": account.mail_nickname,
        "userPrincipalName": account.upn,
        "employeeId": account.employee_id,
        "usageLocation": account.usage_location,
        "passwordProfile": {"password": account.password, "forceChangePasswordNextSignIn": True},
    }
    return SubRequest("POST", "/users", body)


def update_user(change: AccountChange) -> SubRequest:
    """The display name follows the names, so both are given or neither."""
    properties = {"employeeId": change.employee_id, "usageLocation": change.usage_location}
    names = _names(change.first_name, change.last_name) if change.first_name and change.last_name else {}
    return SubRequest(
        "PATCH", _user_path(change.user_id), names | {name: value for name, value in properties.items() if value}
    )


def _names(first_name: str, last_name: str) -> dict[str, str]:
    names = {"givenName": first_name[:NAME_LENGTH], "surname": last_name[:NAME_LENGTH]}
    return {
        "displayName": shown_name(first_name, last_name),
        **{name: value for name, value in names.items() if value},
    }


def find_user(upn: Upn) -> SubRequest:
    """By sign-in name, never by a filter: filters are answered from a slower index."""
    return SubRequest("GET", f"/users/{quote(upn, safe='@')}?$select={USER_FIELDS}")


def read_by_id(user_id: str) -> SubRequest:
    return SubRequest("GET", f"{_user_path(user_id)}?$select={USER_FIELDS}")


def signs_of_use(user_id: str, *, sign_ins: bool) -> SubRequest:
    """`signInActivity` is refused as a whole without a premium licence and AuditLog.Read.All.

    Source: https://learn.microsoft.com/graph/api/resources/user, "signInActivity" (checked 2026-11).
    """
    fields = f"{USE_FIELDS},signInActivity" if sign_ins else USE_FIELDS
    return SubRequest("GET", f"{_user_path(user_id)}?$select={fields}")


def assign_licence(request: LicenceRequest) -> SubRequest:
    """Both lists must be there, empty or not."""
    body = {"addLicenses": [{"skuId": request.sku_id, "disabledPlans": []}], "removeLicenses": []}
    return SubRequest("POST", f"{_user_path(request.user_id)}/assignLicense", body)


def remove_licence(request: LicenceRequest) -> SubRequest:
    body = {"addLicenses": [], "removeLicenses": [request.sku_id]}
    return SubRequest("POST", f"{_user_path(request.user_id)}/assignLicense", body)


def set_enabled(request: EnabledChange) -> SubRequest:
    """`accountEnabled` alone: a refused password in the same PATCH would leave the sign-in open (section 5)."""
    return SubRequest("PATCH", _user_path(request.user_id), {"accountEnabled": request.enabled})


def reset_password(request: NewPassword) -> SubRequest:
    profile = {"password": request.password, "forceChangePasswordNextSignIn": True}
    return SubRequest("PATCH", _user_path(request.user_id), {"passwordProfile": profile})


def revoke_sessions(user_id: str) -> SubRequest:
    """The body is empty but there: a POST without one fails the whole `$batch` (msgraph-sdk-dotnet#1038)."""
    return SubRequest("POST", f"{_user_path(user_id)}/revokeSignInSessions", {})


def delete_user(user_id: str) -> SubRequest:
    """Into the deleted items for 30 days; nothing here purges (section 6)."""
    return SubRequest("DELETE", _user_path(user_id))


def restore_user(user_id: str) -> SubRequest:
    """With an empty body, as in `revoke_sessions`."""
    return SubRequest("POST", f"/directory/deletedItems/{quote(user_id, safe='')}/restore", {})


def add_member(member: GroupMember, *, graph_url: str) -> SubRequest:
    """One by one: `members@odata.bind` takes 20, but adds nobody where one of them is in the group (section 8)."""
    reference = {"@odata.id": f"{graph_url}/directoryObjects/{quote(member.user_id, safe='')}"}
    return SubRequest("POST", f"{group_path(member.group_id)}/members/$ref", reference)


def check_member(member: GroupMember) -> SubRequest:
    """`checkMemberGroups`: of these groups, those the user is in, also through another group."""
    return SubRequest("POST", f"{_user_path(member.user_id)}/checkMemberGroups", {"groupIds": [member.group_id]})


def remove_member(member: GroupMember) -> SubRequest:
    """`$ref` takes the membership away; without it the user would be deleted (`api/group-delete-members.md`)."""
    return SubRequest("DELETE", f"{group_path(member.group_id)}/members/{quote(member.user_id, safe='')}/$ref")


def group(group_id: str) -> str:
    return f"{group_path(group_id)}?$select={_GROUP_FIELDS}"


def members(group_id: str) -> str:
    return f"{group_path(group_id)}/members?$select=id&$top={LONGEST_PAGE}"


def group_path(group_id: str) -> str:
    return f"/groups/{quote(group_id, safe='')}"


def _user_path(user_id: str) -> str:
    return f"/users/{quote(user_id, safe='')}"


def batch(requests: Sequence[SubRequest]) -> dict[str, object]:
    """`POST /$batch`. The ids are positions: Graph takes ids that differ in case only for the same."""
    return {"requests": [_entry(str(position), request) for position, request in enumerate(requests)]}


def _entry(entry_id: str, request: SubRequest) -> dict[str, object]:
    entry: dict[str, object] = {"id": entry_id, "method": request.method, "url": request.url}
    if request.body is not None:
        entry |= {"headers": _JSON, "body": request.body}
    return entry
