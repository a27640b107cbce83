"""One directory user, and which of its properties an answer shows.

Source: contracts/graph.md section 4 (microsoft-graph-docs-contrib `resources/user.md`): some properties come back only
with `$select`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.graph.errors import GraphError
from sandbox.graph.passwords import StoredPassword

DEFAULT_PROPERTIES = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
# What a client may write, beside `passwordProfile`. The value is what a user has who was never given one.
WRITABLE: dict[str, Any] = {
    "accountEnabled": None,
    "businessPhones": [],
    "city": None,
    "companyName": None,
    "country": None,
    "department": None,
    "displayName": None,
    "employeeId": None,
    "employeeType": None,
    "givenName": None,
    "jobTitle": None,
    "mail": None,
    "mailNickname": None,
    "mobilePhone": None,
    "officeLocation": None,
    "onPremisesImmutableId": None,
    "otherMails": [],
    "passwordPolicies": None,
    "preferredLanguage": None,
    "state": None,
    "surname": None,
    "usageLocation": None,
    "userPrincipalName": None,
    "userType": "Member",
}
# What only the synchronisation from an own directory writes; null for cloud users. Refused from a client.
# https://learn.microsoft.com/graph/api/resources/user, "onPremisesSyncEnabled"
READ_ONLY: dict[str, Any] = {"onPremisesSyncEnabled": None}


@dataclass
class User:
    """`properties` holds what clients wrote or a seed set; times are seconds since the epoch.

    `visible_at`: when the replicas have it (section 10). `licences`: skuId → disabled plans, given to the user.
    `of_groups`: (group id, skuId) → why it could not be given, empty where it was. `deleted_at`: set while in
    the deleted items. `signed_in_at`: the last successful sign-in.
    """

    id: str
    properties: dict[str, Any]
    created_at: float
    visible_at: float
    sessions_valid_from: float
    password: StoredPassword | None = None
    must_change: bool = False
    password_set_at: float | None = None
    signed_in_at: float | None = None
    licences: dict[str, list[str]] = field(default_factory=dict)
    of_groups: dict[tuple[str, str], str] = field(default_factory=dict)
    deleted_at: float | None = None

    @property
    def upn(self) -> str:
        return str(self.properties["userPrincipalName"])


def every_property(user: User) -> dict[str, Any]:
    """All that can be selected. Of `passwordProfile` Graph tells whether it must be changed, never the password."""
    return {
        "id": user.id,
        **{name: user.properties.get(name, default) for name, default in (WRITABLE | READ_ONLY).items()},
        "passwordProfile": {"password": None, "forceChangePasswordNextSignIn": user.must_change},
        "lastPasswordChangeDateTime": _time_or_none(user.password_set_at),
        "signInActivity": _sign_in_activity(user),
        "assignedLicenses": [{"skuId": sku, "disabledPlans": plans} for sku, plans in held_licences(user).items()],
        "licenseAssignmentStates": [
            *(_assignment(sku, plans, group=None, error="") for sku, plans in user.licences.items()),
            *(_assignment(sku, [], group=group, error=error) for (group, sku), error in user.of_groups.items()),
        ],
        "createdDateTime": graph_time(user.created_at),
        "deletedDateTime": _time_or_none(user.deleted_at),
        "signInSessionsValidFromDateTime": graph_time(user.sessions_valid_from),
    }


def _sign_in_activity(user: User) -> dict[str, Any] | None:
    """Null for who has never tried. https://learn.microsoft.com/graph/api/resources/signinactivity"""
    if user.signed_in_at is None:
        return None
    names = ("lastSignInDateTime", "lastSuccessfulSignInDateTime")
    return dict.fromkeys(names, graph_time(user.signed_in_at)) | {"lastNonInteractiveSignInDateTime": None}


def held_licences(user: User) -> dict[str, list[str]]:
    """Those given to the user and those that a group gives: one seat for each SKU."""
    return {sku: [] for (_, sku), error in user.of_groups.items() if not error} | user.licences


def _assignment(sku: str, plans: list[str], *, group: str | None, error: str) -> dict[str, Any]:
    state = "Error" if error else "Active"
    return {
        "skuId": sku,
        "disabledPlans": plans,
        "assignedByGroup": group,
        "state": state,
        "error": error or "None",
        "lastUpdatedDateTime": None,
    }


def _time_or_none(seconds: float | None) -> str | None:
    return None if seconds is None else graph_time(seconds)


def graph_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def view(user: User, names: Iterable[str] = DEFAULT_PROPERTIES) -> dict[str, Any]:
    """The user with these properties. Raises GraphError for a name that no user has."""
    known = every_property(user)
    shown = {}
    for name in names:
        if name not in known:
            raise GraphError(
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                "'microsoft.graph.user'.",
                code="BadRequest",
            )
        shown[name] = known[name]
    return shown


def snapshot(user: User) -> dict[str, Any]:
    """For `/_control/state`: everything, and the password as a salted hash."""
    return {
        **{name: value for name, value in every_property(user).items() if name != "passwordProfile"},
        "passwordHash": None if user.password is None else str(user.password),
        "mustChangePassword": user.must_change,
    }
