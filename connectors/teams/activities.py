"""What the bot sends, as the SDK's models."""

from collections.abc import Mapping

from botbuilder.schema import Activity, ActivityTypes, Attachment, TextFormatTypes

ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"


def card_activity(card: Mapping[str, object], *, summary: str) -> Activity:
    """The card alone: with a text beside it Teams gives no id back and the card could never be edited."""
    return Activity(
        type=ActivityTypes.message,
        summary=summary,
        attachments=[Attachment(content_type=ADAPTIVE_CARD, content=dict(card))],
    )


def text_activity(text: str) -> Activity:
    """Plain, so that nothing in it is taken for Markdown."""
    return Activity(type=ActivityTypes.message, text=text, text_format=TextFormatTypes.plain)
