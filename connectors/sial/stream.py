"""The elements of a JSON list as its bytes arrive, so that a list is never held whole.

Every element must be followed by a comma or the closing bracket before it is given out: half a number is not a number.
Sizes are bounded: one element, and how deep it goes.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import NoReturn

from lucy.errors import System, Unreadable

LONGEST_ELEMENT = 1_000_000  # characters; an entry of SIAL has about 400
DEEPEST = 40

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_MAY_BE_NO_TEXT = re.compile(r"\\u(?:0000|[dD])")
_BLANK = re.compile(r"[ \t\r\n]*")


class ElementStream:
    """Feed it the chunks of one answer, then close it. Raises Unreadable (U-003) for what is not a whole JSON list."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder(parse_constant=self._no_constant)
        self._text = ""
        self._state = "before"  # the list, then: element, comma, after

    def feed(self, chunk: bytes) -> Iterator[object]:
        self._text += self._decoded(chunk, last=False)
        yield from self._elements()

    def close(self) -> None:
        """The answer has ended: it must have been a whole list and nothing behind it."""
        self._decoded(b"", last=True)
        if self._state != "after":
            self._refuse("not a whole list")

    def _decoded(self, chunk: bytes, *, last: bool) -> str:
        try:
            return self._decode.decode(chunk, last)
        except UnicodeDecodeError:
            self._refuse("not UTF-8")

    def _elements(self) -> Iterator[object]:
        """Those that are whole by now; the rest of the text waits for more."""
        at = 0
        while True:
            at = self._skip(at)
            if at == len(self._text):
                break
            sign = self._text[at]
            if self._state == "before":
                if sign != "[":
                    self._refuse("not a list")
                self._state, at = "first", at + 1
            elif self._state == "after":
                self._refuse("more than a list")
            elif sign == "]" and self._state in ("first", "comma"):
                self._state, at = "after", at + 1
            elif self._state == "comma":
                if sign != ",":
                    self._refuse("broken JSON")
                self._state, at = "element", at + 1
            else:
                found = self._element(at)
                if found is None:
                    break
                element, at = found
                self._state = "comma"
                yield element
        self._text = self._text[at:]

    def _element(self, at: int) -> tuple[object, int] | None:
        """The element that begins here and where it ends; None while it may not be whole."""
        try:
            element, end = self._json.raw_decode(self._text, at)
        except (ValueError, RecursionError):
            if len(self._text) - at > LONGEST_ELEMENT:
                self._refuse("an element that does not end")
            return None
        if end - at > LONGEST_ELEMENT:
            self._refuse("too long an element")
        if self._skip(end) == len(self._text):
            return None
        text = self._text[at:end]
        if text.count("[") + text.count("{") > DEEPEST and _is_deep(element):
            self._refuse("too deep an element")
        return (_repaired(element) if "\\" in text and _MAY_BE_NO_TEXT.search(text) else element), end

    def _skip(self, at: int) -> int:
        blank = _BLANK.match(self._text, at)
        return blank.end() if blank else at

    def _no_constant(self, name: str) -> NoReturn:
        """NaN and Infinity are no JSON, and PostgreSQL keeps none of them."""
        self._refuse("broken JSON")

    def _refuse(self, detail: str) -> NoReturn:
        raise Unreadable(System.SIAL, self._operation, "U-003", detail)


def _is_deep(element: object) -> bool:
    level = [element]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _repaired(value: object) -> object:
    """Without what JSON can write and no database keeps: half a surrogate pair, the sign of value zero."""
    if isinstance(value, str):
        return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_repaired(name): _repaired(inner) for name, inner in value.items()}
    return [_repaired(inner) for inner in value] if isinstance(value, list) else value
