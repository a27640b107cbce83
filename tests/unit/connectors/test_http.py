"""What an exchange over httpx can end in; servers that misbehave below HTTP are in the integration tests."""

import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest

from connectors.http import (
    LONGEST_RETRY_AFTER_S,
    Answer,
    Call,
    build_http_client,
    exchange,
    parse_retry_after,
    read_json,
)
from lucy.errors import OutcomeUnknown, Refused, RemoteError, RetryLater, System, Unreadable

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
WRITE = Call(
    System.GRAPH, "create_users", no_answer="T-009", unreadable="T-015", harmless=False, timeout_s=1.0, max_bytes=1000
)
READ = Call(
    System.GRAPH, "find_users", no_answer="T-009", unreadable="T-015", harmless=True, timeout_s=1.0, max_bytes=1000
)


async def end_of(handler: Callable[[httpx.Request], httpx.Response], call: Call) -> Answer | RemoteError:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        try:
            return await exchange(http, http.build_request("POST", "https://graph.test/x"), call)
        except RemoteError as error:
            return error


def raising(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


@pytest.mark.parametrize(
    ("failure", "of_a_write", "of_a_read"),
    [
        (httpx.ConnectError("refused"), RetryLater, RetryLater),
        (httpx.ConnectTimeout("slow"), RetryLater, RetryLater),
        (httpx.PoolTimeout("full"), RetryLater, RetryLater),
        (httpx.ReadTimeout("slow"), OutcomeUnknown, RetryLater),
        (httpx.WriteError("cut"), OutcomeUnknown, RetryLater),
        (httpx.ReadError("cut"), OutcomeUnknown, RetryLater),
        (httpx.RemoteProtocolError("cut"), OutcomeUnknown, RetryLater),
        (httpx.DecodingError("gzip"), Unreadable, Unreadable),
    ],
)
async def test_failures_are_told_apart_by_what_may_have_happened(
    failure: Exception, of_a_write: type[RemoteError], of_a_read: type[RemoteError]
) -> None:
    assert type(await end_of(raising(failure), WRITE)) is of_a_write
    assert type(await end_of(raising(failure), READ)) is of_a_read


async def test_an_untrusted_certificate_is_for_an_administrator() -> None:
    failure = httpx.ConnectError("TLS")
    failure.__cause__ = ssl.SSLCertVerificationError("self-signed")
    error = await end_of(raising(failure), READ)
    assert isinstance(error, Refused)
    assert error.code == "G-005"


async def test_an_answer_that_trickles_is_given_up() -> None:
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            import asyncio

            while True:
                yield b"x"
                await asyncio.sleep(0.01)

    call = Call(System.GRAPH, "x", no_answer="T-009", unreadable="T-015", harmless=False, timeout_s=0.1)
    error = await end_of(lambda _: httpx.Response(200, stream=Trickle()), call)
    assert isinstance(error, OutcomeUnknown)


async def test_a_long_answer_is_not_read_to_its_end() -> None:
    assert isinstance(await end_of(lambda _: httpx.Response(200, content=b"x" * 1001), READ), Unreadable)
    assert isinstance(await end_of(lambda _: httpx.Response(200, content=b"x" * 1000), READ), Answer)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Secret4Life</html>", b'{"password": "Secret4Life', b"\xff\xfe", b"[" * 9000]
)
def test_what_is_not_json_is_unreadable_and_not_quoted(body: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        read_json(Answer(200, {"content-type": "text/html; charset=utf-8"}, body), READ)
    assert "text/html" in str(raised.value)
    assert "Secret4Life" not in repr(raised.value)


def test_an_answer_does_not_show_its_body() -> None:
    assert "Secret4Life" not in repr(Answer(200, {"authorization": "Secret4Life"}, b"Secret4Life"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 2.5 ", 2.5),
        ("Mon, 02 Mar 2026 12:01:30 GMT", 90.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        ("Mon, 02 Mar 2037 11:00:00 GMT", LONGEST_RETRY_AFTER_S),
        ("999999", LONGEST_RETRY_AFTER_S),
        (None, None),
        ("", None),
        ("-3", None),
        ("soon", None),
        ("١٢", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


async def test_the_client_follows_nothing_and_trusts_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    async with build_http_client(None, 7.0) as http:
        assert not http.follow_redirects
        assert not http.trust_env
        assert http.timeout == httpx.Timeout(7.0, connect=5.0)
