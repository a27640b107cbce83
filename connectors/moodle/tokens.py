"""Where the connector takes its token: given once and for all, or from Moodle for a name and a password.

Moodle's REST server understands no `Authorization: Bearer` (contracts/moodle.md), so there is no OAuth token to send.
Source of `/login/token.php`: Moodle's own code (read, not measured): HTTP 200 with `token` or with `errorcode`.
"""

import asyncio
from typing import Protocol
from urllib.parse import urlencode

import httpx

from connectors.http import CONNECT_S, Call, exchange, read_json
from connectors.moodle import faults
from lucy.errors import Refused, RemoteIds, System
from lucy.ports import Limiter

LOGIN = "/login/token.php"
OPERATION = "sign_in"
TIMEOUT_S = 20.0


class TokenSource(Protocol):
    async def token(self) -> str:
        """The token to send. Raises RemoteError where none is to be had."""
        ...

    async def renew(self, rejected: str) -> str:
        """Another one, where Moodle did not take `rejected`; the same where there is no other."""
        ...


class FixedToken:
    """A token that an administrator made for the web service."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token

    async def renew(self, rejected: str) -> str:
        return self._token


class SignedInToken:
    """The token that Moodle makes for a user of a service, asked for when first needed and when one has ended.

    Raises Refused (M-002: name, password or service), RetryLater, Unreadable.
    """

    def __init__(
        self, *, base_url: str, user: str, password: str, service: str, http: httpx.AsyncClient, limiter: Limiter
    ) -> None:
        self._address = base_url.rstrip("/") + LOGIN
        self._form = {"username": user, "password": password, "service": service}
        self._http, self._limiter = http, limiter
        self._lock = asyncio.Lock()
        self._token = ""

    async def token(self) -> str:
        async with self._lock:
            if not self._token:
                self._token = await self._ask()
            return self._token

    async def renew(self, rejected: str) -> str:
        async with self._lock:
            if self._token in ("", rejected):
                self._token = ""
                self._token = await self._ask()
            return self._token

    async def _ask(self) -> str:
        call = Call(System.MOODLE, OPERATION, no_answer="M-010", unreadable="M-015", harmless=True, timeout_s=TIMEOUT_S)
        await self._limiter.acquire(System.MOODLE)
        request = self._http.build_request(
            "POST",
            self._address,
            content=urlencode(self._form).encode("ascii"),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_S),
        )
        answer = await exchange(self._http, request, call)
        if answer.status != httpx.codes.OK:
            raise faults.status_error(OPERATION, answer.status, retry_after_s=answer.retry_after_s(), changes=False)
        document = read_json(answer, call)
        token = document.get("token") if isinstance(document, dict) else None
        if isinstance(token, str) and token:
            return token
        code = faults.safe_code(document.get("errorcode")) if isinstance(document, dict) else ""
        if not code:
            raise call.garbled("no token and no error")
        raise Refused(System.MOODLE, OPERATION, "M-002", code, RemoteIds(remote_code=code))
