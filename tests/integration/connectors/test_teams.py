"""Outbound messages over real sockets against the stand-in of the connector service."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from connectors.teams import BotIdentity, TeamsAuthentication, TeamsChannel
from lucy.errors import (
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RetryLater,
    System,
)
from lucy.ports import Channel, ConversationAddress, PostedMessage
from sandbox.control import Fault, serve
from sandbox.teams.app import build_app
from sandbox.teams.directory import example_directory
from sandbox.teams.state import TeamsState

CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Lote L-0042"}]}


@dataclass
class Bench:
    state: TeamsState
    channel: Channel
    address: ConversationAddress

    def fail(self, operation: str, action: str, **more: Any) -> None:
        self.state.control.add_fault(Fault(match=operation, action=action, **more))

    async def start(self) -> PostedMessage:
        return await self.channel.start_thread(self.address, CARD, summary="Lote L-0042")

    def within(self, posted: PostedMessage) -> ConversationAddress:
        return replace(self.address, conversation_id=posted.conversation_id)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    state = TeamsState(directory=example_directory())
    runner, port = await serve(build_app(state), port=0)
    authentication = TeamsAuthentication(BotIdentity())
    address = ConversationAddress(
        f"http://127.0.0.1:{port}/", state.directory.team.channels[1].id, state.directory.tenant_id
    )
    yield Bench(state, TeamsChannel(authentication), address)
    await authentication.aclose()
    await runner.cleanup()


async def test_a_thread_is_started_continued_and_edited(bench: Bench) -> None:
    root = await bench.start()
    assert root.conversation_id == f"{bench.address.conversation_id};messageid={root.activity_id}"
    reply = await bench.channel.post_card(bench.within(root), CARD, summary="Avance")
    await bench.channel.update_card(bench.within(root), root.activity_id, {**CARD, "body": []}, summary="Terminado")
    created, sent, updated = bench.state.transcript.since(0)
    assert (created.kind, created.card, created.summary, created.text) == ("create", CARD, "Lote L-0042", "")
    assert (sent.kind, sent.activity_id, sent.conversation) == ("send", reply.activity_id, root.conversation_id)
    assert (updated.kind, updated.activity_id, updated.summary) == ("update", root.activity_id, "Terminado")
    assert updated.card is not None
    assert updated.card["body"] == []


async def test_a_thread_is_started_in_the_channel_of_a_thread(bench: Bench) -> None:
    first = await bench.start()
    second = await bench.channel.start_thread(bench.within(first), CARD, summary="x")
    assert second.conversation_id == f"{bench.address.conversation_id};messageid={second.activity_id}"


async def test_a_personal_chat(bench: Bench) -> None:
    chat = replace(bench.address, conversation_id=bench.state.directory.people[0].personal_conversation_id)
    posted = await bench.channel.post_card(chat, CARD, summary="x")
    await bench.channel.update_card(chat, posted.activity_id, CARD, summary="y")
    assert [entry.summary for entry in bench.state.transcript.since(0)] == ["x", "y"]


SEND_FAILURES: list[tuple[str, dict[str, Any], type[RemoteError]]] = [
    ("status", {"status": 400}, Invalid),
    ("status", {"status": 401}, Refused),
    ("status", {"status": 403}, Refused),
    ("status", {"status": 412}, RetryLater),
    ("status", {"status": 413}, Invalid),
    ("status", {"status": 429}, RetryLater),
    ("status", {"status": 500}, OutcomeUnknown),
    ("status", {"status": 503, "retry_after_s": 9}, OutcomeUnknown),
    ("cut_before", {}, OutcomeUnknown),
    ("cut_after", {}, OutcomeUnknown),
    ("truncate", {}, OutcomeUnknown),
    ("html", {}, OutcomeUnknown),
    ("malformed", {}, OutcomeUnknown),
]


@pytest.mark.parametrize(("action", "more", "expected"), SEND_FAILURES)
@pytest.mark.parametrize("operation", ["send", "create"])
async def test_what_goes_wrong_when_posting(
    bench: Bench, operation: str, action: str, more: dict[str, Any], expected: type[RemoteError]
) -> None:
    bench.fail(operation, action, **more)
    with pytest.raises(expected) as caught:
        if operation == "send":
            await bench.channel.post_card(bench.address, CARD, summary="x")
        else:
            await bench.start()
    assert (caught.value.system, caught.value.code) == (System.TEAMS, "T-012")
    assert len(bench.state.control.calls(operation)) == 1  # a message is never sent twice


@pytest.mark.parametrize(
    ("action", "more", "expected"),
    [
        ("status", {"status": 400}, Invalid),
        ("status", {"status": 403}, Refused),
        ("status", {"status": 412}, RetryLater),
        ("status", {"status": 429}, RetryLater),
        ("status", {"status": 500}, RetryLater),
        ("status", {"status": 503}, RetryLater),
        ("cut_before", {}, RetryLater),
        ("malformed", {}, RetryLater),
    ],
)
async def test_what_goes_wrong_when_editing(
    bench: Bench, action: str, more: dict[str, Any], expected: type[RemoteError]
) -> None:
    root = await bench.start()
    bench.fail("update", action, times=1, **more)
    with pytest.raises(expected) as caught:
        await bench.channel.update_card(bench.within(root), root.activity_id, CARD, summary="x")
    assert caught.value.code == "T-012"
    assert len(bench.state.control.calls("update")) == 1
    await bench.channel.update_card(bench.within(root), root.activity_id, CARD, summary="x")


async def test_the_service_names_the_wait(bench: Bench) -> None:
    bench.fail("send", "status", status=429, retry_after_s=23)
    with pytest.raises(RetryLater) as caught:
        await bench.channel.post_card(bench.address, CARD, summary="x")
    assert (caught.value.after_s, caught.value.throttled) == (23, True)
    assert caught.value.ids.remote_code == "Throttled"


async def test_a_deleted_card_and_an_unknown_conversation_are_not_found(bench: Bench) -> None:
    root = await bench.start()
    bench.state.delete(root.conversation_id, root.activity_id)
    with pytest.raises(NotFound) as caught:
        await bench.channel.update_card(bench.within(root), root.activity_id, CARD, summary="x")
    assert caught.value.ids.remote_code == "ActivityNotFoundInConversation"
    with pytest.raises(NotFound):
        await bench.channel.post_card(replace(bench.address, conversation_id="19:gone"), CARD, summary="x")


async def test_the_bot_was_taken_out_of_the_team(bench: Bench) -> None:
    bench.state.switches.in_team = False
    with pytest.raises(Refused) as caught:
        await bench.start()
    assert caught.value.ids.remote_code == "BotNotInConversationRoster"


async def test_a_card_that_is_too_big(bench: Bench) -> None:
    big = {**CARD, "body": [{"type": "TextBlock", "text": "x" * 60_000}]}
    with pytest.raises(Invalid):
        await bench.channel.post_card(bench.address, big, summary="x")


async def test_nobody_listens(bench: Bench, unused_tcp_port: int) -> None:
    nowhere = replace(bench.address, service_url=f"http://127.0.0.1:{unused_tcp_port}/")
    started = time.monotonic()
    for attempt in (
        bench.channel.post_card(nowhere, CARD, summary="x"),
        bench.channel.start_thread(nowhere, CARD, summary="x"),
        bench.channel.update_card(nowhere, "1", CARD, summary="x"),
    ):
        with pytest.raises(RetryLater):
            await attempt
    assert time.monotonic() - started < 2  # the SDK would have tried for five seconds each


@pytest.mark.parametrize("url", ["x", "ftp://127.0.0.1/", "http://"])
async def test_a_service_url_that_is_none(bench: Bench, url: str) -> None:
    with pytest.raises(Invalid):
        await bench.channel.post_card(replace(bench.address, service_url=url), CARD, summary="x")


async def test_the_loop_goes_on_while_the_service_is_slow(bench: Bench) -> None:
    bench.fail("send", "delay", delay_s=0.2)
    posting = asyncio.create_task(bench.channel.post_card(bench.address, CARD, summary="x"))
    turns = 0
    while not posting.done():
        await asyncio.sleep(0.01)
        turns += 1
    await posting
    assert turns > 5


async def test_many_at_once_over_kept_connections(bench: Bench) -> None:
    bench.state.switches.rate_limits = False
    root = await bench.start()
    posted = await asyncio.gather(
        *(bench.channel.post_card(bench.within(root), CARD, summary=f"{n}") for n in range(20))
    )
    assert len({one.activity_id for one in posted}) == 20
