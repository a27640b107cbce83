"""What a handler says back, before the bot puts it into the shape of the Bot Framework."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.turns import Turn
from lucy.ports import PostedMessage

OnPosted = Callable[[PostedMessage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A message into the conversation of the turn: a card with its summary, or a text.

    `on_posted` is called with where it was posted, so that a card can be edited later. It is not called when Teams did
    not take the message: whoever needs it posted must have noted that before.
    """

    text: str = ""
    card: Mapping[str, object] | None = None
    summary: str = ""
    on_posted: OnPosted | None = None


@dataclass(frozen=True, slots=True)
class InvokeCard:
    """Shown in place of the card that was pressed, to the person who pressed."""

    card: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class InvokeMessage:
    """Told to the person who pressed; the card stays as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`invoke` answers a card action; `replies` go into the conversation, in this order.

    `heard` False: from a place we do not serve; nothing is said there, the Teams service gets 403.
    """

    replies: tuple[Reply, ...] = ()
    invoke: InvokeCard | InvokeMessage | None = None
    heard: bool = True

    @classmethod
    def refused(cls) -> "Answer":
        """Not heard: the wrong tenant, team or channel."""
        return cls(heard=False)

    @classmethod
    def told(cls, turn: Turn, text: str) -> "Answer":
        """A text, the way that fits the turn: beside the pressed card, or as a reply."""
        if turn.is_invoke:
            return cls(invoke=InvokeMessage(text))
        return cls(replies=(Reply(text=text),))


class Handler(Protocol):
    """What does the work of a turn: fast, at most a short transaction."""

    async def handle(self, turn: Turn) -> Answer: ...


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back to the Teams service."""

    status: int
    body: Mapping[str, object] | None = None


def invoke_body(invoke: InvokeCard | InvokeMessage) -> dict[str, object]:
    """The Universal Action answer. The type is `…card.adaptive`; Teams refuses the `…adaptive.card` of one sample.

    https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model#response-format
    """
    if isinstance(invoke, InvokeCard):
        return {"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": dict(invoke.card)}
    return {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": invoke.text}
