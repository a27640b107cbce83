"""Real activities posted to the real app; what it posts back is collected by the connector stand-in."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bot.adapter import BotAdapter
from bot.answers import Answer, InvokeCard, InvokeMessage, Reply
from bot.app import BODY_LIMIT, build_app, serving
from bot.turns import Turn, TurnKind
from lucy.errors import ConfigurationError, RequestError
from lucy.ports import PostedMessage
from tests.integration.bot.bench import CARD, Scripted, bench, ready, settings

HTML_OR_TRACE = ("Traceback", 'File "', "Error:")


def saying(*replies: Reply) -> Scripted:
    return Scripted(lambda turn: Answer(replies=replies))


async def test_a_message_is_answered_in_its_thread() -> None:
    posted: list[PostedMessage] = []

    async def note(message: PostedMessage) -> None:
        posted.append(message)

    replies = (Reply(card=CARD, summary="Lote L-0042", on_posted=note), Reply(text="*listo*"))
    async with bench(saying(*replies)) as b:
        activity = b.scene.channel_message(b.ana, "estado")
        answer = await b.post(activity)
        assert (answer.status_code, answer.content) == (201, b"")
        card, text = b.teams.transcript.since(0)
        assert card.conversation == text.conversation == activity["conversation"]["id"]
        assert card.reply_to == activity["id"]
        assert (card.card, card.summary, card.text) == (CARD, "Lote L-0042", "")
        assert (text.text, text.cards) == ("*listo*", ())
        assert posted == [PostedMessage(activity["conversation"]["id"], card.activity_id)]
        (turn,) = b.handler.heard
        assert (turn.kind, turn.text, turn.person.name) == (TurnKind.MESSAGE, "estado", b.ana.name)


async def test_a_personal_chat_is_answered_there() -> None:
    async with bench(saying(Reply(text="hola"))) as b:
        assert (await b.post(b.scene.personal_message(b.ana, "ayuda"))).status_code == 201
        assert [e.conversation for e in b.teams.transcript.since(0)] == [b.ana.personal_conversation_id]


async def test_silence_and_installation() -> None:
    async with bench() as b:
        for activity in (b.scene.bot_added(b.ana), b.scene.installation_update(b.ana)):
            assert (await b.post(activity)).status_code == 201
        assert [turn.kind for turn in b.handler.heard] == [TurnKind.INSTALLED] * 2
        assert b.teams.transcript.since(0) == []


@pytest.mark.parametrize(
    ("invoke", "expected"),
    [
        (InvokeCard(CARD), {"type": "application/vnd.microsoft.card.adaptive", "value": CARD}),
        (InvokeMessage("Ya estaba"), {"type": "application/vnd.microsoft.activity.message", "value": "Ya estaba"}),
        (None, {"type": "application/vnd.microsoft.activity.message", "value": "Listo."}),
    ],
)
async def test_a_press_is_answered_in_the_response(
    invoke: InvokeCard | InvokeMessage | None, expected: dict[str, object]
) -> None:
    async with bench(Scripted(lambda turn: Answer(replies=(Reply(text="además"),), invoke=invoke))) as b:
        press = b.scene.card_action(b.ana, verb="batch.approve", data={"batch": 42}, card_activity_id="1700000000001")
        answer = await b.post(press)
        assert answer.status_code == 200
        assert answer.json() == {"statusCode": 200, **expected}
        assert [entry.text for entry in b.teams.transcript.since(0)] == ["además"]
        assert b.handler.heard[0].verb == "batch.approve"


async def test_an_invoke_of_another_kind_is_not_implemented() -> None:
    async with bench() as b:
        press = b.scene.card_action(b.ana, verb="v", data={}, card_activity_id="1") | {"name": "task/fetch"}
        assert (await b.post(press)).status_code == 501


async def test_a_place_that_is_not_ours_gets_a_quiet_403() -> None:
    async with bench(Scripted(lambda turn: Answer.refused())) as b:
        press = b.scene.card_action(b.ana, verb="v", data={}, card_activity_id="1")
        for activity in (b.scene.channel_message(b.ana, "x"), press):
            answer = await b.post(activity)
            assert (answer.status_code, answer.content) == (403, b"")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"null", b"{}", b"\xff\xfe\x00", b"[" * 100_000, b'{"type":"message"}']
)
async def test_what_is_no_activity_is_refused(body: bytes) -> None:
    async with bench() as b:
        answer = await b.http.post("/api/messages", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert not any(mark in answer.text for mark in HTML_OR_TRACE)
        assert b.handler.heard == []


async def test_odd_types_in_an_activity_do_not_trip_it() -> None:
    async with bench() as b:
        odd = {"from": 3, "recipient": [], "channelData": "x", "entities": {}, "timestamp": 5, "value": [], "id": {}}
        assert (await b.post(b.scene.channel_message(b.ana, "x") | odd)).status_code == 201


async def test_too_large_and_of_another_type() -> None:
    async def pieces() -> Any:
        for _piece in range(5):
            yield b" " * (BODY_LIMIT // 4)

    json_type = {"Content-Type": "application/json"}
    async with bench() as b:
        large = await b.http.post("/api/messages", content=b" " * (BODY_LIMIT + 1), headers=json_type)
        chunked = await b.http.post("/api/messages", content=pieces(), headers=json_type)
        form = await b.http.post("/api/messages", data={"type": "message"})
        assert [large.status_code, chunked.status_code, form.status_code] == [413, 413, 415]
        assert (await b.http.get("/api/messages")).status_code == 405


async def test_a_failure_in_the_handler_reaches_people_as_a_sentence_only() -> None:
    def fail(turn: Turn) -> Answer:
        raise RuntimeError("secret of the house")

    async with bench(Scripted(fail)) as b:
        with capture_logs() as logs:
            message = await b.post(b.scene.channel_message(b.ana, "x"))
            press = await b.post(b.scene.card_action(b.ana, verb="v", data={}, card_activity_id="1"))
            quiet = await b.post(b.scene.bot_added(b.ana))
        assert [message.status_code, press.status_code, quiet.status_code] == [201, 200, 201]
        (entry,) = b.teams.transcript.since(0)
        for text in (entry.text, press.json()["value"]):
            assert text.startswith("No pude hacerlo")
            assert "house" not in text
        assert press.json()["type"] == "application/vnd.microsoft.activity.message"
        assert [log["event"] for log in logs if log["log_level"] == "error"] == ["turn_failed"] * 3


async def test_what_cannot_be_done_as_asked_is_said_as_it_is() -> None:
    def refuse(turn: Turn) -> Answer:
        raise RequestError("¿De quiénes?")

    async with bench(Scripted(refuse)) as b:
        await b.post(b.scene.channel_message(b.ana, "activar"))
        press = await b.post(b.scene.card_action(b.ana, verb="v", data={}, card_activity_id="1"))
        assert [entry.text for entry in b.teams.transcript.since(0)] == ["¿De quiénes?"]
        assert press.json()["value"] == "¿De quiénes?"


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("status", {"status": 403}),
        ("status", {"status": 429, "retry_after_s": 30}),
        ("status", {"status": 500}),
        ("cut_before", {}),
        ("html", {}),
        ("malformed", {}),
    ],
)
async def test_a_reply_that_teams_does_not_take_leaves_the_turn_done(action: str, more: dict[str, Any]) -> None:
    async def note(message: PostedMessage) -> None:
        raise AssertionError("nothing was posted")

    say = Scripted(lambda turn: Answer(replies=(Reply(card=CARD, on_posted=note),), invoke=InvokeCard(CARD)))
    async with bench(say) as b:
        b.fail("reply", action, **more)
        with capture_logs() as logs:
            press = await b.post(b.scene.card_action(b.ana, verb="v", data={}, card_activity_id="1"))
        assert (press.status_code, press.json()["value"]) == (200, CARD)
        assert [log["code"] for log in logs if log["event"] == "reply_not_sent"] == ["T-012"]


async def test_a_failure_to_note_where_a_card_stands_is_no_failure_of_the_turn() -> None:
    async def note(message: PostedMessage) -> None:
        raise RuntimeError("the database is away")

    say = Scripted(lambda turn: Answer(replies=(Reply(card=CARD, on_posted=note),), invoke=InvokeCard(CARD)))
    async with bench(say) as b:
        with capture_logs() as logs:
            press = await b.post(b.scene.card_action(b.ana, verb="v", data={}, card_activity_id="1"))
        assert press.json()["value"] == CARD
        assert "posted_but_not_noted" in [log["event"] for log in logs]


async def test_without_authentication_the_bot_speaks_to_this_machine_only() -> None:
    async with bench(saying(Reply(text="hola"))) as b:
        for url in ("https://smba.example/", "http://[::1", "x"):
            answer = await b.post(b.scene.channel_message(b.ana, "x") | {"serviceUrl": url})
            assert answer.status_code == 401
        assert b.handler.heard == []


async def test_concurrent_turns_do_not_mix() -> None:
    async def slow(turn: Turn) -> Answer:
        await asyncio.sleep(0.05)
        return Answer(replies=(Reply(text=turn.text),))

    async with bench(Scripted(slow)) as b:
        activities = [b.scene.channel_message(b.ana, f"n{n}") for n in range(6)]
        await asyncio.gather(*(b.post(activity) for activity in activities))
        said = {entry.reply_to: entry.text for entry in b.teams.transcript.since(0)}
        assert said == {activity["id"]: f"n{n}" for n, activity in enumerate(activities)}


async def test_nothing_of_the_person_or_the_text_is_logged() -> None:
    async with bench(saying(Reply(text="Pérez, 40123456"))) as b:
        with capture_logs() as logs:
            await b.post(b.scene.channel_message(b.ana, "alumno Pérez 40123456"), Authorization="Bearer abc")
        told = json.dumps(logs)
        for private in ("Pérez", "40123456", b.ana.name, b.ana.aad_object_id, "abc"):
            assert private not in told
        assert [log["event"] for log in logs] == ["turn"]


async def test_health() -> None:
    async def broken() -> Mapping[str, str]:
        return {"database": "no connection to 10.0.0.1 as lucy", "broker": "refused"}

    async def failing() -> Mapping[str, str]:
        raise OSError("secret address")

    async with bench() as b:
        assert (await b.http.get("/healthz")).json() == {"status": "ok"}
        assert (await b.http.get("/readyz")).json() == {"status": "ready"}
        assert (await b.http.get("/metrics")).status_code == 404
    async with bench(readiness=broken) as b:
        answer = await b.http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "not ready", "problems": ["broker", "database"]}
    async with bench(readiness=failing) as b:
        answer = await b.http.get("/readyz")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["readiness"])
        assert (await b.http.get("/healthz")).status_code == 200


async def test_metrics_have_a_port_of_their_own(unused_tcp_port: int) -> None:
    configuration = settings(metrics_port=unused_tcp_port)
    async with (
        serving(configuration, build_app(configuration, Scripted(), ready)) as listening,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        assert listening.metrics_port == unused_tcp_port
        metrics = await http.get(f"http://127.0.0.1:{unused_tcp_port}/metrics")
        assert "lucy_turns_total" in metrics.text
        assert (await http.get(f"http://127.0.0.1:{unused_tcp_port}/healthz")).status_code == 404


async def test_anonymous_only_in_the_sandbox_on_loopback() -> None:
    for changed in ({"mode": "production"}, {"bot_host": "0.0.0.0"}):
        with pytest.raises(ConfigurationError):
            BotAdapter(settings(**changed))
    with pytest.raises(ConfigurationError, match="LUCY_TENANT_ID"):
        BotAdapter(settings(bot_app_id="app", bot_app_password="secret"))
