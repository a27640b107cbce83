"""From an activity of the Bot Framework to a turn of ours.

Who spoke and where comes from the fields that the Teams service fills in, never from the text, which a sender can write
as she likes. Fields: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from bot.incoming_text import clean, plain_text, without_mentions

CARD_ACTION = "adaptiveCard/action"


class TurnKind(StrEnum):
    MESSAGE = "message"
    CARD_ACTION = "card_action"
    INSTALLED = "installed"
    REMOVED = "removed"
    OTHER = "other"  # edits, deletions, reactions, people coming and going, invokes that are not ours


class ConversationType(StrEnum):
    CHANNEL = "channel"
    PERSONAL = "personal"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever spoke. Authorise by `entra_id` only; `teams_id` (`29:…`) is what user-specific views need."""

    entra_id: str
    teams_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that happened in a conversation. Empty strings where the activity did not say.

    `conversation_id` is as received (with `;messageid=` in a thread), `base_conversation` without it, `thread_root` the
    id of the thread's first message. `channel_id` is the channel's own id, `reply_to_id` the message with the card that
    was pressed. `trigger` is `manual` or `automatic` (a refresh that the client did by itself).
    """

    kind: TurnKind
    is_invoke: bool
    activity_id: str
    conversation_id: str
    base_conversation: str
    thread_root: str
    conversation_type: ConversationType
    tenant_id: str
    team_id: str
    channel_id: str
    service_url: str
    person: Person
    text: str = field(default="", repr=False)
    verb: str = ""
    data: Mapping[str, object] = field(default_factory=dict, repr=False)
    reply_to_id: str = ""
    trigger: str = "manual"
    timestamp: datetime | None = None


def read_turn(activity: Mapping[str, object]) -> Turn | None:
    """The turn that an activity is; None when it is none (no type, no conversation, no service URL)."""
    activity_type = _text(activity, "type")
    conversation = _mapping(activity, "conversation")
    conversation_id = _text(conversation, "id")
    service_url = _text(activity, "serviceUrl")
    if not (activity_type and conversation_id and service_url):
        return None
    base, thread_root = split_thread(conversation_id)
    if not base:
        return None
    kind = _kind(activity, activity_type)
    place = _mapping(activity, "channelData")
    where = _conversation_type(conversation, place, base)
    verb, data, trigger = _card_action(activity, kind)
    return Turn(
        kind=kind,
        is_invoke=activity_type == "invoke",
        activity_id=_text(activity, "id"),
        conversation_id=conversation_id,
        base_conversation=base,
        thread_root=thread_root,
        conversation_type=where,
        tenant_id=_text(_mapping(place, "tenant"), "id") or _text(conversation, "tenantId"),
        team_id=_text(_mapping(place, "team"), "id"),
        channel_id=_channel_id(place, base) if where is ConversationType.CHANNEL else "",
        service_url=service_url,
        person=_person(_mapping(activity, "from")),
        text=_message_text(activity) if kind is TurnKind.MESSAGE else "",
        verb=verb,
        data=data,
        reply_to_id=_text(activity, "replyToId"),
        trigger=trigger,
        timestamp=_moment(_text(activity, "timestamp")),
    )


_THREAD = re.compile(r"(?P<base>.*?);messageid=(?P<root>[^;]*)(?:;.*)?", re.IGNORECASE | re.DOTALL)


def split_thread(conversation_id: str) -> tuple[str, str]:
    """`19:…@thread.tacv2;messageid=17` → (`19:…@thread.tacv2`, `17`)."""
    match = _THREAD.fullmatch(conversation_id)
    return (match["base"], match["root"]) if match else (conversation_id, "")


def _kind(activity: Mapping[str, object], activity_type: str) -> TurnKind:
    """messageUpdate is an edit: a command is not run again because somebody mended a letter."""
    if activity_type == "message":
        return TurnKind.MESSAGE
    if activity_type == "invoke" and activity.get("name") == CARD_ACTION:
        return TurnKind.CARD_ACTION
    if activity_type == "installationUpdate" and _text(activity, "action").startswith("add"):
        return TurnKind.INSTALLED
    if activity_type == "installationUpdate" and _text(activity, "action").startswith("remove"):
        return TurnKind.REMOVED
    if activity_type == "conversationUpdate" and _names_the_bot(activity, "membersAdded"):
        return TurnKind.INSTALLED
    if activity_type == "conversationUpdate" and _names_the_bot(activity, "membersRemoved"):
        return TurnKind.REMOVED
    return TurnKind.OTHER


def _names_the_bot(activity: Mapping[str, object], where: str) -> bool:
    """Whether the bot is among those who came, or went."""
    bot = _text(_mapping(activity, "recipient"), "id")
    moved = activity.get(where)
    members = moved if isinstance(moved, list) else []
    return bool(bot) and any(isinstance(member, Mapping) and member.get("id") == bot for member in members)


_TYPES = {
    "channel": ConversationType.CHANNEL,
    "personal": ConversationType.PERSONAL,
    "groupchat": ConversationType.GROUP,
}
_CHANNEL_ID = re.compile(r"19:.*@thread\.(tacv2|skype)", re.DOTALL)


def _conversation_type(conversation: Mapping[str, object], place: Mapping[str, object], base: str) -> ConversationType:
    """What the service says; else what can be told from the rest. Unknown is a group, which is not served."""
    named = _TYPES.get(_text(conversation, "conversationType").lower())
    if named is not None:
        return named
    if _mapping(place, "channel") or _mapping(place, "team") or _CHANNEL_ID.fullmatch(base):
        return ConversationType.CHANNEL
    if conversation.get("isGroup") is not True and base.startswith("a:"):
        return ConversationType.PERSONAL
    return ConversationType.GROUP


def _channel_id(place: Mapping[str, object], base: str) -> str:
    """On installation the channel stands under `settings.selectedChannel`, if at all."""
    selected = _mapping(_mapping(place, "settings"), "selectedChannel")
    return _text(_mapping(place, "channel"), "id") or _text(selected, "id") or base


def _person(sender: Mapping[str, object]) -> Person:
    return Person(
        entra_id=_text(sender, "aadObjectId").lower(),
        teams_id=_text(sender, "id"),
        name=" ".join(_text(sender, "name").split()),
    )


def _message_text(activity: Mapping[str, object]) -> str:
    entities = activity.get("entities")
    bot = _text(_mapping(activity, "recipient"), "id")
    mentions = [
        (_text(entity, "text"), _text(_mapping(entity, "mentioned"), "name"))
        for entity in (entities if isinstance(entities, list) else [])
        if isinstance(entity, Mapping)
        and _text(entity, "type").lower() == "mention"
        and bot
        and _text(_mapping(entity, "mentioned"), "id") == bot
    ]
    text = activity.get("text")
    return plain_text(without_mentions(text if isinstance(text, str) else "", mentions))


def _card_action(activity: Mapping[str, object], kind: TurnKind) -> tuple[str, Mapping[str, object], str]:
    """The verb, the data and the trigger of a press; the data of an old client's Submit for a message."""
    value = _mapping(activity, "value")
    if kind is TurnKind.MESSAGE:
        return "", _cleaned(value), "manual"
    if kind is not TurnKind.CARD_ACTION:
        return "", {}, "manual"
    action = _mapping(value, "action")
    return _text(action, "verb"), _cleaned(_mapping(action, "data")), _text(value, "trigger") or "manual"


def _cleaned(data: Mapping[str, object]) -> dict[str, object]:
    """The values of a card's inputs without what no database or log can hold."""
    return {clean(key): clean(value) if isinstance(value, str) else value for key, value in data.items()}


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _mapping(holder: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(holder: Mapping[str, object], name: str) -> str:
    value = holder.get(name)
    return clean(value).strip() if isinstance(value, str) else ""
