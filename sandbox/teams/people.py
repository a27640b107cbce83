"""Activities as Teams posts them to a bot: what the hand of a person at the keyboard becomes.

Shapes: contracts/teams-bot.md, sections 1 and 5;
https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from sandbox.teams.directory import Channel, Directory, Person
from sandbox.teams.ids import new_activity_id

Activity = dict[str, Any]
_CORDOBA = timezone(timedelta(hours=-3))


@dataclass(frozen=True)
class Scene:
    """Where people write: one channel of the directory's team, seen through one service address."""

    directory: Directory
    channel: Channel
    service_url: str
    locale: str = "es-AR"
    local_timezone: str = field(default="America/Argentina/Cordoba", repr=False)

    def channel_message(
        self, person: Person, text: str, *, thread: str | None = None, mention: bool = True
    ) -> Activity:
        """A message in the channel. `thread`: the id of the root message it answers; None begins a thread."""
        activity = self._message(person, f"<at>{self.directory.bot.name}</at> {text}" if mention else text)
        root = thread or activity["id"]
        if mention:
            activity["entities"].insert(0, self._mention())
        return activity | {
            "conversation": self._channel_conversation(root),
            "channelData": self._channel_data(),
            **({"replyToId": thread} if thread else {}),
        }

    def personal_message(self, person: Person, text: str) -> Activity:
        """A message in the private chat with the bot."""
        return self._message(person, text) | {
            "conversation": self._personal_conversation(person),
            "channelData": {"tenant": {"id": self.directory.tenant_id}},
        }

    def card_action(
        self,
        person: Person,
        *,
        verb: str,
        data: Mapping[str, object],
        card_activity_id: str,
        thread: str | None = None,
        personal: bool = False,
        trigger: str = "manual",
    ) -> Activity:
        """A press of an Action.Execute button. `thread`: root of the card's thread, where it is not the card itself."""
        activity = self._base(person, "invoke") | {
            "name": "adaptiveCard/action",
            "replyToId": card_activity_id,
            "value": {
                "action": {"type": "Action.Execute", "id": "", "verb": verb, "data": dict(data)},
                "trigger": trigger,
            },
        }
        if personal:
            where = {
                "conversation": self._personal_conversation(person),
                "channelData": {"tenant": {"id": self.directory.tenant_id}},
            }
        else:
            where = {
                "conversation": self._channel_conversation(thread or card_activity_id),
                "channelData": {**self._channel_data(), "source": {"name": "message"}},
            }
        return activity | where

    def bot_added(self, person: Person) -> Activity:
        """conversationUpdate: the bot became a member of the team."""
        return self._base(person, "conversationUpdate") | {
            "membersAdded": [{"id": self.directory.bot.id}],
            "conversation": self._team_conversation(),
            "channelData": {**self._channel_data(of_team=True), "eventType": "teamMemberAdded"},
        }

    def installation_update(self, person: Person, *, action: str = "add") -> Activity:
        """The app was installed in the team (`add`) or taken away (`remove`)."""
        return self._base(person, "installationUpdate") | {
            "action": action,
            "conversation": self._team_conversation(),
            "channelData": {
                **self._channel_data(of_team=True),
                "settings": {"selectedChannel": {"id": self.channel.id}},
            },
        }

    def edited(self, original: Activity, text: str) -> Activity:
        """messageUpdate: the writer edited the message, which must not run a command again."""
        data = {**original["channelData"], "eventType": "editMessage"}
        return {**original, **_now(), "type": "messageUpdate", "text": text, "channelData": data}

    def _message(self, person: Person, text: str) -> Activity:
        return self._base(person, "message") | {
            "text": text,
            "textFormat": "plain",
            "attachments": [{"contentType": "text/html", "content": f"<div>{text}</div>"}],
        }

    def _base(self, person: Person, kind: str) -> Activity:
        return {
            "type": kind,
            "id": new_activity_id() if kind == "message" else f"f:{uuid4()}",
            **_now(),
            "localTimezone": self.local_timezone,
            "serviceUrl": self.service_url,
            "channelId": "msteams",
            "from": {"id": person.id, "name": person.name, "aadObjectId": person.aad_object_id},
            "recipient": {"id": self.directory.bot.id, "name": self.directory.bot.name},
            "entities": [{"locale": self.locale, "country": self.locale[-2:], "platform": "Web", "type": "clientInfo"}],
            "locale": self.locale,
        }

    def _mention(self) -> dict[str, object]:
        bot = self.directory.bot
        return {"type": "mention", "mentioned": {"id": bot.id, "name": bot.name}, "text": f"<at>{bot.name}</at>"}

    def _channel_conversation(self, root_id: str) -> dict[str, object]:
        return {
            "isGroup": True,
            "conversationType": "channel",
            "tenantId": self.directory.tenant_id,
            "id": f"{self.channel.id};messageid={root_id}",
        }

    def _personal_conversation(self, person: Person) -> dict[str, object]:
        return {
            "conversationType": "personal",
            "tenantId": self.directory.tenant_id,
            "id": person.personal_conversation_id,
        }

    def _team_conversation(self) -> dict[str, object]:
        return {
            "isGroup": True,
            "conversationType": "channel",
            "tenantId": self.directory.tenant_id,
            "id": self.directory.team.id,
        }

    def _channel_data(self, *, of_team: bool = False) -> dict[str, object]:
        """In channels only; messages about the team as a whole name its General channel or none."""
        team = self.directory.team
        named = {"id": team.id, "name": team.name, "aadGroupId": team.aad_group_id} if of_team else {"id": team.id}
        data: dict[str, object] = {"team": named, "tenant": {"id": self.directory.tenant_id}}
        if not of_team:
            data |= {"channel": {"id": self.channel.id}, "teamsTeamId": team.id, "teamsChannelId": self.channel.id}
        return data


def _now() -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "localTimestamp": now.astimezone(_CORDOBA).isoformat(timespec="milliseconds"),
    }
