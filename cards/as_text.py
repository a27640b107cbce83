"""A card as plain text, for a terminal: the transcript of the demo and of the tests."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import cast

Json = Mapping[str, object]
MENTION = re.compile("<at>(.*?)</at>")


def as_text(card: Json) -> str:
    """The title first, then a line for each line of the card, the buttons last as [Aprobar] [Rechazar…]."""
    return "\n".join([*_block_lines(_list(card, "body")), *_buttons(_list(card, "actions"))])


def _list(owner: Json, key: str) -> list[Json]:
    return cast("list[Json]", owner.get(key) or [])


def _block_lines(blocks: Iterable[Json]) -> list[str]:
    """Column sets that follow one another are aligned as one table."""
    lines: list[str] = []
    for kind, group in groupby(blocks, key=lambda block: block.get("type")):
        if kind == "ColumnSet":
            lines += _aligned(
                [[_block_lines(_list(column, "items")) for column in _list(block, "columns")] for block in group]
            )
        else:
            for block in group:
                lines += _lines(block)
    return lines


def _lines(block: Json) -> list[str]:
    match block.get("type"):
        case "TextBlock":
            return [MENTION.sub(r"@\1", str(block["text"]))]
        case "RichTextBlock":
            runs = cast("list[Json | str]", block.get("inlines") or [])
            return ["".join(run if isinstance(run, str) else str(run["text"]) for run in runs)]
        case "Image":
            return [f"[{block.get('altText', '')}]"]
        case "Container":
            return [*([""] if block.get("separator") else []), *_block_lines(_list(block, "items"))]
        case "FactSet":
            facts = [[[f"{fact['title']}:"], [str(fact["value"])]] for fact in _list(block, "facts")]
            return _aligned(facts)
        case "Table":
            return _aligned(
                [[_block_lines(_list(cell, "items")) for cell in _list(row, "cells")] for row in _list(block, "rows")]
            )
        case "ActionSet":
            return _buttons(_list(block, "actions"))
        case str(kind) if kind.startswith("Input."):
            return [_input(block)]
        case _:
            return []


def _aligned(rows: list[list[list[str]]]) -> list[str]:
    """Rows of cells of lines, in columns as wide as their longest line; the last column is not padded."""
    columns = max((len(row) for row in rows), default=0)
    widths = [max((len(line) for row in rows if at < len(row) for line in row[at]), default=0) for at in range(columns)]
    lines: list[str] = []
    for row in rows:
        for at in range(max((len(cell) for cell in row), default=0)):
            cells = [cell[at] if at < len(cell) else "" for cell in row]
            lines.append("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip())
    return lines


def _input(block: Json) -> str:
    choices = " / ".join(str(choice.get("title", "")) for choice in _list(block, "choices"))
    value = str(block.get("value", "")) or choices or "…"
    return f"{block.get('label', '')}: {value}"


def _buttons(actions: Iterable[Json]) -> list[str]:
    """An action that unfolds more of the card ends in dots."""
    buttons = [
        f"[{action.get('title', '')}{'…' if action.get('type') == 'Action.ShowCard' else ''}]" for action in actions
    ]
    return [" ".join(buttons)] if buttons else []
