"""The SDK's exceptions into the error family.

Statuses come as ErrorResponseException; everything that has no status as ClientRequestError, whose inner exception
tells a refused connection (nothing was sent) from a dropped one (contracts/teams-bot.md, "What the SDK retries").
"""

from datetime import UTC, datetime
from typing import Any

import requests
from azure.core.exceptions import DeserializationError
from botframework.connector.models import ErrorResponseException
from msrest.exceptions import ClientRequestError
from urllib3.exceptions import MaxRetryError, NewConnectionError

from connectors.teams import wire
from lucy.errors import Invalid, Refused, RemoteError, System

SDK_ERRORS: tuple[type[Exception], ...] = (
    ErrorResponseException,
    ClientRequestError,
    DeserializationError,
    requests.RequestException,
)

_BAD_URLS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


def translate(error: Exception, operation: str, *, repeatable: bool) -> RemoteError:
    """One of `SDK_ERRORS` as the caller understands it. Never holds a body."""
    if isinstance(error, ErrorResponseException):
        return _status(error, operation, repeatable=repeatable)
    if isinstance(error, DeserializationError):
        return wire.undecided(operation, "the answer is not what was documented", repeatable=repeatable)
    inner = error.inner_exception if isinstance(error, ClientRequestError) else error
    return _transport(inner, operation, repeatable=repeatable)


def token_error(error: Exception, operation: str) -> RemoteError:
    """Why there is no token: the tenant is out of reach (wait), or refuses the credentials."""
    if isinstance(error, requests.RequestException):
        return wire.not_sent(operation, "no token: the login service cannot be reached")
    return Refused(System.TEAMS, operation, wire.CREDENTIALS, "no token: the credentials of the bot were refused")


def _status(error: Any, operation: str, *, repeatable: bool) -> RemoteError:
    headers = getattr(error.response, "headers", None) or {}
    return wire.status_error(
        operation,
        int(error.response.status_code),
        repeatable=repeatable,
        remote_code=_remote_code(error),
        wait_s=wire.retry_after_s(headers.get("Retry-After"), now=datetime.now(UTC)),
    )


def _remote_code(error: Any) -> str:
    """`ConversationNotFound` and the like; only a plain word, because a proxy may have written the answer."""
    code = getattr(getattr(error.error, "error", None), "code", None)
    return code if isinstance(code, str) and code.isalnum() and len(code) <= 60 else ""


def _transport(inner: object, operation: str, *, repeatable: bool) -> RemoteError:
    if isinstance(inner, _BAD_URLS):
        return Invalid(System.TEAMS, operation, wire.CODE, "the service URL cannot be used")
    if isinstance(inner, requests.exceptions.SSLError):
        return Refused(System.TEAMS, operation, wire.CODE, "the service's certificate was not accepted")
    if isinstance(inner, (requests.ConnectTimeout, requests.exceptions.ProxyError)) or _never_connected(inner):
        return wire.not_sent(operation, "no connection")
    return wire.undecided(operation, f"no answer ({type(inner).__name__})", repeatable=repeatable)


def _never_connected(inner: object) -> bool:
    cause = inner.args[0] if isinstance(inner, requests.ConnectionError) and inner.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
