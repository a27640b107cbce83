"""What Graph says when it does not do as asked, by what the caller can do about it; pure.

Codes come first (`error.details`, then the status). Directory failures nearly all share the code `Request_BadRequest`,
so one table of message patterns tells the rest apart. Sources: contracts/graph.md, sections 2, 3, 7 and 9.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.graph import wire
from connectors.graph.models import Operation, Problem, SubResponse
from lucy.errors import (
    AlreadyThere,
    Conflict,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RemoteIds,
    RetryLater,
    System,
    Unreadable,
)

THROTTLED_WAIT_S = 10.0
DOWN_WAIT_S = 5.0
OWN_NAME = ("", "userPrincipalName")


@dataclass(frozen=True, slots=True)
class Verdict:
    family: type[RemoteError]
    code: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` is looked for in Graph's message."""

    operation: Operation
    pattern: re.Pattern[str]
    verdict: Verdict


NAME_IN_USE = Verdict(AlreadyThere, "T-004")
CLASH = Verdict(Conflict, "T-004")
PASSWORD_REFUSED = Verdict(Refused, "T-006")
NO_SEATS = Verdict(Refused, "T-005")
LICENCE_REFUSED = Verdict(Refused, "T-008")
NO_SUCH_LICENCE = Verdict(Refused, "T-014")
BUSY = Verdict(RetryLater, "T-009")
GONE = Verdict(NotFound, "T-007")
CHANGE_REFUSED = Verdict(Refused, "T-017")
NO_SUCH_GROUP = Verdict(NotFound, "T-020")
GROUP_REFUSED = Verdict(Refused, "T-021")
DIRECTORY_FULL = Verdict(Refused, "T-022")
LINK_RAN_OUT = Verdict(NotFound, "T-023")
NOT_IN_THAT_COUNTRY = Verdict(Refused, "T-024")
LICENCES_CLASH = Verdict(Refused, "T-025")
NEEDS_ANOTHER_LICENCE = Verdict(Refused, "T-026")
NO_USAGE_LOCATION = Verdict(Refused, "T-027")
ADDRESS_IN_USE = Verdict(Refused, "T-028")

_CONFLICT = re.compile(r"another object with the same value for property (\w+)", re.I)
_NOTHING_TO_CHANGE = re.compile(r"no license changes provided|does not have a corresponding license", re.I)
_MEMBER_ALREADY = re.compile(r"object references already exist", re.I)
_RAN_OUT = ("syncstatenotfound", "syncstateinvalid", "resyncrequired")
_SETS_A_PASSWORD = (Operation.CREATE, Operation.PASSWORD)
_CHANGES = (
    Operation.UNLICENCE,
    Operation.ENABLE,
    Operation.REVOKE,
    Operation.PASSWORD,
    Operation.DELETE,
    Operation.UPDATE,
    Operation.RESTORE,
    Operation.LEAVE,
)
VIOLATIONS = {
    "CountViolation": NO_SEATS,
    "MutuallyExclusiveViolation": LICENCES_CLASH,
    "DependencyViolation": NEEDS_ANOTHER_LICENCE,
    "ProhibitedInUsageLocationViolation": NOT_IN_THAT_COUNTRY,
    "UniquenessViolation": ADDRESS_IN_USE,
}
"""Why a licence is not given, in a direct refusal and in `licenseAssignmentStates[].error` (section 7)."""


def _rule(operation: Operation, pattern: str, verdict: Verdict) -> Rule:
    return Rule(operation, re.compile(pattern, re.I), verdict)


RULES = (
    _rule(Operation.CREATE, r"password does not comply|password complexity", PASSWORD_REFUSED),
    _rule(Operation.CREATE, r"domain portion of the userPrincipalName|verified domain", Verdict(Refused, "T-016")),
    _rule(Operation.LICENCE, r"available licenses", NO_SEATS),
    *(_rule(Operation.LICENCE, name, verdict) for name, verdict in VIOLATIONS.items()),
    _rule(Operation.LICENCE, r"usage location", NO_USAGE_LOCATION),
    _rule(Operation.LICENCE, r"not correspond to a valid company license", NO_SUCH_LICENCE),
    _rule(Operation.LICENCE, r"concurrency", BUSY),
    _rule(Operation.UNLICENCE, r"concurrency", BUSY),
    _rule(Operation.PASSWORD, r"password does not comply|password complexity", PASSWORD_REFUSED),
)
_DETAILS = {
    **{(Operation.LICENCE, name): verdict for name, verdict in VIOLATIONS.items()},
    (Operation.LICENCE, "LicenseAssignmentAttributeConcurrencyException"): BUSY,
    (Operation.UNLICENCE, "LicenseAssignmentAttributeConcurrencyException"): BUSY,
}
_CODES = {"Directory_QuotaExceeded": DIRECTORY_FULL}  # seen, not in the contract: section 14
_OTHERWISE = {
    Operation.CREATE: Verdict(Invalid, "T-003"),
    Operation.FIND: Verdict(Invalid, "T-003"),
    Operation.READ: Verdict(Invalid, "T-003"),
    Operation.SIGNS: Verdict(Invalid, "T-003"),
    Operation.LICENCE: LICENCE_REFUSED,
    **dict.fromkeys(_CHANGES, CHANGE_REFUSED),
    Operation.UPDATE: Verdict(Invalid, "T-003"),
    Operation.JOIN: GROUP_REFUSED,
}
_STATUSES = {
    (Operation.CREATE, 404): Verdict(Unreadable, "T-015"),
    (Operation.CREATE, 409): NAME_IN_USE,
    (Operation.LICENCE, 404): Verdict(NotFound, "T-013"),
    (Operation.LICENCE, 409): BUSY,
    **{(operation, 404): GONE for operation in _CHANGES},
    **{(operation, 409): BUSY for operation in _CHANGES},
    (Operation.RESTORE, 409): CLASH,
    (Operation.JOIN, 404): Verdict(NotFound, "T-013"),
    (Operation.JOIN, 409): BUSY,
    (Operation.GROUP, 404): NO_SUCH_GROUP,
    (Operation.MEMBERS, 404): NO_SUCH_GROUP,
    (Operation.CHANGES, 410): LINK_RAN_OUT,
}


