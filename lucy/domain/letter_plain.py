"""The plain text of a letter, made from its HTML: for readers without HTML, and for those who trust it more."""

import re
from html.parser import HTMLParser

_BLOCKS = frozenset({"p", "div", "table", "tr", "ul", "ol", "h1", "h2", "h3", "blockquote", "hr"})
_APART = frozenset({"p", "ul", "ol", "h1", "h2", "h3", "table", "blockquote", "hr"})  # a blank line around
_UNREAD = frozenset({"style", "title", "head", "script"})


def plain_text(source: str) -> str:
    """Paragraphs with a blank line between them, lists with their signs, the address behind the words of a link.

    Places (`{name}`) stay as they are. Never raises; ends with a line break.
    """
    reader = _Reader()
    reader.feed(source)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unread = 0
        self._lists: list[int | None] = []  # the next number of each open list; None: without numbers
        self._links: list[tuple[str, int]] = []  # address, and where its words begin

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread += 1
        if tag == "br":
            self._write("\n")
        if tag in _BLOCKS:
            self._write("\n\n" if tag in _APART else "\n")
        if tag in {"ul", "ol"}:
            self._lists.append(1 if tag == "ol" else None)
        if tag == "li":
            self._write("\n" + self._sign())
        if tag == "td":
            self._write(" ")
        if tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.pieces)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD and self._unread:
            self._unread -= 1
        if tag in _BLOCKS:
            self._write("\n\n" if tag in _APART else "\n")
        if tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
        if tag == "a" and self._links:
            address, first = self._links.pop()
            words = "".join(self.pieces[first:]).strip()
            bare = re.sub(r"^(https://|mailto:)", "", address).rstrip("/")
            if bare and bare not in words:
                self._write(f" ({address.removeprefix('mailto:')})")

    def handle_data(self, data: str) -> None:
        self._write(re.sub(r"\s+", " ", data))

    def _sign(self) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        number = self._lists[-1]
        self._lists[-1] = number + 1
        return f"{number}. "

    def _write(self, text: str) -> None:
        if not self._unread:
            self.pieces.append(text)
