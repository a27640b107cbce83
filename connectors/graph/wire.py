"""What Graph is asked and what it answers; pure. Every shape here is in contracts/graph.md, with its source."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from connectors.graph.models import Problem, ProblemDetail, SeatsPage, SubRequest, SubResponse
from connectors.http import parse_retry_after
from lucy.domain.students import Upn
from lucy.ports import DirectoryUser, EnabledChange, LicenceRequest, LicenceSeats, NewAccount, NewPassword

BATCH_SIZE = 20  # https://learn.microsoft.com/graph/json-batching, checked 2026-10
DISPLAY_NAME_LENGTH = 256  # https://learn.microsoft.com/graph/api/resources/user, checked 2026-10
NAME_LENGTH = 64
OWN_FIELDS = (
    "id",
    "userPrincipalName",
    "displayName",
    "givenName",
    "surname",
    "employeeId",
    "accountEnabled",
    "usageLocation",
    "createdDateTime",
    "assignedLicenses",
)
OTHERS_FIELDS = (  # what Lucy never sets; `create_user` must not name any of them
    "jobTitle",
    "department",
    "officeLocation",
    "mobilePhone",
    "businessPhones",
    "companyName",
    "onPremisesSyncEnabled",
)
USER_FIELDS = ",".join((*OWN_FIELDS, *OTHERS_FIELDS))
SEATS_PATH = "/subscribedSkus"

_JSON = {"Content-Type": "application/json"}
_CODE = re.compile(r"[A-Za-z0-9_.]{1,80}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def headers(token: str, client_request_id: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "client-request-id": client_request_id,
        "return-client-request-id": "true",
    }


# Requests


def create_user(account: NewAccount) -> SubRequest:
    """`POST /users`: a cloud user who must change the password at the first sign-in.

    Graph takes no empty strings, so an absent name is left out.
    """
    display_name = ", ".join(part for part in (account.last_name, account.first_name) if part)
    names = {"givenName": account.first_name[:NAME_LENGTH], "surname": account.last_name[:NAME_LENGTH]}
    body: dict[str, object] = {
        "accountEnabled": True,
        "displayName": display_name[:DISPLAY_NAME_LENGTH],
        **{name: value for name, value in names.items() if value},
        "mailNickname": account.mail_nickname,
        "userPrincipalName": account.upn,
        "employeeId": account.employee_id,
        "usageLocation": account.usage_location,
        "passwordProfile": {"password": account.password, "forceChangePasswordNextSignIn": True},
    }
    return SubRequest("POST", "/users", body)


def find_user(upn: Upn) -> SubRequest:
    """By sign-in name, never by a filter: filters are answered from a slower index."""
    return SubRequest("GET", f"/users/{quote(upn, safe='@')}?$select={USER_FIELDS}")


def read_by_id(user_id: str) -> SubRequest:
    return SubRequest("GET", f"{_user_path(user_id)}?$select={USER_FIELDS}")


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


# Answers


def read_batch(document: object, *, client_request_id: str, now: datetime) -> dict[int, SubResponse] | None:
    """The answers by position, in whatever order they came; None where the document is no answer to a `$batch`."""
    entries = _object(document).get("responses")
    if not isinstance(entries, list):
        return None
    answers: dict[int, SubResponse] = {}
    for entry in map(_object, entries):
        position, status = _text(entry.get("id")), entry.get("status")
        if position.isdecimal() and isinstance(status, int):
            answers[int(position)] = _sub_response(entry, status, client_request_id=client_request_id, now=now)
    return answers


def _sub_response(entry: Mapping[str, object], status: int, *, client_request_id: str, now: datetime) -> SubResponse:
    named = {name.lower(): _text(value) for name, value in _object(entry.get("headers")).items()}
    body = entry.get("body")
    return SubResponse(
        status=status,
        body=body,
        retry_after_s=parse_retry_after(named.get("retry-after"), now=now),
        request_id=safe_id(named.get("request-id", "")) or read_problem(body).request_id,
        client_request_id=client_request_id,
    )


def read_user(body: object) -> DirectoryUser | None:
    """A user as read with `USER_FIELDS`; None where the body is none."""
    user = _object(body)
    user_id, upn, enabled = _text(user.get("id")), _text(user.get("userPrincipalName")), user.get("accountEnabled")
    if not user_id or not upn or not isinstance(enabled, bool):
        return None
    licences = user.get("assignedLicenses")
    skus = [_text(_object(one).get("skuId")) for one in licences] if isinstance(licences, list) else []
    return DirectoryUser(
        id=user_id,
        upn=Upn(upn),
        display_name=_text(user.get("displayName")),
        employee_id=_text(user.get("employeeId")),
        enabled=enabled,
        created_at=_moment(user.get("createdDateTime")),
        sku_ids=frozenset(sku for sku in skus if sku),
        given_name=_text(user.get("givenName")),
        surname=_text(user.get("surname")),
        usage_location=_text(user.get("usageLocation")),
        set_by_others=frozenset(name for name in OTHERS_FIELDS if _holds_a_value(user.get(name))),
    )


def _holds_a_value(value: object) -> bool:
    """`onPremisesSyncEnabled` false is a user who is synchronised no more: nobody's hand."""
    return bool(value) and isinstance(value, str | list | bool)


