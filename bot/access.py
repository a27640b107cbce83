"""Where Lucy listens: the right tenant, and the channels that the installation names.

The SDK checks none of this (contracts/teams-bot.md, section 9). What a person may do is decided afterwards, by role.
"""

from collections.abc import Set as AbstractSet
from enum import StrEnum

from bot.turns import ConversationType, Turn, TurnKind

_BY_A_PERSON = frozenset({TurnKind.MESSAGE, TurnKind.CARD_ACTION})


class Refusal(StrEnum):
    """Why a turn is not heard; the name goes to the audit and the log."""

    WRONG_TENANT = "wrong_tenant"
    TEAM_NOT_ALLOWED = "team_not_allowed"
    CHANNEL_NOT_ALLOWED = "channel_not_allowed"
    NO_ENTRA_ID = "no_entra_id"
    GROUP_CHAT = "group_chat"


def admit(
    turn: Turn,
    *,
    tenant_id: str,
    allowed_teams: AbstractSet[str],
    allowed_channels: AbstractSet[str],
    any_when_unlisted: bool,
) -> Refusal | None:
    """None when the turn may be heard.

    An empty `tenant_id` admits every tenant: `Settings.problems()` forbids it outside the sandbox. With both lists
    empty no channel is admitted, unless `any_when_unlisted` (the sandbox) says so. One list alone decides alone; with
    both, a turn must satisfy both. Personal chats are admitted: the role decides there.
    """
    if tenant_id and turn.tenant_id.lower() != tenant_id.lower():
        return Refusal.WRONG_TENANT
    if turn.kind in _BY_A_PERSON and not turn.person.entra_id:
        return Refusal.NO_ENTRA_ID
    if turn.conversation_type is ConversationType.GROUP:
        return Refusal.GROUP_CHAT
    if turn.conversation_type is ConversationType.PERSONAL:
        return None
    if not allowed_teams and not allowed_channels:
        return None if any_when_unlisted else Refusal.CHANNEL_NOT_ALLOWED
    if allowed_teams and turn.team_id not in allowed_teams:
        return Refusal.TEAM_NOT_ALLOWED
    if allowed_channels and turn.channel_id not in allowed_channels:
        return Refusal.CHANNEL_NOT_ALLOWED
    return None