def error_of(response: SubResponse, operation: Operation) -> RemoteError:
    """The error of one refused request."""
    problem = wire.read_problem(response.body)
    verdict = _specific(problem, operation) if response.status in (400, 403, 409, 500) else None
    return _error(verdict, response, problem, operation)


def error_of_whole(response: SubResponse, operation: Operation) -> RemoteError:
    """The error of a call that is not a sub-request: a `$batch` of which nothing ran, or a plain GET."""
    problem = wire.read_problem(response.body)
    status = response.status
    if operation is Operation.CHANGES and problem.remote_code.casefold() in _RAN_OUT:
        verdict: Verdict | None = LINK_RAN_OUT
    elif status in (401, 403, 408, 429) or status >= 500 or (operation, status) in _STATUSES:
        verdict = None
    else:
        verdict = Verdict(Unreadable, "T-015")
    return _error(verdict, response, problem, operation)


def violation(name: str) -> str:
    """The code of what a group's licence failed with, as `licenseAssignmentStates` names it."""
    return VIOLATIONS.get(name, LICENCE_REFUSED).code


def already_a_member(response: SubResponse) -> bool:
    """Said of a user who is in the group; Graph's only way to say it is a text (Azure/azure-cli#16905)."""
    return response.status == 400 and bool(_MEMBER_ALREADY.search(wire.read_problem(response.body).message))


def names_the_group(response: SubResponse, group_id: str) -> bool:
    """Whether a 404 is about the group: the same one is said of a user who is not replicated yet."""
    return group_id.casefold() in wire.read_problem(response.body).message.casefold()


def nothing_to_change(response: SubResponse) -> bool:
    """Graph refuses to assign what is assigned (msgraph-sdk-powershell#3286), or to remove what is not: that is done.

    The text for what is not assigned ("User does not have a corresponding license.") is in no Microsoft page; many
    public clients match it.
    """
    return response.status == 400 and bool(_NOTHING_TO_CHANGE.search(wire.read_problem(response.body).message))


def silence_s(responses: Iterable[SubResponse]) -> float:
    """How long Graph wants quiet: the longest it named; 0 when it did not ask."""
    return max((wait_s(one) for one in responses if throttled(one)), default=0.0)


def throttled(response: SubResponse) -> bool:
    return response.status == 429 or (response.status == 503 and response.retry_after_s is not None)


def wait_s(response: SubResponse) -> float:
    if response.retry_after_s is not None:
        return response.retry_after_s
    return THROTTLED_WAIT_S if response.status == 429 else DOWN_WAIT_S


def _specific(problem: Problem, operation: Operation) -> Verdict | None:
    """What the code and the details say, then what the message says."""
    if problem.code in _CODES:
        return _CODES[problem.code]
    for detail in problem.details:
        if operation is Operation.CREATE and detail.code == "ObjectConflict":
            return NAME_IN_USE if detail.target in OWN_NAME else CLASH
        if operation in _SETS_A_PASSWORD and "password" in detail.target.lower():
            return PASSWORD_REFUSED
        if (operation, detail.code) in _DETAILS:
            return _DETAILS[operation, detail.code]
    conflict = _CONFLICT.search(problem.message) if operation in (Operation.CREATE, Operation.RESTORE) else None
    if conflict and operation is Operation.RESTORE:
        return CLASH
    if conflict:
        return NAME_IN_USE if conflict[1] in OWN_NAME else CLASH
    return next((r.verdict for r in RULES if r.operation is operation and r.pattern.search(problem.message)), None)


def _by_status(response: SubResponse, operation: Operation) -> Verdict:
    status = response.status
    if status == 401:
        return Verdict(Refused, "T-002")
    if status == 403:
        return Verdict(Refused, "T-011")
    if status in (424, 429):
        return Verdict(RetryLater, "T-010")
    if status == 503:
        return BUSY
    if status == 408 or status >= 500:
        return BUSY if operation.harmless else Verdict(OutcomeUnknown, "T-009")
    return _STATUSES.get((operation, status)) or _OTHERWISE.get(operation, Verdict(Unreadable, "T-015"))


def _error(verdict: Verdict | None, response: SubResponse, problem: Problem, operation: Operation) -> RemoteError:
    verdict = verdict or _by_status(response, operation)
    about = [f"{one.code} {one.target}".strip() for one in problem.details]
    detail = ", ".join(part for part in (f"HTTP {response.status}", problem.code, *about) if part)
    ids = RemoteIds(response.request_id or problem.request_id, response.client_request_id, problem.remote_code)
    if verdict.family is RetryLater:
        return RetryLater(
            System.GRAPH,
            operation.value,
            verdict.code,
            detail,
            ids,
            after_s=wait_s(response),
            throttled=throttled(response),
        )
    return verdict.family(System.GRAPH, operation.value, verdict.code, detail, ids)
