"""Adaptive Card elements, strict and typed: the only importer of the `adaptivecards` library.

The library writes version 1.2, swallows unknown arguments and knows no actions, inputs, tables, refresh or msteams. The
classes here stand on its own; their constructors name every argument, so that a misspelt one is a TypeError. Actions
are in `cards/actions.py`, inputs in `cards/inputs.py`.

`type: ignore[misc]`: the library has no types, its classes are Any to the checker.
Source: https://adaptivecards.io/explorer/ (version 1.5, the newest that Teams supports for bots).
"""

import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from adaptivecards import adaptivecard as library
from adaptivecards import containers, elements
from adaptivecards.baseobject import BareObject, PropertyType
from adaptivecards.baseobject import Element as LibraryElement

from lucy.texts import language

__all__ = [
    "MAX_ACTIONS",
    "Action",
    "Block",
    "Card",
    "Column",
    "ColumnSet",
    "Container",
    "FactSet",
    "LibraryElement",
    "Mention",
    "Picture",
    "PropertyType",
    "RichText",
    "Run",
    "Table",
    "TextBlock",
    "fill",
    "nested_card",
    "to_json",
]

VERSION = "1.5"
MAX_ACTIONS = 6  # Teams may not show more

Size = Literal["small", "default", "medium", "large"]
Spacing = Literal["none", "small", "default", "medium", "large", "padding"]
Style = Literal["default", "emphasis", "good", "attention", "warning", "accent"]

# TextBlock and FactSet read Markdown, and clients differ in knowing its escapes: signs that look alike are safe.
_MARKDOWN = str.maketrans({"*": "∗", "_": "ˍ", "`": "'", "[": "(", "]": ")", "\\": "∖"})

_ANGLES = str.maketrans({"<": "‹", ">": "›"})


class Block:
    """Anything that the body of a card may hold."""


class Action(LibraryElement):  # type: ignore[misc]
    """Anything that a reader may press."""

    title = PropertyType(type=str)
    style = PropertyType(type=str)
    tooltip = PropertyType(type=str)


def fill(element: BareObject, **values: object) -> None:
    """Set properties of a library object, leaving out those that are None. Raises TypeError for an unknown one."""
    for name, value in values.items():
        if not isinstance(inspect.getattr_static(element, name, None), PropertyType):
            raise TypeError(f"{type(element).__name__} has no property {name}")
        if value is not None:
            setattr(element, name, value)


def literal(text: str) -> str:
    """Text for a place that reads Markdown, so that a name or a reason shows as it is written."""
    return text.translate(_MARKDOWN)


class TextBlock(elements.TextBlock, Block):  # type: ignore[misc]
    """A paragraph without inner formatting; `heading` is announced as one by screen readers."""

    style = PropertyType(type=str)

    def __init__(
        self,
        text: str,
        *,
        heading: bool = False,
        size: Size | None = None,
        bold: bool = False,
        subtle: bool = False,
        spacing: Spacing | None = None,
    ) -> None:
        super().__init__()
        fill(self, text=literal(text), wrap=True, size=size, spacing=spacing)
        fill(self, style="heading" if heading else None, weight="bolder" if bold else None, isSubtle=subtle or None)


@dataclass(frozen=True, slots=True)
class Mention:
    """A person whom the card calls by name and Teams notifies; `teams_id` is theirs there, `29:…`.

    Put `text` into a TextBlock (Teams reads mentions in TextBlock and FactSet) and the mention into the Card: both must
    say the same.
    Source: https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format
    """

    name: str
    teams_id: str

    @property
    def text(self) -> str:
        return f"<at>{self._shown}</at>"

    @property
    def _shown(self) -> str:
        return literal(self.name.translate(_ANGLES))

    def entity(self) -> dict[str, object]:
        return {"type": "mention", "text": self.text, "mentioned": {"id": self.teams_id, "name": self._shown}}


class Run(elements.TextRun):  # type: ignore[misc]
    """A piece of a RichText. Clients do not read Markdown in it, so it takes any text as it is."""

    def __init__(
        self, text: str, *, bold: bool = False, subtle: bool = False, mono: bool = False, size: Size | None = None
    ) -> None:
        super().__init__()
        fill(self, text=text, size=size, fontType="monospace" if mono else None)
        fill(self, weight="bolder" if bold else None, isSubtle=subtle or None)


class RichText(elements.RichTextBlock, Block):  # type: ignore[misc]
    """A paragraph made of pieces, without the empty ones; it always wraps."""

    def __init__(self, *pieces: Run | str, spacing: Spacing | None = None, separator: bool = False) -> None:
        super().__init__()
        inlines = [Run(piece) if isinstance(piece, str) else piece for piece in pieces if piece != ""]
        fill(self, inlines=inlines, spacing=spacing, separator=separator or None)


