"""The stand-in for the Teams connector service, over HTTP as the bot meets it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.control import Fault, serve
from sandbox.teams.app import build_app
from sandbox.teams.directory import Bot, example_directory, example_person
from sandbox.teams.limits import RateLimits
from sandbox.teams.people import Scene
from sandbox.teams.rules import CARD
from sandbox.teams.state import Switches, TeamsState

DIRECTORY = example_directory(bot=Bot(app_id="00000000-0000-0000-0000-00000000000b"))
ANA = DIRECTORY.people[0]
CHANNEL = DIRECTORY.team.channels[1]


@pytest.fixture
def state() -> TeamsState:
    return TeamsState(directory=DIRECTORY, switches=Switches(rate_limits=False))


@pytest.fixture
async def http(state: TeamsState) -> AsyncIterator[httpx.AsyncClient]:
    runner, port = await serve(build_app(state), port=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as client:
        yield client
    await runner.cleanup()


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "text": text}


def card(text: str = "L-0001", *, version: object = "1.5") -> dict[str, Any]:
    content = {"type": "AdaptiveCard", "version": version, "body": [{"type": "TextBlock", "text": text}]}
    return {"type": "message", "summary": text, "attachments": [{"contentType": CARD, "content": content}]}


def new_thread(activity: dict[str, Any], *, channel: str = CHANNEL.id) -> dict[str, Any]:
    return {"isGroup": True, "channelData": {"channel": {"id": channel}}, "activity": activity}


async def open_thread(http: httpx.AsyncClient) -> tuple[str, str]:
    answer = await http.post("/v3/conversations", json=new_thread(card()))
    assert answer.status_code == 201
    return f"/v3/conversations/{answer.json()['id']}", answer.json()["activityId"]


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


class TestConversations:
    async def test_a_thread_is_named_after_its_root(self, http: httpx.AsyncClient) -> None:
        answer = (await http.post("/v3/conversations", json=new_thread(card()))).json()
        assert answer["activityId"].isdecimal()
        assert answer["id"] == f"{CHANNEL.id};messageid={answer['activityId']}"

    async def test_a_chat_is_the_same_each_time(self, http: httpx.AsyncClient) -> None:
        wanted = {"members": [{"id": ANA.id}], "tenantId": DIRECTORY.tenant_id}
        first = (await http.post("/v3/conversations", json=wanted)).json()
        again = (await http.post("/v3/conversations", json={**wanted, "activity": message("Hola")})).json()
        assert first == {"id": ANA.personal_conversation_id}
        assert again["id"] == first["id"]
        assert again["activityId"]

    @pytest.mark.parametrize(
        "wanted",
        [
            {},
            {"members": []},
            {"members": [{"id": ANA.aad_object_id}], "tenantId": DIRECTORY.tenant_id},
            {"members": [{"id": ANA.id}], "tenantId": "another"},
            {"members": [{"id": "29:unknown"}], "tenantId": DIRECTORY.tenant_id},
            {"isGroup": True, "channelData": {"channel": {"id": CHANNEL.id}}},
        ],
    )
    async def test_refuses_malformed_parameters(self, http: httpx.AsyncClient, wanted: dict[str, Any]) -> None:
        assert error_of(await http.post("/v3/conversations", json=wanted)) == (400, "BadArgument")

    async def test_knows_its_own_channels_only(self, http: httpx.AsyncClient) -> None:
        answer = await http.post("/v3/conversations", json=new_thread(card(), channel="19:other@thread.tacv2"))
        assert error_of(answer) == (404, "ConversationNotFound")
        answer = await http.post("/v3/conversations/19:other@thread.tacv2/activities", json=message("Hola"))
        assert error_of(answer) == (404, "ConversationNotFound")

    async def test_refuses_a_team_without_the_app(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        state.switches.in_team = False
        answer = await http.post("/v3/conversations", json=new_thread(card()))
        assert error_of(answer) == (403, "BotNotInConversationRoster")


class TestActivities:
    async def test_a_card_is_sent_answered_edited_and_deleted(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        thread, root = await open_thread(http)
        sent = (await http.post(f"{thread}/activities", json=message("Sigue"))).json()["id"]
        reply = (await http.post(f"{thread}/activities/{root}", json=message("Respuesta"))).json()["id"]
        assert (await http.put(f"{thread}/activities/{root}", json=card("Terminada"))).json() == {"id": root}
        assert (await http.delete(f"{thread}/activities/{sent}")).status_code == 200

        entries = state.transcript.entries
        assert [entry.kind for entry in entries] == ["create", "send", "reply", "update", "delete"]
        assert [entry.activity_id for entry in entries] == [root, sent, reply, root, sent]
        assert entries[2].reply_to == root
        shown = state.message(CHANNEL.id, root)
        assert shown is not None
        assert shown.posted.cards[0]["body"][0]["text"] == "Terminada"

    async def test_what_is_gone_cannot_be_edited_or_answered(self, http: httpx.AsyncClient) -> None:
        thread, root = await open_thread(http)
        await http.delete(f"{thread}/activities/{root}")
        gone = (404, "ActivityNotFoundInConversation")
        assert error_of(await http.put(f"{thread}/activities/{root}", json=card())) == gone
        assert error_of(await http.delete(f"{thread}/activities/{root}")) == gone
        assert error_of(await http.put(f"{thread}/activities/1", json=card())) == gone
        assert error_of(await http.post(f"{thread}/activities", json=card())) == (404, "ConversationNotFound")

    async def test_a_person_s_message_is_not_the_bot_s_to_edit(self, http: httpx.AsyncClient) -> None:
        said = Scene(DIRECTORY, CHANNEL, str(http.base_url)).channel_message(ANA, "estado")
        assert (await http.post("/_control/people", json=said)).status_code == 204
        address = f"/v3/conversations/{said['conversation']['id']}/activities/{said['id']}"
        assert (await http.post(address, json=message("Todo bien"))).status_code == 201
        assert error_of(await http.put(address, json=card())) == (403, "NotEnoughPermissions")

    async def test_text_beside_a_card_gets_no_id(self, http: httpx.AsyncClient) -> None:
        thread, _ = await open_thread(http)
        assert (await http.post(f"{thread}/activities", json={**card(), "text": "Mirá"})).json() == {}

    @pytest.mark.parametrize(
        "activity",
        [
            {},
            {"type": "invention"},
            {"type": "message"},
            {"type": "message", "text": 7},
            {"type": "message", "attachments": {}},
            {"type": "message", "attachments": [{"content": {}}]},
            {"type": "message", "attachments": [{"contentType": CARD}]},
            card(version="1.6"),
            card(version="2.0"),
            card(version=1.5),
        ],
    )
    async def test_refuses_malformed_activities(self, http: httpx.AsyncClient, activity: dict[str, Any]) -> None:
        thread, root = await open_thread(http)
        assert error_of(await http.post(f"{thread}/activities", json=activity)) == (400, "BadArgument")
        assert error_of(await http.put(f"{thread}/activities/{root}", json=activity)) == (400, "BadArgument")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
    async def test_refuses_what_is_no_json_object(self, http: httpx.AsyncClient, body: bytes) -> None:
        answer = await http.post("/v3/conversations", content=body, headers={"Content-Type": "application/json"})
        assert error_of(answer) == (400, "BadSyntax")

    async def test_counts_size_as_utf_16_without_images(self, http: httpx.AsyncClient) -> None:
        thread, _ = await open_thread(http)
        assert (await http.post(f"{thread}/activities", json=message("ñ" * 51_000))).status_code == 201
        assert error_of(await http.post(f"{thread}/activities", json=message("a" * 52_000))) == (
            413,
            "MessageSizeTooBig",
        )
        picture = card("data:image/png;base64," + "A" * 60_000)
        assert (await http.post(f"{thread}/activities", json=picture)).status_code == 201

    async def test_asks_for_a_token_when_told_to(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        state.switches.accepted_tokens = frozenset({"right"})
        assert error_of(await http.post("/v3/conversations", json=new_thread(card()))) == (401, "BotNotRegistered")
        http.headers["Authorization"] = "Bearer right"
        await open_thread(http)


class TestLimits:
    async def test_a_channel_takes_seven_sends_a_second(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        thread, _ = await open_thread(http)
        state.switches.rate_limits = True
        codes = [(await http.post(f"{thread}/activities", json=message("Hola"))).status_code for _ in range(7)]
        assert codes == [201] * 7
        refused = await http.post(f"/v3/conversations/{CHANNEL.id}/activities", json=message("Hola"))
        assert error_of(refused) == (429, "Throttled")
        assert refused.headers["Retry-After"] == "1"
        assert (await http.get(f"{thread}/members")).status_code == 200  # reads are counted apart

    def test_every_window_counts(self) -> None:
        clock = [0.0]
        limits = RateLimits(now=lambda: clock[0])
        for second in range(60):
            clock[0] = second / 2.5
            assert limits.admit("send", "channel") is None
        clock[0] = 24.0
        assert limits.admit("send", "channel") == 6  # until the first of 60 is 30 s old
        assert limits.admit("send", "another") is None
        clock[0] = 30.0
        assert limits.admit("send", "channel") is None

    async def test_operations_that_overlap_are_refused_when_told_to(
        self, http: httpx.AsyncClient, state: TeamsState
    ) -> None:
        thread, root = await open_thread(http)
        state.switches = Switches(rate_limits=False, refuse_overlap=True, latency_s=0.1)
        sends = (http.put(f"{thread}/activities/{root}", json=card(str(number))) for number in range(2))
        codes = sorted(answer.status_code for answer in await asyncio.gather(*sends))
        assert codes == [200, 412]


class TestFaults:
    async def test_a_refusal_says_what_the_service_says(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        state.control.add_fault(Fault(match="create", action="status", status=429, retry_after_s=3, times=1))
        refused = await http.post("/v3/conversations", json=new_thread(card()))
        assert error_of(refused) == (429, "Throttled")
        assert refused.headers["Retry-After"] == "3"
        await open_thread(http)

    async def test_an_answer_can_be_lost_after_the_work(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        state.control.add_fault(Fault(match="send", action="cut_after", times=1))
        thread, _ = await open_thread(http)
        with pytest.raises(httpx.TransportError):
            await http.post(f"{thread}/activities", json=message("Hola"))
        assert state.transcript.entries[-1].text == "Hola"


class TestRoster:
    async def test_members_are_found_by_each_identity(self, http: httpx.AsyncClient) -> None:
        thread, _ = await open_thread(http)
        roster = (await http.get(f"{thread}/members")).json()
        assert [member["name"] for member in roster] == [person.name for person in DIRECTORY.people]
        for identity in (ANA.id, ANA.aad_object_id, ANA.user_principal_name.upper()):
            member = (await http.get(f"{thread}/members/{identity}")).json()
            assert member["objectId"] == ANA.aad_object_id
        assert error_of(await http.get(f"{thread}/members/29:nobody")) == (404, "MemberNotFoundInConversation")

    async def test_pages_hold_at_least_fifty(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        crowd = tuple(example_person(f"Persona {number}") for number in range(60))
        state.directory = type(DIRECTORY)(DIRECTORY.tenant_id, DIRECTORY.team, crowd)
        address = f"/v3/conversations/{CHANNEL.id}/pagedmembers"
        first = (await http.get(address, params={"pageSize": 5})).json()
        rest = (await http.get(address, params={"continuationToken": first["continuationToken"]})).json()
        assert (len(first["members"]), len(rest["members"])) == (50, 10)
        assert "continuationToken" not in rest

    async def test_a_chat_has_one_member(self, http: httpx.AsyncClient) -> None:
        roster = (await http.get(f"/v3/conversations/{ANA.personal_conversation_id}/members")).json()
        assert [member["id"] for member in roster] == [ANA.id]


class TestTranscript:
    async def test_gives_what_is_new(self, http: httpx.AsyncClient) -> None:
        await open_thread(http)
        answer = (await http.get("/_control/transcript")).json()
        assert answer["next"] == 1
        assert answer["entries"][0]["card"]["body"][0]["text"] == "L-0001"
        assert (await http.get("/_control/transcript", params={"since": 1})).json() == {"entries": [], "next": 1}

    async def test_wakes_who_waits(self, http: httpx.AsyncClient) -> None:
        waiting = asyncio.create_task(http.get("/_control/transcript", params={"since": 0, "wait": 5}))
        await asyncio.sleep(0.05)
        await open_thread(http)
        assert (await waiting).json()["next"] == 1

    async def test_finds_the_first_that_fits(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        finding = asyncio.create_task(state.transcript.first(lambda entry: entry.kind == "update", timeout_s=5))
        thread, root = await open_thread(http)
        await http.put(f"{thread}/activities/{root}", json=card("Movida"))
        assert (await finding).summary == "Movida"
        with pytest.raises(TimeoutError):
            await state.transcript.first(lambda entry: entry.kind == "delete", timeout_s=0.05)

    async def test_reset_begins_anew(self, http: httpx.AsyncClient, state: TeamsState) -> None:
        await open_thread(http)
        assert (await http.get("/_control/state")).json() == {"messages": 1, "transcript": 1}
        await http.post("/_control/reset")
        assert (await http.get("/_control/state")).json() == {"messages": 0, "transcript": 0}

    async def test_refuses_a_cursor_that_is_no_number(self, http: httpx.AsyncClient) -> None:
        assert (await http.get("/_control/transcript", params={"since": "x"})).status_code == 400


class TestPeople:
    SCENE = Scene(DIRECTORY, CHANNEL, "http://127.0.0.1:1/")

    def test_a_channel_message_mentions_the_bot(self) -> None:
        said = self.SCENE.channel_message(ANA, "activar aspirantes")
        assert said["text"] == "<at>Lucy</at> activar aspirantes"
        assert said["entities"][0]["mentioned"]["id"] == said["recipient"]["id"] == DIRECTORY.bot.id
        assert said["conversation"]["id"] == f"{CHANNEL.id};messageid={said['id']}"
        assert said["channelData"]["tenant"]["id"] == said["conversation"]["tenantId"] == DIRECTORY.tenant_id
        assert said["from"] == {"id": ANA.id, "name": ANA.name, "aadObjectId": ANA.aad_object_id}

    def test_an_answer_stays_in_its_thread(self) -> None:
        root = self.SCENE.channel_message(ANA, "estado")
        said = self.SCENE.channel_message(ANA, "aprobar L-0001", thread=root["id"])
        assert said["conversation"] == root["conversation"]
        assert said["id"] != root["id"]

    def test_a_card_action_carries_verb_and_data(self) -> None:
        pressed = self.SCENE.card_action(ANA, verb="batch.approve", data={"batch": "L-0001"}, card_activity_id="17")
        assert (pressed["type"], pressed["name"], pressed["replyToId"]) == ("invoke", "adaptiveCard/action", "17")
        assert pressed["value"]["action"]["verb"] == "batch.approve"
        assert pressed["value"]["action"]["data"] == {"batch": "L-0001"}
        assert pressed["conversation"]["id"] == f"{CHANNEL.id};messageid=17"

    def test_a_private_message_names_no_channel(self) -> None:
        said = self.SCENE.personal_message(ANA, "ayuda")
        assert said["conversation"]["id"] == ANA.personal_conversation_id
        assert set(said["channelData"]) == {"tenant"}

    def test_the_bot_hears_that_it_was_added(self) -> None:
        added = self.SCENE.bot_added(ANA)
        assert added["membersAdded"] == [{"id": DIRECTORY.bot.id}]
        installed = self.SCENE.installation_update(ANA)
        assert (installed["action"], installed["channelData"]["settings"]["selectedChannel"]["id"]) == (
            "add",
            CHANNEL.id,
        )

    def test_every_activity_is_json_with_its_own_id(self) -> None:
        said = self.SCENE.channel_message(ANA, "estado")
        activities = [
            said,
            self.SCENE.personal_message(ANA, "estado"),
            self.SCENE.card_action(ANA, verb="v", data={}, card_activity_id="1", personal=True),
            self.SCENE.bot_added(ANA),
            self.SCENE.installation_update(ANA, action="remove"),
        ]
        assert len({json.loads(json.dumps(activity))["id"] for activity in activities}) == len(activities)
        assert self.SCENE.edited(said, "otra cosa") | {"type": "message"} != said
        assert self.SCENE.edited(said, "otra cosa")["id"] == said["id"]
