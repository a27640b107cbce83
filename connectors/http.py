"""One HTTP exchange over httpx, with its failures named by what may have happened on the other side.

Not sent (no connection): RetryLater. Sent and no answer: OutcomeUnknown, or RetryLater where asking twice does no harm.
Answered with something that is no answer (too long, not JSON): Unreadable. A status is never judged here.
"""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from lucy.errors import OutcomeUnknown, Refused, RemoteError, RemoteIds, RetryLater, System, Unreadable

CONNECT_S = 5.0
DOWN_WAIT_S = 5.0
LONGEST_RETRY_AFTER_S = 3600.0
MAX_BODY_BYTES = 16 * 1024 * 1024

_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]+)?")
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Call:
    """What one exchange is, as its errors name it.

    `harmless`: asking twice does no harm, so a lost answer is RetryLater. `no_answer`, `unreadable` and `untrusted` are
    codes of `lucy/domain/error_codes.py`. `timeout_s` bounds the whole exchange.
    """

    system: System
    operation: str
    no_answer: str
    unreadable: str
    harmless: bool
    untrusted: str = "G-005"
    timeout_s: float = 20.0
    max_bytes: int = MAX_BODY_BYTES
    ids: RemoteIds = field(default_factory=RemoteIds)

    def down(self, detail: str, *, after_s: float = DOWN_WAIT_S) -> RetryLater:
        """Nothing was done: the request never went out, or asking twice does no harm."""
        return RetryLater(self.system, self.operation, self.no_answer, detail, self.ids, after_s=after_s)

    def lost(self, detail: str) -> RemoteError:
        """The request went out and no answer came."""
        if self.harmless:
            return self.down(detail)
        return OutcomeUnknown(self.system, self.operation, self.no_answer, detail, self.ids)

    def garbled(self, detail: str) -> Unreadable:
        return Unreadable(self.system, self.operation, self.unreadable, detail, self.ids)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def retry_after_s(self, *, now: datetime | None = None) -> float | None:
        return parse_retry_after(self.headers.get("retry-after"), now=now or datetime.now(UTC))


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The public authorities and, where a file is given, the house's own."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


def build_http_client(ca_file: Path | None = None, timeout_s: float = 20.0) -> httpx.AsyncClient:
    """The client of one process, opened and closed by its runtime. Follows no redirects, reads no proxy variables."""
    return httpx.AsyncClient(
        verify=trust(ca_file),
        timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=30.0),
        trust_env=False,
        follow_redirects=False,
    )


async def exchange(http: httpx.AsyncClient, request: httpx.Request, call: Call) -> Answer:
    """Send a request and read its whole answer.

    Raises RetryLater (not sent), Refused (certificate), OutcomeUnknown (sent, no answer), Unreadable (too long).
    """
    with _named(call):
        async with asyncio.timeout(call.timeout_s):
            response = await http.send(request, stream=True)
            try:
                body = await _read(response, call)
            finally:
                await response.aclose()
    return Answer(response.status_code, _lower(response.headers), body)


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer whose body is still to come. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    chunks: AsyncIterator[bytes] = field(repr=False)


@asynccontextmanager
async def open_stream(http: httpx.AsyncClient, request: httpx.Request, call: Call) -> AsyncIterator[Opened]:
    """Send a request and read its answer as it comes; `call.timeout_s` bounds the wait for each piece of it.

    Opening and reading raise as `exchange` does; what is raised while the body is read is a read's own: `lost`.
    """
    with _named(call):
        async with asyncio.timeout(call.timeout_s):
            response = await http.send(request, stream=True)
    try:
        yield Opened(response.status_code, _lower(response.headers), _chunks(response, call))
    finally:
        await response.aclose()


async def _chunks(response: httpx.Response, call: Call) -> AsyncIterator[bytes]:
    length = 0
    pieces = response.aiter_bytes().__aiter__()
    while True:
        with _named(call):
            try:
                async with asyncio.timeout(call.timeout_s):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
        length += len(piece)
        if length > call.max_bytes:
            raise call.garbled(f"HTTP {response.status_code}, longer than {call.max_bytes} bytes")
        yield piece


@contextmanager
def _named(call: Call) -> Iterator[None]:
    """httpx's errors, as what may have happened on the other side."""
    try:
        yield
    except _NOT_SENT as error:
        raise _not_sent(error, call) from None
    except httpx.DecodingError as error:
        raise call.garbled(type(error).__name__) from None
    except (httpx.TransportError, TimeoutError) as error:
        raise call.lost(type(error).__name__) from None


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def _read(response: httpx.Response, call: Call) -> bytes:
    chunks = bytearray()
    async for chunk in response.aiter_bytes():
        chunks += chunk
        if len(chunks) > call.max_bytes:
            raise call.garbled(f"HTTP {response.status_code}, longer than {call.max_bytes} bytes")
    return bytes(chunks)


def _not_sent(error: httpx.HTTPError, call: Call) -> RemoteError:
    if _certificate_refused(error):
        return Refused(call.system, call.operation, call.untrusted, "certificate not trusted", call.ids)
    return call.down(type(error).__name__)


def _certificate_refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def read_json(answer: Answer, call: Call) -> object:
    """The JSON of an answer. Raises Unreadable, which tells its type and length and never its text."""
    try:
        document: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        kind = answer.headers.get("content-type", "no type").partition(";")[0][:40]
        raise call.garbled(f"HTTP {answer.status}, {kind}, {len(answer.body)} bytes, not JSON") from None
    return document


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds of a Retry-After header, given in seconds or as a date; None where absent or senseless.

    At most an hour: a clock that is wrong must not silence a system for days.
    Source: RFC 9110, section 10.2.3.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_S)
