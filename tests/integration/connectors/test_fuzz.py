"""Whatever the other side answers, a connector gives a result of its type or an error of the family, and nothing else.

The bytes come over httpx's own transport, so that status, headers and body are read as in life; mail over a socket.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.graph import GraphDirectory
from connectors.http import parse_retry_after
from connectors.moodle import MoodleSite
from connectors.moodle.tokens import SignedInToken
from connectors.sial.client import SialRecords
from connectors.smtp import SmtpMailer
from connectors.teams import wire as teams
from lucy.domain.students import SourceList, Upn
from lucy.errors import RemoteError
from lucy.ports import (
    Accepted,
    EnrolmentRequest,
    GroupMember,
    GroupSeat,
    Letter,
    LicenceRequest,
    NewGroup,
    UnenrolRequest,
    UserSuspension,
)
from tests.integration.connectors.campus import person
from tests.integration.connectors.counting import CountingLimiter
from tests.integration.connectors.tenants import account

FUZZED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORDS = st.sampled_from(
    [
        "value", "responses", "id", "status", "body", "headers", "error", "code", "message", "details", "target", "0",
        "userPrincipalName", "accountEnabled", "assignedLicenses", "skuId", "createdDateTime", "employeeId",
        "@odata.nextLink", "@odata.deltaLink", "@removed", "licenseAssignmentStates", "exception", "errorcode",
        "username", "idnumber", "suspended", "courses", "warnings", "itemid", "warningcode", "shortname", "functions",
        "name", "courseid", "userid", "token", "release", "nrodoc", "carreras", "Retry-After", "prepaidUnits",
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ["2026-11-25T10:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "None", "Error"]
    ),
    WORDS,
)
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=14
)
BODIES = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())
STATUSES = st.sampled_from(
    [200, 200, 200, 200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 410, 429, 500, 502, 503, 504]
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "request-id", "Location", "Content-Type", "Content-Encoding"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)
    | st.sampled_from(["gzip", "1e9", "-1", "/x"]),
    max_size=2,
)
ANSWERS = st.tuples(STATUSES, HEADERS, BODIES)
Answer = tuple[int, Mapping[str, str], bytes]


class Token:
    async def token(self) -> str:
        return "a-token"

    async def renew(self, rejected: str) -> str:
        return "another"


def run(answers: list[Answer], talk: Callable[[httpx.AsyncClient], Awaitable[object]]) -> None:
    """Raises what is no error of the family."""
    turn = iter(range(10**6))

    def answer(_: httpx.Request) -> httpx.Response:
        status, headers, body = answers[next(turn) % len(answers)]
        return httpx.Response(status, headers=dict(headers), content=body)

    async def talking() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            try:
                outcome = await talk(http)
            except RemoteError:
                return
            if isinstance(outcome, Mapping):
                assert all(
                    one is None or not isinstance(one, BaseException) or isinstance(one, RemoteError)
                    for one in outcome.values()
                )

    asyncio.run(talking())


GRAPH: dict[str, Callable[[GraphDirectory], Awaitable[object]]] = {
    "create": lambda graph: graph.create_users([account(1), account(2)]),
    "find": lambda graph: graph.find_users({"a": Upn("a@b.ar")}),
    "licence": lambda graph: graph.assign_licences([LicenceRequest("a", "u", "s")]),
    "delete": lambda graph: graph.delete_users({"a": "u"}),
    "restore": lambda graph: graph.restore_users({"a": "u"}),
    "join": lambda graph: graph.add_members([GroupMember("a", "u", "g")]),
    "deleted": lambda graph: graph.deleted_users(),
    "members": lambda graph: graph.members_of("g"),
    "group": lambda graph: graph.group("g"),
    "changes": lambda graph: graph.changes(),
    "seats": lambda graph: graph.licence_seats("X"),
}


@pytest.mark.parametrize("name", sorted(GRAPH))
@FUZZED
@given(answers=st.lists(ANSWERS, min_size=1, max_size=3))
def test_graph(name: str, answers: list[Answer]) -> None:
    async def talk(http: httpx.AsyncClient) -> object:
        graph = GraphDirectory(base_url="https://graph.test/v1.0", tokens=Token(), http=http, limiter=CountingLimiter())
        return await GRAPH[name](graph)

    run(answers, talk)


@FUZZED
@given(inner=JSON, status=STATUSES)
def test_a_batch_with_anything_inside(inner: object, status: int) -> None:
    async def talk(http: httpx.AsyncClient) -> object:
        graph = GraphDirectory(base_url="https://graph.test/v1.0", tokens=Token(), http=http, limiter=CountingLimiter())
        return await graph.create_users([account(1)])

    entry = {"id": "0", "status": status, "headers": {"Retry-After": 3}, "body": inner}
    run([(200, {}, json.dumps({"responses": [entry]}).encode())], talk)


MOODLE: dict[str, Callable[[MoodleSite], Awaitable[object]]] = {
    "site": lambda moodle: moodle.site(),
    "find": lambda moodle: moodle.find_users([person(1), person(2)]),
    "create": lambda moodle: moodle.create_users([person(1), person(2)]),
    "courses": lambda moodle: moodle.find_courses(["A"]),
    "inspect": lambda moodle: moodle.inspect(["A"], 5),
    "enrol": lambda moodle: moodle.enrol([EnrolmentRequest(str(n), n, 2, 5) for n in range(3)]),
    "unenrol": lambda moodle: moodle.unenrol([UnenrolRequest("a", 1, 2)]),
    "enrolled": lambda moodle: moodle.enrolled_in([2]),
    "suspend": lambda moodle: moodle.suspend_users([UserSuspension("a", 1, True), UserSuspension("b", 2, True)]),
    "groups": lambda moodle: moodle.create_groups([NewGroup("a", 2, "P1")]),
    "join": lambda moodle: moodle.join_groups([GroupSeat("a", 1, 2), GroupSeat("b", 1, 3)]),
}


@pytest.mark.parametrize("name", sorted(MOODLE))
@FUZZED
@given(answers=st.lists(ANSWERS, min_size=1, max_size=3))
def test_moodle(name: str, answers: list[Answer]) -> None:
    async def talk(http: httpx.AsyncClient) -> object:
        moodle = MoodleSite(base_url="https://moodle.test", token="t", http=http, limiter=CountingLimiter())
        return await MOODLE[name](moodle)

    run(answers, talk)


@FUZZED
@given(answers=st.lists(ANSWERS, min_size=1, max_size=2))
def test_a_moodle_login(answers: list[Answer]) -> None:
    async def talk(http: httpx.AsyncClient) -> object:
        tokens = SignedInToken(
            base_url="https://moodle.test", user="u", password="p", service="s", http=http, limiter=CountingLimiter()
        )
        return await tokens.token()

    run(answers, talk)


@FUZZED
@given(answers=st.lists(ANSWERS, min_size=1, max_size=3))
def test_sial(answers: list[Answer]) -> None:
    async def talk(http: httpx.AsyncClient) -> object:
        sial = SialRecords(
            base_url="https://sial.test",
            user="u",
            password="p",
            http=http,
            limiter=CountingLimiter(),
            zone=UTC,
            today=lambda: datetime(2026, 11, 25, tzinfo=UTC).date(),
        )
        entries = [sial.read_entry(one) async for one in sial.entries(SourceList.ASPIRANTES)]
        return [entries, await sial.person("40123456")]

    run(answers, talk)


@settings(max_examples=200)
@given(st.text() | st.integers().map(str) | st.floats().map(str) | st.datetimes().map(str))
def test_any_retry_after_is_a_wait_or_none(text: str) -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    for found in (parse_retry_after(text, now=now), teams.retry_after_s(text, now=now)):
        assert found is None or 0 <= found <= timedelta(hours=1).total_seconds()


@settings(max_examples=200)
@given(st.integers(100, 999), st.booleans(), st.text(max_size=20), st.none() | st.floats(0, 3600))
def test_any_status_of_teams_is_an_error_of_the_family(
    status: int, repeatable: bool, code: str, wait_s: float | None
) -> None:
    error = teams.status_error("post", status, repeatable=repeatable, remote_code=code, wait_s=wait_s)
    assert isinstance(error, RemoteError)


@settings(max_examples=40, deadline=None)
@given(replies=st.lists(st.binary(max_size=40) | st.integers(0, 999).map(lambda n: b"%03d x\r\n" % n), max_size=8))
def test_any_mail_server(replies: list[bytes]) -> None:
    """A server that says these lines, one for each line it hears, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for reply in replies:
                writer.write(reply)
                await writer.drain()
                if not await asyncio.wait_for(reader.readline(), 0.2):
                    break
        except (ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()

    async def talk() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        mailer = SmtpMailer(
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
            security="none",
            sender="lucy@example.org",
            limiter=CountingLimiter(),
            timeout_s=0.3,
        )
        letter = Letter("1", "<1@lucy.test>", "ana@example.com", "Ana", "Hola", "Hola", "<p>Hola</p>")
        try:
            return [outcome async for _, outcome in mailer.send([letter])]
        finally:
            await mailer.close()
            server.close()
            await server.wait_closed()

    (outcome,) = asyncio.run(talk())
    assert isinstance(outcome, Accepted | RemoteError)
