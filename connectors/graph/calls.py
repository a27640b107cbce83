"""Sends to Graph: `$batch` requests of up to 20, a few at a time, and plain GETs."""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice

import httpx
import structlog

from connectors.graph import asking, faults, wire
from connectors.graph.models import Operation, SubRequest, SubResponse
from connectors.graph.token import TokenSource
from connectors.http import Answer, Call, exchange, read_json
from lucy.errors import OutcomeUnknown, RemoteError, RemoteIds, RetryLater, System, Unreadable
from lucy.ports import Limiter

NO_ANSWER, UNREADABLE = "T-009", "T-015"

log = structlog.get_logger(__name__)

Outcomes = dict[str, SubResponse | RemoteError]


class GraphCalls:
    """One tenant's Graph. The limiter is asked for every request within a `$batch`: Graph counts them one by one."""

    def __init__(
        self,
        *,
        base_url: str,
        tokens: TokenSource,
        http: httpx.AsyncClient,
        limiter: Limiter,
        concurrency: int,
        timeout_s: float,
    ) -> None:
        if http.follow_redirects:
            raise ValueError("a client that follows redirects would send the token on")
        self.base_url = base_url.rstrip("/")
        self._tokens, self._http, self._limiter = tokens, http, limiter
        self._gate = asyncio.Semaphore(concurrency)
        self._timeout_s = timeout_s

    async def run(self, operation: Operation, requests: Mapping[str, SubRequest]) -> Outcomes:
        """Every request's answer, or the error of the `$batch` it was in. Raises nothing of Graph's.

        After a refusal or a request to wait, what has not been sent yet is not sent: it gets that same error.
        """
        outcomes: Outcomes = {}
        refusals: list[RemoteError] = []

        async def one(part: Mapping[str, SubRequest]) -> None:
            async with self._gate:
                try:
                    if refusals:
                        raise refusals[0]
                    outcomes.update(await self._batch(operation, part))
                except RemoteError as error:
                    outcomes.update(dict.fromkeys(part, error))
                    if not isinstance(error, OutcomeUnknown):
                        refusals.append(error)

        async with asyncio.TaskGroup() as group:
            for part in _parts(requests):
                group.create_task(one(part))
        return {key: outcomes[key] for key in requests}

    async def token(self) -> str:
        return await self._tokens.token()

    async def get(self, operation: Operation, url: str) -> object:
        """The JSON of one GET; `url` is a path, or a page's own link, which must lead back to Graph."""
        token = await self._tokens.token()
        answer, call = await self._get(operation, url, token)
        if answer.status == 401:
            answer, call = await self._get(operation, url, await self._tokens.renew(token))
        if answer.status != 200:
            raise await self._refusal(answer, operation, call)
        return read_json(answer, call)

    async def _batch(self, operation: Operation, requests: Mapping[str, SubRequest]) -> Outcomes:
        """One `$batch`; what was refused for the token's sake goes again, once, with a new one."""
        token = await self._tokens.token()
        outcomes = await self._post(operation, requests, token)
        stale = [key for key, one in outcomes.items() if isinstance(one, SubResponse) and one.status == 401]
        if stale:
            token = await self._tokens.renew(token)
            outcomes |= await self._post(operation, {key: requests[key] for key in stale}, token)
        return outcomes

    async def _post(self, operation: Operation, requests: Mapping[str, SubRequest], token: str) -> Outcomes:
        await self._limiter.acquire(System.GRAPH, len(requests))
        call = self._call(operation)
        request = self._http.build_request(
            "POST",
            f"{self.base_url}/$batch",
            headers=wire.headers(token, call.ids.client_request_id) | {"Content-Type": "application/json"},
            content=json.dumps(asking.batch(list(requests.values()))).encode(),
        )
        try:
            answer = await self._exchange(request, call, requests=len(requests))
            responses = _responses(answer, call) if answer.status == 200 else {}
        except Unreadable as error:
            raise _doubtful(error, call) from None
        if answer.status == 401:
            return dict.fromkeys(requests, _response(answer, call))
        if answer.status != 200:
            raise await self._refusal(answer, operation, call)
        await self._keep_silence(faults.silence_s(responses.values()))
        return {
            key: responses.get(position) or call.lost("left out of the $batch's answer")
            for position, key in enumerate(requests)
        }

    async def _get(self, operation: Operation, url: str, token: str) -> tuple[Answer, Call]:
        call = self._call(operation)
        address = url if "://" in url else self.base_url + url
        if _origin(address) != _origin(self.base_url):
            raise call.garbled("a link that leads elsewhere")
        await self._limiter.acquire(System.GRAPH)
        request = self._http.build_request("GET", address, headers=wire.headers(token, call.ids.client_request_id))
        return await self._exchange(request, call), call

    async def _exchange(self, request: httpx.Request, call: Call, *, requests: int = 1) -> Answer:
        """With a line in the log: the two ids are what Microsoft's support asks for, together with the moment."""
        began = time.monotonic()
        status, request_id = 0, ""
        try:
            answer = await exchange(self._http, request, call)
            status, request_id = answer.status, wire.safe_id(answer.headers.get("request-id", ""))
            return answer
        finally:
            log.info(
                "graph.call",
                operation=call.operation,
                requests=requests,
                status=status,
                request_id=request_id,
                client_request_id=call.ids.client_request_id,
                ms=round((time.monotonic() - began) * 1000),
            )

    def _call(self, operation: Operation) -> Call:
        return Call(
            System.GRAPH,
            operation.value,
            no_answer=NO_ANSWER,
            unreadable=UNREADABLE,
            harmless=operation.harmless,
            timeout_s=self._timeout_s,
            ids=RemoteIds(client_request_id=str(uuid.uuid4())),
        )

    async def _refusal(self, answer: Answer, operation: Operation, call: Call) -> RemoteError:
        error = faults.error_of_whole(_response(answer, call), operation)
        if isinstance(error, RetryLater) and answer.status in (429, 503):
            await self._keep_silence(error.after_s)
        return error

    async def _keep_silence(self, seconds: float) -> None:
        if seconds > 0:
            await self._limiter.hold_back(System.GRAPH, seconds)


def _parts(requests: Mapping[str, SubRequest]) -> list[dict[str, SubRequest]]:
    entries = iter(requests.items())
    parts = []
    while part := dict(islice(entries, asking.BATCH_SIZE)):
        parts.append(part)
    return parts


def _responses(answer: Answer, call: Call) -> dict[int, SubResponse]:
    document = read_json(answer, call)
    responses = wire.read_batch(document, client_request_id=call.ids.client_request_id, now=datetime.now(UTC))
    if responses is None:
        raise call.garbled("no answer to a $batch")
    return responses


def _response(answer: Answer, call: Call) -> SubResponse:
    try:
        body: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    request_id = wire.safe_id(answer.headers.get("request-id", ""))
    return SubResponse(answer.status, body, answer.retry_after_s(), request_id, call.ids.client_request_id)


def _doubtful(error: Unreadable, call: Call) -> RemoteError:
    """An unreadable answer to a write proves nothing: the accounts may be there."""
    if call.harmless:
        return error
    return OutcomeUnknown(error.system, error.operation, error.code, error.detail, error.ids)


def _origin(url: str) -> tuple[str, str, int | None]:
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host, parsed.port