class Container(containers.Container, Block):  # type: ignore[misc]
    def __init__(
        self,
        items: Sequence[Block],
        *,
        style: Style | None = None,
        bleed: bool = False,
        spacing: Spacing | None = None,
        separator: bool = False,
    ) -> None:
        super().__init__()
        fill(self, items=list(items), style=style, bleed=bleed or None, spacing=spacing, separator=separator or None)


class Picture(elements.Image, Block):  # type: ignore[misc]
    """An image by its address; `alt` is what it shows, for those who cannot see it. Teams opens it large."""

    msteams = PropertyType(type=dict)

    def __init__(self, url: str, alt: str) -> None:
        super().__init__()
        fill(self, url=url, altText=alt, size="stretch", msteams={"allowExpand": True})


class Column(containers.Column):  # type: ignore[misc]
    """`width` is a word or a number of pixels."""

    def __init__(self, items: Sequence[Block], *, width: Literal["auto", "stretch"] | int = "stretch") -> None:
        super().__init__()
        fill(self, items=list(items), width=f"{width}px" if isinstance(width, int) else width)


class ColumnSet(containers.ColumnSet, Block):  # type: ignore[misc]
    def __init__(self, *columns: Column, spacing: Spacing | None = None) -> None:
        super().__init__()
        fill(self, columns=list(columns), spacing=spacing)


class _Fact(containers.Fact):  # type: ignore[misc]
    def __init__(self, title: str, value: str) -> None:
        super().__init__()
        fill(self, title=literal(title), value=literal(value))


class FactSet(containers.FactSet, Block):  # type: ignore[misc]
    """Names and values in two columns."""

    def __init__(self, facts: Sequence[tuple[str, str]], *, spacing: Spacing | None = None) -> None:
        super().__init__()
        fill(self, facts=[_Fact(title, value) for title, value in facts], spacing=spacing)


Cell = str | Sequence[Block]


class Table(LibraryElement, Block):  # type: ignore[misc]
    """Rows of cells; `widths` are weights. The first row is the header.

    There are no tables without one: the schema calls the property `firstRowAsHeader`, the official renderer reads
    `firstRowAsHeaders`, and both take it as true where it is missing.
    """

    element_type = "Table"
    columns = PropertyType(type=list)
    rows = PropertyType(type=list)

    def __init__(
        self, widths: Sequence[int], rows: Sequence[Sequence[Cell]], *, spacing: Spacing | None = None
    ) -> None:
        super().__init__()
        if any(len(row) != len(widths) for row in rows):
            raise ValueError("every row needs as many cells as there are widths")
        fill(self, columns=[{"width": width} for width in widths], spacing=spacing)
        fill(self, rows=[_row(row, bold=not at) for at, row in enumerate(rows)])


def _row(cells: Sequence[Cell], *, bold: bool) -> dict[str, object]:
    blocks = [[RichText(Run(cell, bold=bold))] if isinstance(cell, str) else list(cell) for cell in cells]
    return {"type": "TableRow", "cells": [{"type": "TableCell", "items": items} for items in blocks]}


class Card(library.AdaptiveCard):  # type: ignore[misc]
    """A whole card, as wide as the client lets it be.

    `refresh_action` with `refresh_for` (Teams ids, `29:…`) lets those readers' clients ask for a view of their own; the
    list is always written, because Teams and its documentation disagree on what a missing one means.
    """

    refresh = PropertyType(type=dict)
    msteams = PropertyType(type=dict)
    version = PropertyType(type=str)

    def __init__(
        self,
        body: Sequence[Block],
        *,
        fallback_text: str,
        actions: Sequence[Action] = (),
        refresh_action: Action | None = None,
        refresh_for: Sequence[str] = (),
        mentions: Sequence[Mention] = (),
    ) -> None:
        super().__init__()
        if len(actions) > MAX_ACTIONS:
            raise ValueError(f"a card shows at most {MAX_ACTIONS} buttons")
        fill(self, version=VERSION, body=list(body), fallback_text=fallback_text, lang=language.get()[:2])
        entities = {"entities": [mention.entity() for mention in mentions]} if mentions else {}
        fill(self, actions=list(actions) or None, msteams={"width": "Full", **entities})
        if refresh_action is not None and refresh_for:
            fill(self, refresh={"action": refresh_action, "userIds": list(refresh_for)})


def nested_card(body: Sequence[Block], actions: Sequence[Action]) -> library.AdaptiveCard:
    """The card that an Action.ShowCard unfolds."""
    card = library.AdaptiveCard()
    fill(card, body=list(body), actions=list(actions) or None)
    card.set_data("version", VERSION)
    return card


def to_json(card: Card) -> dict[str, object]:
    """The card as Teams takes it. The library's `render()` is shallow, its text is whole."""
    whole: dict[str, object] = json.loads(str(card))
    return whole
