"""Activities as Teams sends them, and as it never should."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turns import ConversationType, Person, Turn, TurnKind, read_turn, split_thread
from sandbox.teams.directory import example_directory
from sandbox.teams.people import Scene

DIRECTORY = example_directory()
SCENE = Scene(DIRECTORY, DIRECTORY.team.channels[1], "http://127.0.0.1:9/")
ANA = DIRECTORY.people[0]


def read(activity: dict[str, Any]) -> Turn:
    turn = read_turn(activity)
    assert turn is not None
    return turn


def said(text: str, **more: Any) -> str:
    """What a channel message says after its mention is taken out."""
    return read(SCENE.channel_message(ANA, "x") | {"text": text} | more).text


def test_a_message_in_a_channel() -> None:
    activity = SCENE.channel_message(ANA, "alumno 40.123.456", thread="17")
    turn = read(activity)
    assert turn.kind is TurnKind.MESSAGE
    assert not turn.is_invoke
    assert turn.activity_id == activity["id"]
    assert turn.conversation_id == f"{SCENE.channel.id};messageid=17"
    assert turn.base_conversation == turn.channel_id == SCENE.channel.id
    assert turn.thread_root == turn.reply_to_id == "17"
    assert turn.conversation_type is ConversationType.CHANNEL
    assert (turn.tenant_id, turn.team_id) == (DIRECTORY.tenant_id, DIRECTORY.team.id)
    assert turn.service_url == SCENE.service_url
    assert turn.person == Person(ANA.aad_object_id, ANA.id, ANA.name)
    assert turn.text == "alumno 40.123.456"
    assert turn.timestamp is not None
    assert turn.timestamp.tzinfo is UTC


def test_a_message_in_a_personal_chat_has_no_channel() -> None:
    turn = read(SCENE.personal_message(ANA, "ayuda"))
    assert turn.conversation_type is ConversationType.PERSONAL
    assert (turn.team_id, turn.channel_id, turn.thread_root) == ("", "", "")
    assert turn.text == "ayuda"


def test_a_press_on_a_card() -> None:
    turn = read(
        SCENE.card_action(
            ANA,
            verb="batch.approve",
            data={"batch": 42, "reason": "ok\u0000"},
            card_activity_id="99",
            trigger="automatic",
        )
    )
    assert turn.kind is TurnKind.CARD_ACTION
    assert turn.is_invoke
    assert (turn.verb, turn.data, turn.reply_to_id, turn.trigger) == (
        "batch.approve",
        {"batch": 42, "reason": "ok"},
        "99",
        "automatic",
    )
    assert turn.text == ""


@pytest.mark.parametrize("value", [None, "x", [], {"action": "x"}, {"action": {"verb": 3, "data": []}}])
def test_a_press_without_a_readable_action_has_no_verb(value: object) -> None:
    turn = read(SCENE.card_action(ANA, verb="v", data={}, card_activity_id="1") | {"value": value})
    assert (turn.kind, turn.verb, turn.data) == (TurnKind.CARD_ACTION, "", {})


def test_installation() -> None:
    added, update = read(SCENE.bot_added(ANA)), read(SCENE.installation_update(ANA))
    assert added.kind is update.kind is TurnKind.INSTALLED
    assert added.channel_id == DIRECTORY.team.id  # the General channel
    assert update.channel_id == SCENE.channel.id  # the one that was selected


def test_being_taken_out() -> None:
    bot = {"id": SCENE.directory.bot.id}
    removed = SCENE.bot_added(ANA) | {"membersAdded": [], "membersRemoved": [bot]}
    for activity in (SCENE.installation_update(ANA, action="remove"), removed):
        assert read(activity).kind is TurnKind.REMOVED
    somebody = removed | {"membersRemoved": [{"id": ANA.id}]}
    assert read(somebody).kind is TurnKind.OTHER


def test_what_is_no_command() -> None:
    message = SCENE.channel_message(ANA, "aprobar L-0042")
    others = [
        SCENE.edited(message, "aprobar L-0043"),
        SCENE.bot_added(ANA) | {"membersAdded": [{"id": ANA.id}]},
        message | {"type": "messageReaction"},
        SCENE.card_action(ANA, verb="v", data={}, card_activity_id="1") | {"name": "task/fetch"},
    ]
    assert [read(activity).kind for activity in others] == [TurnKind.OTHER] * 4
    assert {read(activity).text for activity in others} == {""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<at>Lucy</at> estado", "estado"),
        ("<at>Lucy</at>&nbsp;estado\u200b", "estado"),
        ("estado <at>Lucy</at>", "estado"),
        ('<at id="0">Lucy</at> estado', "estado"),
        ("<at>Lucy</at> Lucyana Lucy", "Lucyana Lucy"),
        ("<at>Lucy</at> <at>Ana</at> hola", "Ana hola"),
        ("<at>Lucy</at> <div>alumno</div><div><b>Pérez</b></div>", "alumno\nPérez"),
        ("<at>Lucy</at> activar\r\n\r\n40123456<br/>40123457", "activar\n40123456\n40123457"),
        ("<at>Lucy</at> a &lt; b &amp; c", "a < b & c"),
        ("<at>Lucy</at> 1 < 2", "1 < 2"),
        ("<at>Lucy</at> Mari\u0301a\u0000 \ud800x", "María x"),
        ("<at>Lucy</at>", ""),
    ],
)
def test_text_without_what_teams_wraps_around_it(text: str, expected: str) -> None:
    assert said(text) == expected


def test_only_the_entities_that_mention_the_bot_are_taken_out() -> None:
    entity = {"type": "mention", "mentioned": {"id": "29:other", "name": "Ana"}, "text": "<at>Ana</at>"}
    assert said("<at>Ana</at> hola", entities=[entity, "x", None]) == "Ana hola"
    assert said("<at>Ana</at> hola", entities=[{**entity, "mentioned": {"id": ""}}], recipient={}) == "Ana hola"
    assert said("<at>Lucy</at> hola", entities="x") == "Lucy hola"


def test_identity_never_comes_from_the_text() -> None:
    turn = read(SCENE.channel_message(ANA, "from: Bruno aadObjectId=0") | {"from": {"name": "Bruno\u202e Aprobador"}})
    assert turn.person == Person("", "", "Bruno Aprobador")


@pytest.mark.parametrize(
    ("conversation", "place", "expected"),
    [
        ({"conversationType": "groupChat"}, {}, ConversationType.GROUP),
        ({}, {"channel": {"id": "19:c"}}, ConversationType.CHANNEL),
        ({"id": "19:c@thread.skype;messageid=1"}, {}, ConversationType.CHANNEL),
        ({"id": "a:1"}, {}, ConversationType.PERSONAL),
        ({"id": "a:1", "isGroup": True}, {}, ConversationType.GROUP),
        ({"id": "19:x@thread.v2", "conversationType": "meeting"}, {}, ConversationType.GROUP),
    ],
)
def test_an_unknown_kind_of_conversation_is_a_group(
    conversation: dict[str, object], place: dict[str, object], expected: ConversationType
) -> None:
    activity = SCENE.personal_message(ANA, "x")
    turn = read(activity | {"conversation": {"id": "x"} | conversation, "channelData": place})
    assert turn.conversation_type is expected


@pytest.mark.parametrize("missing", ["type", "conversation", "serviceUrl"])
def test_without_these_it_is_no_activity(missing: str) -> None:
    activity = SCENE.channel_message(ANA, "x")
    assert read_turn({key: value for key, value in activity.items() if key != missing}) is None
    assert read_turn(activity | {missing: 5}) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-24T08:15:00.1234567Z", datetime(2026, 11, 24, 8, 15, 0, 123456, UTC)),
        ("2026-11-24T05:15:00-03:00", datetime(2026, 11, 24, 8, 15, tzinfo=UTC)),
        ("2026-11-24T08:15:00", datetime(2026, 11, 24, 8, 15, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_timestamps(written: str, expected: datetime | None) -> None:
    assert read(SCENE.personal_message(ANA, "x") | {"timestamp": written}).timestamp == expected


def test_thread_ids() -> None:
    assert split_thread("19:c@thread.tacv2;messageid=17") == ("19:c@thread.tacv2", "17")
    assert split_thread("19:c@thread.tacv2") == ("19:c@thread.tacv2", "")
    assert split_thread("19:c;messageid=17;x=1") == ("19:c", "17")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["type", "id", "conversation", "serviceUrl", "from", "recipient", "text", "entities", "value", "channelData"]


@given(st.dictionaries(st.sampled_from([*FIELDS, "membersAdded", "timestamp", "name", "action"]), JSON))
def test_no_json_makes_it_fail(broken: dict[str, object]) -> None:
    read_turn(broken)
    turn = read_turn({"type": "message", "conversation": {"id": "a"}, "serviceUrl": "s"} | broken)
    assert turn is None or "\x00" not in turn.text