def read_created(body: object, account: NewAccount) -> DirectoryUser | None:
    """The user of a 201, which shows few fields: what was accepted stands for the rest. None without an id."""
    user = _object(body)
    user_id = _text(user.get("id"))
    if not user_id:
        return None
    return DirectoryUser(
        id=user_id,
        upn=Upn(_text(user.get("userPrincipalName")) or account.upn),
        display_name=_text(user.get("displayName")),
        employee_id=account.employee_id,
        enabled=True,
        created_at=_moment(user.get("createdDateTime")),
        given_name=account.first_name[:NAME_LENGTH],
        surname=account.last_name[:NAME_LENGTH],
        usage_location=account.usage_location,
    )


def read_seats(document: object) -> SeatsPage | None:
    """A page of `/subscribedSkus`; None where the document is none."""
    page = _object(document)
    value = page.get("value")
    if not isinstance(value, list):
        return None
    seats = [_seats(_object(one)) for one in value]
    return SeatsPage(tuple(one for one in seats if one is not None), _text(page.get("@odata.nextLink")))


def _seats(sku: Mapping[str, object]) -> LicenceSeats | None:
    sku_id, part_number = _text(sku.get("skuId")), _text(sku.get("skuPartNumber"))
    enabled, consumed = _object(sku.get("prepaidUnits")).get("enabled"), sku.get("consumedUnits")
    if not sku_id or not isinstance(enabled, int) or not isinstance(consumed, int):
        return None
    return LicenceSeats(sku_id, part_number, enabled, consumed)


def read_problem(body: object) -> Problem:
    """Graph's error envelope; empty where the body is none.

    Source: https://learn.microsoft.com/graph/errors, checked 2026-10; `details` are seen, not documented.
    """
    error = _object(_object(body).get("error"))
    inner = _object(error.get("innerError") or error.get("innererror"))
    listed = error.get("details")
    details = [_object(one) for one in listed] if isinstance(listed, list) else []
    return Problem(
        code=safe_code(error.get("code")),
        details=tuple(ProblemDetail(safe_code(one.get("code")), safe_code(one.get("target"))) for one in details),
        message=_text(error.get("message")),
        request_id=safe_id(inner.get("request-id")),
    )


def safe_code(value: object) -> str:
    """A code as it may be shown; what does not look like one might be anything."""
    text = _text(value)
    return text if _CODE.fullmatch(text) else ""


def safe_id(value: object) -> str:
    text = _text(value)
    return text if _REQUEST_ID.fullmatch(text) else ""


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
