"""What is asked of the Bot Connector: docs/connectors/teams.md. Source: contracts/teams-bot.md, section 2."""

from connectors.reference import CallReference, LimitReference, Reference
from lucy.errors import System

REFERENCE = Reference(
    system=System.TEAMS,
    title="Teams through the Bot Connector",
    summary="Cards are posted once and then edited in place.",
    settings=(
        "LUCY_BOT_APP_ID",
        "LUCY_BOT_APP_PASSWORD",
        "LUCY_TENANT_ID",
        "LUCY_ALLOWED_TEAMS",
        "LUCY_ALLOWED_CHANNELS",
    ),
    calls=(
        CallReference("post", "POST /v3/conversations/{id}/activities", "a card or an answer", harmless=False),
        CallReference("start_thread", "POST /v3/conversations", "a card of its own in a channel", harmless=False),
        CallReference("update", "PUT /v3/conversations/{id}/activities/{activity}", "what a card shows has changed"),
    ),
    limits=(
        LimitReference(
            "into one conversation", "7 in 1 s, 8 in 2 s, 60 in 30 s, 1,800 in an hour", "Teams, bot limits"
        ),
        LimitReference("a message", "about 28 KB; cards are held under 25 KB", "Teams; tests/unit/cards"),
        LimitReference("edits of one card", "one in 3 s, the last one always", "workers/announcer.py"),
    ),
    letters=(),
    notes=("A card that somebody deleted is posted anew; one that Teams will never take is given up and audited.",),
)
