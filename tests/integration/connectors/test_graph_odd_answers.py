"""Answers of Graph that the simulator cannot give."""

import json
from collections.abc import Callable

import httpx
import pytest

from connectors.graph import GraphDirectory
from lucy.domain.students import Upn
from lucy.errors import (
    OutcomeUnknown,
    RetryLater,
    System,
    Unreadable,
)
from lucy.ports import DirectoryUser
from tests.integration.connectors.tenants import (
    RecordingLimiter,
    account,
)


class FixedToken:
    async def token(self) -> str:
        return "token-1"

    async def renew(self, rejected: str) -> str:
        return "token-2"


Handler = Callable[[httpx.Request], httpx.Response]


def mocked(handler: Handler) -> GraphDirectory:
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return GraphDirectory(
        base_url="https://graph.test/v1.0", tokens=FixedToken(), http=http, limiter=RecordingLimiter()
    )


async def test_a_row_left_out_of_the_answer_is_in_doubt() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        entries = json.loads(request.content)["requests"]
        rows = [{"id": one["id"], "status": 201, "body": {"id": f"u{one['id']}"}} for one in entries]
        return httpx.Response(200, json={"responses": rows[:1]})

    outcomes = await mocked(answer).create_users([account(1), account(2)])
    assert isinstance(outcomes["k1"], DirectoryUser)
    assert type(outcomes["k2"]) is OutcomeUnknown
    assert type((await mocked(answer).find_users({"a": Upn("a"), "b": Upn("b")}))["b"]) is RetryLater


async def test_a_201_without_an_id_is_in_doubt() -> None:
    directory = mocked(lambda _: httpx.Response(200, json={"responses": [{"id": "0", "status": 201, "body": {}}]}))
    assert type((await directory.create_users([account(1)]))["k1"]) is OutcomeUnknown


async def test_a_wrong_address_is_unreadable_even_for_a_write() -> None:
    outcome = (await mocked(lambda _: httpx.Response(404)).create_users([account(1)]))["k1"]
    assert type(outcome) is Unreadable


async def test_pages_of_skus_are_followed_but_never_off_graph() -> None:
    def sku(part_number: str) -> dict[str, object]:
        return {"skuId": "s", "skuPartNumber": part_number, "prepaidUnits": {"enabled": 3}, "consumedUnits": 1}

    asked: list[str] = []
    pages: dict[str, object] = {
        "/v1.0/subscribedSkus": {"value": [sku("A")], "@odata.nextLink": "https://graph.test/v1.0/more?$skiptoken=x"},
        "/v1.0/more": {"value": [sku("B")], "@odata.nextLink": "https://evil.test/v1.0/more"},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json=pages[request.url.path])

    assert (await mocked(answer).licence_seats("b")).free == 2
    with pytest.raises(Unreadable):
        await mocked(answer).licence_seats("C")
    assert not any("evil" in url for url in asked)


async def test_a_limiter_that_says_later_is_listened_to() -> None:
    class Full(RecordingLimiter):
        async def acquire(self, system: System, cost: int = 1) -> None:
            raise RetryLater(system, "wait for a turn", "G-006", after_s=40)

    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: pytest.fail("nothing may be sent")))
    directory = GraphDirectory(base_url="https://graph.test", tokens=FixedToken(), http=http, limiter=Full())
    outcomes = await directory.create_users([account(number) for number in range(50)])
    assert {type(one) for one in outcomes.values()} == {RetryLater}
    await http.aclose()


def test_a_client_that_follows_redirects_is_refused() -> None:
    with pytest.raises(ValueError, match="redirects"):
        GraphDirectory(
            base_url="https://graph.test",
            tokens=FixedToken(),
            http=httpx.AsyncClient(follow_redirects=True),
            limiter=RecordingLimiter(),
        )
