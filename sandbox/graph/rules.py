"""What Graph accepts in a new or changed user: pure rules, each returning the error or None.

Source: contracts/graph.md section 3 (microsoft-graph-docs-contrib `user-post-users.md`, `resources/user.md`;
MicrosoftDocs/entra-docs `concept-sspr-policy.md`) and section 5.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from sandbox.graph.errors import GraphError, duplicate, invalid_value, missing_value
from sandbox.graph.passwords import complies
from sandbox.graph.user import WRITABLE

REQUIRED = ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")
NOT_CLEARABLE = (*REQUIRED, "usageLocation")
MAX_LENGTHS = {
    "displayName": 256,
    "mailNickname": 64,
    "givenName": 64,
    "surname": 64,
    "department": 64,
    "companyName": 64,
    "jobTitle": 128,
    "employeeId": 16,
}
UPN_MAX, UPN_LOCAL_MAX, UPN_DOMAIN_MAX = 113, 64, 48
_UPN_LOCAL = re.compile(r"[A-Za-z0-9'.\-_!#^~]+")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_LISTS = ("businessPhones", "otherMails")

IsTaken = Callable[[str], bool]


def validate_new_user(body: Any, *, domains: Collection[str], is_taken: IsTaken) -> GraphError | None:
    """`domains`: the tenant's verified ones. `is_taken`: whether a live user has this UPN."""
    if not isinstance(body, dict):
        return GraphError("Unable to read JSON request payload.", code="BadRequest")
    for name in REQUIRED:
        if body.get(name) in (None, "", {}):
            return missing_value(name)
    if not isinstance(body["passwordProfile"], dict) or not body["passwordProfile"].get("password"):
        return missing_value("passwordProfile")
    return _validate_values(body, domains=domains, is_taken=is_taken)


def validate_changes(body: Any, *, domains: Collection[str], is_taken: IsTaken) -> GraphError | None:
    """For PATCH: only what changes is sent."""
    if not isinstance(body, dict) or not body:
        return GraphError("Unable to read JSON request payload.", code="BadRequest")
    for name in NOT_CLEARABLE:
        if name in body and body[name] in (None, ""):
            return invalid_value(name)
    return _validate_values(body, domains=domains, is_taken=is_taken)


def _validate_values(body: dict[str, Any], *, domains: Collection[str], is_taken: IsTaken) -> GraphError | None:
    for name, value in body.items():
        if error := validate_value(name, value):
            return error
    upn, profile = body.get("userPrincipalName"), body.get("passwordProfile")
    if upn and (error := validate_upn(upn, domains=domains)):
        return error
    if profile and (error := validate_password_profile(profile)):
        return error
    return duplicate("userPrincipalName") if upn and is_taken(upn) else None


def validate_value(name: str, value: Any) -> GraphError | None:
    """Known property, right JSON type, right length; UPN and password have rules of their own."""
    if name == "passwordProfile":
        return None if isinstance(value, dict) else invalid_value(name)
    if name not in WRITABLE:
        return GraphError(f"Property '{name}' does not exist on type 'microsoft.graph.user' or cannot be written.")
    if name == "accountEnabled":
        return None if isinstance(value, bool) else invalid_value(name)
    if name in _LISTS:
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return None if good else invalid_value(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_LENGTHS.get(name, len(value)):
        return invalid_value(name)
    if name == "usageLocation" and not _COUNTRY.fullmatch(value):
        return invalid_value(name)
    return None


def validate_upn(upn: str, *, domains: Collection[str]) -> GraphError | None:
    """The domain first: a name without one gets the domain's text too."""
    local, at, domain = upn.rpartition("@")
    if not at or domain.lower() not in domains:
        return GraphError(
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain "
            "names in your organization.",
            details=(("InvalidValue", "userPrincipalName"),),
        )
    too_long = len(upn) > UPN_MAX or len(local) > UPN_LOCAL_MAX or len(domain) > UPN_DOMAIN_MAX
    if too_long or not _UPN_LOCAL.fullmatch(local) or local.endswith("."):
        return GraphError("Property userPrincipalName is invalid.", details=(("InvalidValue", "userPrincipalName"),))
    return None


def validate_password_profile(profile: dict[str, Any]) -> GraphError | None:
    """`password` may be left out of a change; the flag is a boolean. msgraph-sdk-java-auth#36 has the text."""
    if not isinstance(profile.get("forceChangePasswordNextSignIn", False), bool):
        return invalid_value("passwordProfile")
    password = profile.get("password")
    if password is None:
        return None
    if not isinstance(password, str) or not complies(password):
        return GraphError(
            "The specified password does not comply with password complexity requirements. Please provide a different "
            "password."
        )
    return None
