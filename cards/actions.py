"""What a reader may press."""

from collections.abc import Mapping, Sequence
from typing import Literal

from cards.parts import Action, Block, PropertyType, fill, nested_card
from cards.verbs import Verb

Emphasis = Literal["default", "positive", "destructive"]


class Execute(Action):
    """Calls the bot with a verb; ids travel in `payload`, the inputs of the card are merged into it by the client."""

    element_type = "Action.Execute"
    verb = PropertyType(type=str)
    data = PropertyType(type=dict)

    def __init__(self, title: str, verb: Verb, payload: Mapping[str, object], *, style: Emphasis | None = None) -> None:
        super().__init__()
        fill(self, title=title or None, verb=verb.value, data=dict(payload), style=style)


class ShowCard(Action):
    """Unfolds more of the card, without asking the bot."""

    element_type = "Action.ShowCard"
    card = PropertyType(type=object)

    def __init__(
        self,
        title: str,
        body: Sequence[Block],
        *,
        actions: Sequence[Action] = (),
        style: Emphasis | None = None,
    ) -> None:
        super().__init__()
        fill(self, title=title, card=nested_card(body, actions), style=style)


class OpenUrl(Action):
    """Opens an https page outside the chat."""

    element_type = "Action.OpenUrl"
    url = PropertyType(type=str)

    def __init__(self, title: str, url: str) -> None:
        super().__init__()
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("a button opens https pages only")
        fill(self, title=title, url=url)
