"""Who is heard: tenant, team, channel; default deny."""

from dataclasses import replace

import pytest

from bot.access import Refusal, admit
from bot.turns import ConversationType, Person, Turn, TurnKind

TURN = Turn(
    kind=TurnKind.MESSAGE,
    is_invoke=False,
    activity_id="1",
    conversation_id="19:c;messageid=1",
    base_conversation="19:c",
    thread_root="1",
    conversation_type=ConversationType.CHANNEL,
    tenant_id="TENANT",
    team_id="19:team",
    channel_id="19:c",
    service_url="http://127.0.0.1/",
    person=Person("entra", "29:1", "Ana"),
)
PERSONAL = replace(TURN, conversation_type=ConversationType.PERSONAL, team_id="", channel_id="")


def asked(
    turn: Turn,
    *,
    tenant: str = "tenant",
    teams: frozenset[str] = frozenset(),
    channels: frozenset[str] = frozenset(),
    any_when_unlisted: bool = False,
) -> Refusal | None:
    return admit(
        turn,
        tenant_id=tenant,
        allowed_teams=teams,
        allowed_channels=channels,
        any_when_unlisted=any_when_unlisted,
    )


@pytest.mark.parametrize("tenant", ["", "other"])
def test_only_the_right_tenant(tenant: str) -> None:
    assert asked(replace(PERSONAL, tenant_id=tenant)) is Refusal.WRONG_TENANT


def test_no_tenant_setting_admits_any_tenant() -> None:
    assert asked(PERSONAL, tenant="") is None


def test_tenants_are_compared_without_case() -> None:
    assert asked(PERSONAL, tenant="tenant") is None


def test_a_person_needs_an_entra_id() -> None:
    nobody = Person("", "29:1", "Ana")
    for kind in (TurnKind.MESSAGE, TurnKind.CARD_ACTION):
        assert asked(replace(PERSONAL, kind=kind, person=nobody)) is Refusal.NO_ENTRA_ID
    for kind in (TurnKind.INSTALLED, TurnKind.OTHER):
        assert asked(replace(PERSONAL, kind=kind, person=nobody)) is None


def test_group_chats_are_not_served_whatever_the_lists_say() -> None:
    group = replace(TURN, conversation_type=ConversationType.GROUP)
    assert asked(group, teams=frozenset({"19:team"}), any_when_unlisted=True) is Refusal.GROUP_CHAT


def test_empty_lists_deny_channels_outside_the_sandbox() -> None:
    assert asked(TURN) is Refusal.CHANNEL_NOT_ALLOWED
    assert asked(TURN, any_when_unlisted=True) is None
    assert asked(PERSONAL) is None


@pytest.mark.parametrize("any_when_unlisted", [False, True])
@pytest.mark.parametrize(
    ("teams", "channels", "expected"),
    [
        ({"19:team"}, set(), None),
        ({"19:other"}, set(), Refusal.TEAM_NOT_ALLOWED),
        (set(), {"19:c"}, None),
        (set(), {"19:d"}, Refusal.CHANNEL_NOT_ALLOWED),
        ({"19:team"}, {"19:c"}, None),
        ({"19:team"}, {"19:d"}, Refusal.CHANNEL_NOT_ALLOWED),
        ({"19:other"}, {"19:c"}, Refusal.TEAM_NOT_ALLOWED),
    ],
)
def test_lists(teams: set[str], channels: set[str], expected: Refusal | None, any_when_unlisted: bool) -> None:
    found = asked(TURN, teams=frozenset(teams), channels=frozenset(channels), any_when_unlisted=any_when_unlisted)
    assert found is expected
    assert asked(PERSONAL, teams=frozenset(teams), channels=frozenset(channels)) is None


def test_a_channel_without_ids_is_on_no_list() -> None:
    bare = replace(TURN, team_id="", channel_id="")
    assert asked(bare, teams=frozenset({"19:team"})) is Refusal.TEAM_NOT_ALLOWED
    assert asked(bare, channels=frozenset({"19:c"})) is Refusal.CHANNEL_NOT_ALLOWED
