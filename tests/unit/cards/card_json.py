"""Walking a card's JSON."""

from collections.abc import Iterator
from typing import Any

SHOWN = ("text", "title", "label", "errorMessage", "placeholder", "fallbackText")


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a card, itself first."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from nodes(child)


def of_type(card: Any, prefix: str) -> list[dict[str, Any]]:
    return [node for node in nodes(card) if str(node.get("type", "")).startswith(prefix)]


def shown_texts(card: Any) -> list[str]:
    """What people read. A fact's value is shown, an input's or a button's payload is not."""
    texts = [str(node[key]) for node in nodes(card) for key in SHOWN if key in node]
    texts += [str(node["value"]) for node in nodes(card) if "value" in node and "type" not in node]
    return [text for text in texts if text]


def actions(card: Any) -> list[dict[str, Any]]:
    """The buttons at the end of the card."""
    return list(card.get("actions", []))


def action(card: Any, title: str) -> dict[str, Any]:
    return next(one for one in actions(card) if one["title"] == title)
