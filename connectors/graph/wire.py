"""What Graph answers; pure. Every shape here is in contracts/graph.md, with its source."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from connectors.graph.models import Problem, ProblemDetail, SubResponse
from connectors.http import parse_retry_after
from lucy.domain.account_print import NAME_LENGTH
from lucy.domain.students import Upn
from lucy.ports import DirectoryUser, NewAccount, SignsOfUse

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
DELTA_FIELDS = ",".join((*OWN_FIELDS, *OTHERS_FIELDS))
USER_FIELDS = f"{DELTA_FIELDS},licenseAssignmentStates"  # by the delta query the errors of groups are not reported
USE_FIELDS = "id,lastPasswordChangeDateTime,passwordProfile"

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_POSITION = re.compile(r"[0-9]{1,3}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def headers(token: str, client_request_id: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "client-request-id": client_request_id,
        "return-client-request-id": "true",
    }


def read_batch(document: object, *, client_request_id: str, now: datetime) -> dict[int, SubResponse] | None:
    """The answers by position, in whatever order they came; None where the document is no answer to a `$batch`."""
    entries = json_object(document).get("responses")
    if not isinstance(entries, list):
        return None
    answers: dict[int, SubResponse] = {}
    for entry in map(json_object, entries):
        position, status = text(entry.get("id")), entry.get("status")
        if _POSITION.fullmatch(position) and isinstance(status, int):
            answers[int(position)] = _sub_response(entry, status, client_request_id=client_request_id, now=now)
    return answers


def _sub_response(entry: Mapping[str, object], status: int, *, client_request_id: str, now: datetime) -> SubResponse:
    named = {name.lower(): text(value) for name, value in json_object(entry.get("headers")).items()}
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
    user = json_object(body)
    user_id, upn, enabled = text(user.get("id")), text(user.get("userPrincipalName")), user.get("accountEnabled")
    if not user_id or not upn or not isinstance(enabled, bool):
        return None
    return DirectoryUser(
        id=user_id,
        upn=Upn(upn),
        display_name=text(user.get("displayName")),
        employee_id=text(user.get("employeeId")),
        enabled=enabled,
        created_at=moment(user.get("createdDateTime")),
        sku_ids=sku_ids(user),
        given_name=text(user.get("givenName")),
        surname=text(user.get("surname")),
        usage_location=text(user.get("usageLocation")),
        set_by_others=frozenset(name for name in OTHERS_FIELDS if _holds_a_value(user.get(name))),
        licence_errors=_licence_errors(user.get("licenseAssignmentStates")),
    )


def read_signs(body: object) -> SignsOfUse | None:
    """What `signs_of_use` asked; None where the body is no user.

    `lastSignInDateTime` counts failed attempts too; it stands in only where the other is not told at all.
    """
    user = json_object(body)
    if not text(user.get("id")):
        return None
    activity = json_object(user.get("signInActivity"))
    name = "lastSuccessfulSignInDateTime" if "lastSuccessfulSignInDateTime" in activity else "lastSignInDateTime"
    must_change = json_object(user.get("passwordProfile")).get("forceChangePasswordNextSignIn")
    return SignsOfUse(
        signed_in_at=moment(activity.get(name)),
        password_changed_at=moment(user.get("lastPasswordChangeDateTime")),
        must_change=must_change if isinstance(must_change, bool) else None,
    )


def sku_ids(holder: Mapping[str, object]) -> frozenset[str]:
    """SKU ids of the `assignedLicenses` of a user or a group."""
    skus = (text(json_object(one).get("skuId")) for one in json_list(holder.get("assignedLicenses")))
    return frozenset(sku for sku in skus if sku)


def _licence_errors(states: object) -> dict[str, str]:
    """By SKU, for those that no other assignment gives: a group that fails beside a direct licence does no harm.

    Source: contracts/graph.md, section 7: group-based licensing fails in the background.
    """
    known = [json_object(state) for state in json_list(states)]
    given = {text(state.get("skuId")) for state in known if text(state.get("state")) == "Active"}
    failed = {text(state.get("skuId")): safe_code(state.get("error")) for state in known if _failed(state)}
    return {sku: error or "Other" for sku, error in failed.items() if sku and sku not in given}


def _failed(state: Mapping[str, object]) -> bool:
    return text(state.get("state")) in ("Error", "ActiveWithError") or text(state.get("error")) not in ("", "None")


def _holds_a_value(value: object) -> bool:
    """`onPremisesSyncEnabled` false is a user who is synchronised no more: nobody's hand."""
    return bool(value) and isinstance(value, str | list | bool)


def read_created(body: object, account: NewAccount) -> DirectoryUser | None:
    """The user of a 201, which shows few fields: what was accepted stands for the rest. None without an id."""
    user = json_object(body)
    user_id = text(user.get("id"))
    if not user_id:
        return None
    return DirectoryUser(
        id=user_id,
        upn=Upn(text(user.get("userPrincipalName")) or account.upn),
        display_name=text(user.get("displayName")),
        employee_id=account.employee_id,
        enabled=True,
        created_at=moment(user.get("createdDateTime")),
        given_name=account.first_name[:NAME_LENGTH],
        surname=account.last_name[:NAME_LENGTH],
        usage_location=account.usage_location,
    )


def read_problem(body: object) -> Problem:
    """Graph's error envelope; empty where the body is none.

    Source: https://learn.microsoft.com/graph/errors, checked 2026-10; `details` are seen, not documented.
    """
    error = json_object(json_object(body).get("error"))
    inner = json_object(error.get("innerError") or error.get("innererror"))
    details = [json_object(one) for one in json_list(error.get("details"))]
    return Problem(
        code=safe_code(error.get("code")),
        details=tuple(ProblemDetail(safe_code(one.get("code")), safe_code(one.get("target"))) for one in details),
        message=text(error.get("message")),
        request_id=safe_id(inner.get("request-id")),
    )


def read_member_groups(body: object) -> frozenset[str]:
    """Ids of groups that `checkMemberGroups` names, in lower case."""
    return frozenset(text(one).casefold() for one in json_list(json_object(body).get("value")))


def read_roles(token: str) -> frozenset[str]:
    """The `roles` claim of an access token, which is read and not verified: Graph is who verifies it.

    Empty for a token that is no JWT: Microsoft does not promise that it is one.
    """
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims: object = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(role for role in map(safe_code, json_list(json_object(claims).get("roles"))) if role)


def safe_code(value: object) -> str:
    """A code as it may be shown; what does not look like one might be anything."""
    code = text(value)
    return code if _CODE.fullmatch(code) else ""


def safe_id(value: object) -> str:
    request_id = text(value)
    return request_id if _REQUEST_ID.fullmatch(request_id) else ""


def moment(value: object) -> datetime | None:
    """Aware UTC; None for what is no time, or one that no calendar of ours has."""
    try:
        read = datetime.fromisoformat(text(value))
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def json_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def json_object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    return value if isinstance(value, str) else ""
