"""The app's own token (client credentials), through MSAL.

MSAL blocks, so it runs in a thread; its exceptions may quote bodies, so none of their texts goes on.
Source: contracts/graph.md, section 1; contracts/packages.md, MSAL.
"""

import asyncio
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
import msal
import requests
from msal.exceptions import MsalError
from requests.adapters import HTTPAdapter

from connectors.graph import wire
from connectors.graph.certificate import Certificate
from connectors.graph.models import Operation
from connectors.http import CONNECT_S, trust
from lucy.errors import Refused, RemoteError, RemoteIds, RetryLater, System, Unreadable

PUBLIC_GRAPH = "https://graph.microsoft.com/v1.0"
READ_S = 15.0
RENEW_BEFORE_S = 300.0
DOWN_WAIT_S = 10.0
_BUSY = ("temporarily_unavailable", "server_error")
_AADSTS = re.compile(r"AADSTS[0-9]+")


class TokenSource(Protocol):
    """Where the client takes its token."""

    async def token(self) -> str:
        """A token that is good for some minutes."""
        ...

    async def renew(self, rejected: str) -> str:
        """Another one, where Graph did not take `rejected`."""
        ...


class MsalTokens:
    """Tokens of one app in one tenant, kept until five minutes before they end.

    `graph_url` says for which Graph: that of the public cloud or of a national one. With a `certificate` no secret is
    used. `login_url` must be https, for MSAL takes no other. Raises Refused (T-002: secret, app or tenant), RetryLater
    (T-009: login unreachable), Unreadable.
    """

    def __init__(
        self,
        login_url: str,
        tenant_id: str,
        client_id: str,
        client_secret: str,
        ca_file: Path | None = None,
        *,
        graph_url: str = PUBLIC_GRAPH,
        certificate: Certificate | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._authority = f"{login_url.rstrip('/')}/{tenant_id}"
        self._client_id, self._ca_file = client_id, ca_file
        self._credential = certificate.as_msal_takes_it() if certificate is not None else client_secret
        self._scope = f"{httpx.URL(graph_url).copy_with(raw_path=b'/')}.default"
        self._clock = clock
        logging.getLogger("msal").setLevel(logging.CRITICAL)  # it logs the body of an answer that it cannot read
        self._lock = asyncio.Lock()
        self._app: Any = None
        self._session: requests.Session | None = None
        self._token, self._good_until = "", 0.0

    async def token(self) -> str:
        async with self._lock:
            if not self._token or self._clock() >= self._good_until:
                await self._fetch()
            return self._token

    async def renew(self, rejected: str) -> str:
        async with self._lock:
            if self._token == rejected:
                self._token = ""
                await self._fetch()
            return self._token

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    async def _fetch(self) -> None:
        started = self._clock()
        answer = await asyncio.to_thread(self._ask)
        token, lasts_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(lasts_s, int):
            raise _refusal(answer)
        self._token, self._good_until = token, started + max(lasts_s - RENEW_BEFORE_S, lasts_s / 2)

    def _ask(self) -> Mapping[str, object]:
        """In a thread. What MSAL has kept is forgotten first: whoever asks wants a new one."""
        try:
            if self._app is None:
                self._app = self._sign_in()
            self._app.remove_tokens_for_client()
            answer: object = self._app.acquire_token_for_client(scopes=[self._scope])
        except json.JSONDecodeError:
            raise _error(Unreadable, "T-015", "not JSON") from None
        except (requests.exceptions.RequestException, MsalError, RuntimeError) as error:
            raise _unreachable(error) from None
        except ValueError:
            raise _error(Refused, "T-002", "no such tenant, or not a login address") from None
        return answer if isinstance(answer, dict) else {}

    def _sign_in(self) -> Any:
        self._session = self._session or _session(self._ca_file)
        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=self._credential,
            authority=self._authority,
            instance_discovery=False,
            http_client=self._session,
        )


class _Adapter(HTTPAdapter):
    """The same trust as httpx, and a timeout for every request."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(request, *args, **(kwargs | {"timeout": (CONNECT_S, READ_S)}))


def _session(ca_file: Path | None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _Adapter(trust(ca_file)))
    return session


def _refusal(answer: Mapping[str, object]) -> RemoteError:
    """OAuth's own code decides; the AADSTS number is a hint for the administrator and may change.

    Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, checked 2026-10.
    """
    code = wire.safe_code(answer.get("error"))
    number = _AADSTS.search(str(answer.get("error_description") or ""))
    hint = number[0] if number else ""
    ids = RemoteIds(wire.safe_id(answer.get("trace_id")), wire.safe_id(answer.get("correlation_id")), hint or code)
    detail = " ".join(part for part in (code, hint) if part)
    if not code:
        return _error(Unreadable, "T-015", "no token and no error", ids)
    if code in _BUSY:
        return RetryLater(System.GRAPH, Operation.SIGN_IN.value, "T-009", detail, ids, after_s=DOWN_WAIT_S)
    return _error(Refused, "T-002", detail, ids)


def _unreachable(error: Exception) -> RemoteError:
    if isinstance(error, requests.exceptions.SSLError):
        return _error(Refused, "G-005", "certificate not trusted")
    return RetryLater(
        System.GRAPH, Operation.SIGN_IN.value, "T-009", type(error).__name__, RemoteIds(), after_s=DOWN_WAIT_S
    )


def _error(family: type[RemoteError], code: str, detail: str, ids: RemoteIds | None = None) -> RemoteError:
    return family(System.GRAPH, Operation.SIGN_IN.value, code, detail, ids or RemoteIds())
