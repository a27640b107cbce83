"""Graph's errors, as they look on the wire.

Source: contracts/graph.md section 2 (envelope: microsoftgraph/microsoft-graph-docs-contrib `concepts/errors.md`),
section 3 (texts) and section 9 (429 headers).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

BAD_REQUEST = "Request_BadRequest"
NOT_FOUND = "Request_ResourceNotFound"

# For faults: the code that goes with a status. 500 and above are not named in the contract.
CODES = {
    400: BAD_REQUEST,
    401: "InvalidAuthenticationToken",
    403: "Authorization_RequestDenied",
    404: NOT_FOUND,
    409: "Conflict",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}
MESSAGES = {403: "Insufficient privileges to complete the operation.", 429: "Too Many Requests"}


class GraphError(Exception):
    """An answer that is not a success. `details` are `(code, target)` pairs."""

    def __init__(
        self,
        message: str,
        *,
        code: str = BAD_REQUEST,
        status: int = 400,
        details: tuple[tuple[str, str], ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.details = details
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class RequestIds:
    """What support asks for: the server's id of the request, and the client's own."""

    request_id: str
    client_request_id: str


def envelope(error: GraphError, *, ids: RequestIds, now: float) -> dict[str, Any]:
    """The JSON of an error; `details` only where there are any."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        body["details"] = [{"code": code, "target": target, "message": error.message} for code, target in error.details]
    body["innerError"] = {
        "date": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": ids.request_id,
        "client-request-id": ids.client_request_id,
    }
    return {"error": body}


def of_status(status: int, *, headers: Mapping[str, str] | None = None) -> GraphError:
    """The error that goes with a status, for faults."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown error"
    return GraphError(
        MESSAGES.get(status, phrase), code=CODES.get(status, "UnknownError"), status=status, headers=headers
    )


def not_found(target: str) -> GraphError:
    """Wrong id, deleted, or not replicated yet: all look the same (section 10)."""
    message = f"Resource '{target}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(message, code=NOT_FOUND, status=404)


def duplicate(target: str) -> GraphError:
    """microsoftgraph/microsoft-graph-docs#1508."""
    message = f"Another object with the same value for property {target} already exists."
    return GraphError(message, details=(("ObjectConflict", target),))


def invalid_value(target: str) -> GraphError:
    """A value Graph will not take. The text is from field reports, not from the contract."""
    message = f"Invalid value specified for property '{target}' of resource 'User'."
    return GraphError(message, details=(("InvalidValue", target),))


def missing_value(target: str) -> GraphError:
    """A required property is not there. The text is from field reports, not from the contract."""
    message = f"A value is required for property '{target}' of resource 'User'."
    return GraphError(message, details=(("MissingValue", target),))


def unsupported_query(message: str) -> GraphError:
    """Section 4: what needs `ConsistencyLevel: eventual` on the real service, and what this simulator lacks."""
    return GraphError(message, code="Request_UnsupportedQuery")


def unauthorized(message: str) -> GraphError:
    return GraphError(message, code=CODES[401], status=401, headers={"WWW-Authenticate": "Bearer"})


def quota_exceeded() -> GraphError:
    """The directory holds no more objects. Code and text are from field reports (section 14: not confirmed)."""
    return GraphError(
        "The directory object quota limit for the Tenant has been exceeded. Please ask your administrator to increase "
        "the quota limit or delete objects to reduce the used quota.",
        code="Directory_QuotaExceeded",
        status=403,
    )


def throttled(retry_after_s: float, *, scope: str) -> GraphError:
    """Section 9: whole seconds in `Retry-After`, whose budget in `x-ms-throttle-scope`."""
    headers = {
        "Retry-After": f"{retry_after_s:g}",
        "x-ms-throttle-scope": scope,
        "x-ms-throttle-information": "WriteLimitExceeded",
    }
    return of_status(429, headers=headers)
