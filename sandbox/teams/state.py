"""What the simulated service knows and does, apart from HTTP: conversations, messages. Raises ConnectorError."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.control import Control
from sandbox.teams import errors
from sandbox.teams.directory import Directory, Person, example_directory
from sandbox.teams.ids import base_of, new_activity_id, root_of
from sandbox.teams.limits import RateLimits
from sandbox.teams.rules import Posted, read_activity
from sandbox.teams.transcript import Transcript

OPERATIONS = ("create", "send", "reply", "update", "delete", "members")


@dataclass
class Switches:
    """How strict the service is. `accepted_tokens` None: no token is asked for.

    `latency_s` is how long an operation holds its conversation; with `refuse_overlap` a second one meanwhile gets 412.
    """

    rate_limits: bool = True
    refuse_overlap: bool = False
    latency_s: float = 0.0
    accepted_tokens: frozenset[str] | None = None
    in_team: bool = True


@dataclass(frozen=True)
class Message:
    """`own`: the bot's. A deleted one is remembered, and is not found."""

    own: bool
    posted: Posted
    deleted: bool = False


@dataclass
class TeamsState:
    directory: Directory = field(default_factory=example_directory)
    switches: Switches = field(default_factory=Switches)
    transcript: Transcript = field(default_factory=Transcript)
    limits: RateLimits = field(default_factory=RateLimits)
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    control: Control = field(default_factory=lambda: Control(OPERATIONS))
    _busy: set[str] = field(default_factory=set, repr=False)

    def authorize(self, header: str) -> None:
        accepted = self.switches.accepted_tokens
        if accepted is None:
            return
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer" or token not in accepted:
            raise errors.unauthorized()

    def admit(self, kind: str, conversation_id: str) -> None:
        """One request of `kind` (send, create, read) against the limits."""
        if not self.switches.rate_limits:
            return
        wait_s = self.limits.admit(kind, base_of(conversation_id))
        if wait_s is not None:
            raise errors.throttled(wait_s)

    @contextlib.contextmanager
    def occupied(self, conversation_id: str) -> Iterator[None]:
        """An operation is going on in the conversation; 412 for a second one, where that is switched on."""
        base = base_of(conversation_id)
        if self.switches.refuse_overlap and base in self._busy:
            raise errors.overlapping()
        self._busy.add(base)
        try:
            yield
        finally:
            self._busy.discard(base)

    def create(self, parameters: object) -> dict[str, str]:
        """A thread in a channel, begun by its root message, or a private chat."""
        if not isinstance(parameters, Mapping):
            raise errors.bad_argument("Conversation parameters are required")
        channel = _inner(parameters, "channelData", "channel", "id")
        if isinstance(channel, str):
            return self._create_thread(channel, parameters.get("activity"))
        members = parameters.get("members")
        if not isinstance(members, list) or len(members) != 1:
            raise errors.bad_argument("Either channelData.channel.id or one member is required")
        return self._create_chat(_inner(members[0], "id"), parameters)

    def send(self, conversation_id: str, activity: object, *, reply_to: str | None = None) -> str | None:
        """The new activity's id; None for text beside a card, of which the service gives no id."""
        self.require(conversation_id)
        root = root_of(conversation_id)
        if root is not None and not self._may_be_answered(conversation_id, root):
            raise errors.conversation_not_found()
        posted = read_activity(activity)
        if reply_to is not None and not self._may_be_answered(conversation_id, reply_to):
            raise errors.activity_not_found()
        activity_id = self._post(
            "reply" if reply_to else "send", posted, conversation_id=conversation_id, reply_to=reply_to
        )
        return None if posted.split else activity_id

    def update(self, conversation_id: str, activity_id: str, activity: object) -> str:
        """Put another message in the place of one of the bot's."""
        self.require(conversation_id)
        key, message = self._own(conversation_id, activity_id)
        posted = read_activity(activity)
        self.messages[key] = replace(message, posted=posted)
        self._note("update", posted, conversation_id=conversation_id, activity_id=activity_id)
        return activity_id

    def delete(self, conversation_id: str, activity_id: str) -> None:
        self.require(conversation_id)
        key, message = self._own(conversation_id, activity_id)
        self.messages[key] = replace(message, deleted=True)
        self._note("delete", message.posted, conversation_id=conversation_id, activity_id=activity_id)

    def members(self, conversation_id: str) -> tuple[Person, ...]:
        """The team's people in a channel, the one person in a private chat."""
        self.require(conversation_id)
        alone = [person for person in self.directory.people if person.personal_conversation_id == conversation_id]
        return tuple(alone) or self.directory.people

    def person_wrote(self, activity: Mapping[str, Any]) -> None:
        """A person's message, so that the transcript tells both sides and the bot cannot edit it."""
        conversation_id, activity_id = activity["conversation"]["id"], activity["id"]
        self.require(conversation_id)
        posted = Posted("message", str(activity.get("text", "")), "", (), split=False)
        self.messages[(base_of(conversation_id), activity_id)] = Message(own=False, posted=posted)
        self.transcript.add(
            "person",
            posted,
            conversation=conversation_id,
            activity_id=activity_id,
            sender=str(activity["from"]["name"]),
            reply_to=activity.get("replyToId"),
        )

    def require(self, conversation_id: str) -> None:
        """404 for what the tenant does not hold, 403 for a team the app is not installed in."""
        base = base_of(conversation_id)
        if any(person.personal_conversation_id == conversation_id for person in self.directory.people):
            return
        if not self.directory.has_channel(base):
            raise errors.conversation_not_found()
        if not self.switches.in_team:
            raise errors.not_in_roster()

    def message(self, conversation_id: str, activity_id: str) -> Message | None:
        """As people see it now."""
        return self.messages.get((base_of(conversation_id), activity_id))

    def summary(self) -> dict[str, object]:
        """For the control endpoint."""
        return {
            "messages": sum(not message.deleted for message in self.messages.values()),
            "transcript": len(self.transcript.entries),
        }

    def reset(self) -> None:
        self.messages.clear()
        self.transcript.reset()
        self.limits = RateLimits()
        self.switches = Switches()

    def _create_thread(self, channel_id: str, activity: object) -> dict[str, str]:
        self.require(channel_id)
        posted = read_activity(activity)
        activity_id = new_activity_id()
        thread = f"{base_of(channel_id)};messageid={activity_id}"
        self._post("create", posted, conversation_id=thread, activity_id=activity_id)
        return {"id": thread, "activityId": activity_id}

    def _create_chat(self, member: object, parameters: Mapping[str, Any]) -> dict[str, str]:
        """The same chat each time; the person must be known and of this tenant."""
        tenant = parameters.get("tenantId") or _inner(parameters, "channelData", "tenant", "id")
        if tenant != self.directory.tenant_id:
            raise errors.bad_argument("The tenant of the conversation is missing or not the member's")
        person = self.directory.person(member) if isinstance(member, str) else None
        if person is None or person.id != member:  # by e-mail or Entra id a chat cannot be begun
            raise errors.bad_argument("Invalid user identity in provided tenant")
        answer = {"id": person.personal_conversation_id}
        if parameters.get("activity") is not None:
            posted = read_activity(parameters["activity"])
            answer["activityId"] = self._post("create", posted, conversation_id=answer["id"])
        return answer

    def _post(
        self,
        kind: str,
        posted: Posted,
        *,
        conversation_id: str,
        activity_id: str | None = None,
        reply_to: str | None = None,
    ) -> str:
        activity_id = activity_id or new_activity_id()
        if posted.type == "message":
            self.messages[(base_of(conversation_id), activity_id)] = Message(own=True, posted=posted)
        self._note(kind, posted, conversation_id=conversation_id, activity_id=activity_id, reply_to=reply_to)
        return activity_id

    def _note(
        self, kind: str, posted: Posted, *, conversation_id: str, activity_id: str, reply_to: str | None = None
    ) -> None:
        self.transcript.add(
            kind,
            posted,
            conversation=conversation_id,
            activity_id=activity_id,
            sender=self.directory.bot.name,
            reply_to=reply_to,
        )

    def _own(self, conversation_id: str, activity_id: str) -> tuple[tuple[str, str], Message]:
        key = (base_of(conversation_id), activity_id)
        message = self.messages.get(key)
        if message is None or message.deleted:
            raise errors.activity_not_found()
        if not message.own:
            raise errors.not_own_message()
        return key, message

    def _may_be_answered(self, conversation_id: str, activity_id: str) -> bool:
        """Not what was deleted. Messages this stand-in was not told of are a person's: Teams has them."""
        message = self.message(conversation_id, activity_id)
        return message is None or not message.deleted


def _inner(value: object, *path: str) -> object:
    """The value at the path, None where something on the way is missing or no object."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
