"""What the service accepts as an activity. Pure.

Source: contracts/teams-bot.md, sections 4 and 5.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.teams.errors import bad_argument, too_big

CARD = "application/vnd.microsoft.card.adaptive"
MAX_BYTES = 100 * 1024  # counted as UTF-16, images given as base64 apart
NEWEST_VERSION = (1, 5)
_IMAGE = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]*")
_TYPES = frozenset({"message", "typing", "event", "messageReaction"})


@dataclass(frozen=True)
class Posted:
    """What of an activity shows. `split`: text beside a card arrives as two messages, and no id comes back."""

    type: str
    text: str
    summary: str
    cards: tuple[dict[str, Any], ...]
    split: bool


def read_activity(activity: object) -> Posted:
    """Raises ConnectorError: 400 for what is malformed, 413 for what is too big."""
    if not isinstance(activity, Mapping):
        raise bad_argument("Activity is required")
    kind = activity.get("type")
    if kind not in _TYPES:
        raise bad_argument("Unknown activity type")
    text = _text(activity, "text")
    attachments = activity.get("attachments") or []
    if not isinstance(attachments, list):
        raise bad_argument("Attachments must be a list")
    cards = tuple(card for card in map(_card, attachments) if card is not None)
    if kind == "message" and not text.strip() and not attachments:
        raise bad_argument("Activity must include non empty 'text' field or at least 1 attachment")
    if size(activity) > MAX_BYTES:
        raise too_big()
    return Posted(kind, text, _text(activity, "summary"), cards, split=bool(text.strip()) and bool(cards))


def size(activity: Mapping[str, Any]) -> int:
    """Bytes as the service counts them."""
    text = json.dumps(activity, ensure_ascii=False, separators=(",", ":"))
    return len(_IMAGE.sub("", text).encode("utf-16-le", errors="surrogatepass"))


def _text(activity: Mapping[str, Any], name: str) -> str:
    value = activity.get(name) or ""
    if not isinstance(value, str):
        raise bad_argument(f"'{name}' must be a string")
    return value


def _card(attachment: object) -> dict[str, Any] | None:
    """The card of an attachment, None where it is something else."""
    if not isinstance(attachment, Mapping) or not isinstance(attachment.get("contentType"), str):
        raise bad_argument("Each attachment needs a contentType")
    if attachment["contentType"] != CARD:
        return None
    card = attachment.get("content")
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise bad_argument("The content of an adaptive card attachment must be an AdaptiveCard")
    if not _version_shows(card.get("version")):
        raise bad_argument(f"Adaptive card version {card.get('version')!r} is not supported: at most 1.5")
    return card


def _version_shows(version: object) -> bool:
    if not isinstance(version, str) or not re.fullmatch(r"\d{1,3}\.\d{1,3}", version):
        return False
    major, minor = version.split(".")
    return (1, 0) <= (int(major), int(minor)) <= NEWEST_VERSION
