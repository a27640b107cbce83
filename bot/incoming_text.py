"""What a person typed, without what Teams wraps around it."""

import html
import re
import unicodedata
from collections.abc import Sequence

_BREAK = re.compile(r"</?(?:br|p|div|li|tr|ul|ol|table)\b[^<>]*>|\r\n?|[\u2028\u2029\v\f\x85]", re.IGNORECASE)
_CELL = re.compile(r"</?t[dh]\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})  # controls, invisible marks, half characters
_KEPT = frozenset("\n\t")


def clean(text: str) -> str:
    """Text that every database and log can hold: no NUL, no lone surrogates, no invisible characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _UNWANTED)


def without_mentions(text: str, mentions: Sequence[tuple[str, str]]) -> str:
    """Take each mention of the bot out once, by the entity's exact text, or by its name in an `<at>` tag.

    The SDK removes the bot's name everywhere instead, from inside other words too (contracts/teams-bot.md, section 1).
    """
    for written, name in mentions:
        if written and written in text:
            text = text.replace(written, " ", 1)
        elif name:
            text = re.sub(rf"<at\b[^<>]*>\s*{re.escape(name)}\s*</at>", " ", text, count=1, flags=re.IGNORECASE)
    return text


def plain_text(text: str) -> str:
    """Without HTML; blanks of any kind are one blank, line breaks of any kind and number one line break."""
    text = _CELL.sub(" ", _BREAK.sub("\n", text))
    text = html.unescape(_TAG.sub("", text))
    text = clean(unicodedata.normalize("NFC", _BREAK.sub("\n", text)))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
