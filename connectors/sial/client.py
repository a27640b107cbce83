"""SIAL as the flows need it: lists and personal records, in two dialects."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, tzinfo

import httpx

from connectors.http import CONNECT_S, Call, Opened, open_stream, parse_retry_after
from connectors.sial import wire
from connectors.sial.stream import ElementStream
from lucy.domain.students import SourceList
from lucy.errors import RetryLater, System
from lucy.ports import Limiter, SourceEntry, SourcePerson

LIST_TIMEOUT_S = 120.0
PERSON_TIMEOUT_S = 30.0
MAX_LIST_BYTES = 128 * 1024 * 1024  # 50,000 entries are about 20 MB


class _Source:
    """HTTP GET with Basic authentication; one cost for each request.

    Redirects are followed here (a missing slash at the end is one on some installations), so that the credentials
    stay on their host.
    """

    def __init__(self, *, user: str, password: str, http: httpx.AsyncClient, limiter: Limiter) -> None:
        if http.follow_redirects:
            raise ValueError("redirects are followed by the connector, not by its client")
        self._credentials = wire.basic_credentials(user, password)
        self._http = http
        self._limiter = limiter

    async def elements(self, operation: str, address: str, *, timeout_s: float) -> AsyncIterator[object]:
        """The elements of the list that the answer is, as they arrive. Raises RemoteError, also after some of them."""
        call = Call(
            System.SIAL,
            operation,
            no_answer="U-002",
            unreadable="U-003",
            harmless=True,
            timeout_s=timeout_s,
            max_bytes=MAX_LIST_BYTES,
        )
        headers = {"Accept": "application/json", "Authorization": self._credentials}
        for _ in range(1 + wire.MAX_REDIRECTS):
            async with self._opened(address, headers, call) as answer:
                target = wire.redirect(answer.status, answer.headers, address=address)
                if target is None:
                    await self._check(answer, call)
                    stream = ElementStream(operation)
                    async for chunk in answer.chunks:
                        for element in stream.feed(chunk):
                            yield element
                    stream.close()
                    return
            if not wire.may_see_credentials(target, of=address):
                headers.pop("Authorization", None)
            address = target
        raise wire.unreadable(operation, "redirected in circles")

    @asynccontextmanager
    async def _opened(self, address: str, headers: dict[str, str], call: Call) -> AsyncIterator[Opened]:
        await self._limiter.acquire(System.SIAL)
        timeout = httpx.Timeout(call.timeout_s, connect=min(CONNECT_S, call.timeout_s))
        request = self._http.build_request("GET", address, headers=headers, timeout=timeout)
        async with open_stream(self._http, request, call) as answer:
            yield answer

    async def _check(self, answer: Opened, call: Call) -> None:
        if answer.status == httpx.codes.OK:
            return
        retry_after_s = parse_retry_after(answer.headers.get("retry-after"), now=datetime.now(UTC))
        error = wire.status_error(call.operation, answer.status, retry_after_s=retry_after_s)
        if isinstance(error, RetryLater) and error.throttled:
            await self._limiter.hold_back(System.SIAL, error.after_s)
        raise error


class SialRecords:
    """`lucy.ports.StudentRecords` over dialect v2.

    `base_url` is the site, with or without the dialect's base path. `zone` is the university's; `today` decides what
    a two-digit year of birth means.
    """

    windows = True

    def __init__(
        self,
        *,
        base_url: str,
        user: str,
        password: str,
        http: httpx.AsyncClient,
        limiter: Limiter,
        zone: tzinfo,
        today: Callable[[], date],
        list_timeout_s: float = LIST_TIMEOUT_S,
        person_timeout_s: float = PERSON_TIMEOUT_S,
    ) -> None:
        self._base = wire.base(base_url, path=wire.V2_BASE)
        self._source = _Source(user=user, password=password, http=http, limiter=limiter)
        self._zone = zone
        self._today = today
        self._list_timeout_s = list_timeout_s
        self._person_timeout_s = person_timeout_s

    async def entries(
        self, source_list: SourceList, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[object]:
        """Every entry, the unusable ones included, as they arrive. Raises RemoteError, also late: then use none."""
        address = wire.list_address(self._base, source_list, since=since, until=until, zone=self._zone)
        async for element in self._source.elements("list", address, timeout_s=self._list_timeout_s):
            yield element

    def identity(self, element: object) -> tuple[str, str]:
        return wire.identity(element)

    def read_entry(self, element: object) -> SourceEntry:
        return wire.read_entry(element, zone=self._zone)

    def read_person(self, element: object, *, document_number: str) -> SourcePerson:
        return wire.read_person(element, document_number=document_number, today=self._today())

    async def person(self, document_number: str) -> SourcePerson | None:
        """The personal record; None when the source has none."""
        address = wire.person_address(self._base, document_number)
        rows = [row async for row in self._source.elements("person", address, timeout_s=self._person_timeout_s)]
        return self.read_person(rows[0], document_number=document_number) if rows else None


class SialFlatRecords:
    """`lucy.ports.StudentRecords` over dialect v1: one flat list, no windows, no second call."""

    windows = False

    def __init__(
        self,
        *,
        base_url: str,
        user: str,
        password: str,
        http: httpx.AsyncClient,
        limiter: Limiter,
        list_timeout_s: float = LIST_TIMEOUT_S,
    ) -> None:
        self._base = wire.base(base_url, path=wire.V1_BASE)
        self._source = _Source(user=user, password=password, http=http, limiter=limiter)
        self._list_timeout_s = list_timeout_s

    async def entries(
        self, source_list: SourceList, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[object]:
        """The whole list, whatever the window: this dialect has none. The person comes with each entry."""
        address = wire.flat_list_address(self._base, source_list)
        async for element in self._source.elements("list", address, timeout_s=self._list_timeout_s):
            yield element

    def identity(self, element: object) -> tuple[str, str]:
        return wire.flat_identity(element)

    def read_entry(self, element: object) -> SourceEntry:
        return wire.read_flat_entry(element)

    def read_person(self, element: object, *, document_number: str) -> SourcePerson:
        raise wire.unreadable("person", "this dialect has no personal records")

    async def person(self, document_number: str) -> SourcePerson | None:
        """Always None: what this dialect knows comes with the list."""
        return None
