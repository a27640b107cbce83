"""Everything that was said, in order, for whoever plays the people: waits for news instead of sleeping."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.teams.rules import Posted


@dataclass(frozen=True)
class Entry:
    """`kind`: create, send, reply, update, delete (the bot's) or person. `seq` rises by one from 1.

    `card` is the first of `cards`; `conversation` holds the thread, as the bot named it.
    """

    seq: int
    at: str
    kind: str
    type: str
    conversation: str
    activity_id: str
    reply_to: str | None
    sender: str
    text: str
    summary: str
    cards: tuple[dict[str, Any], ...]

    @property
    def card(self) -> dict[str, Any] | None:
        return self.cards[0] if self.cards else None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "card": self.card}


@dataclass
class Transcript:
    """Grows only; `reset` begins anew."""

    entries: list[Entry] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def add(
        self,
        kind: str,
        posted: Posted,
        *,
        conversation: str,
        activity_id: str,
        sender: str,
        reply_to: str | None = None,
    ) -> Entry:
        entry = Entry(
            seq=len(self.entries) + 1,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            kind=kind,
            type=posted.type,
            conversation=conversation,
            activity_id=activity_id,
            reply_to=reply_to,
            sender=sender,
            text=posted.text,
            summary=posted.summary,
            cards=posted.cards,
        )
        self.entries.append(entry)
        self._tell()
        return entry

    def since(self, seq: int) -> list[Entry]:
        return self.entries[max(seq, 0) :]

    async def wait(self, seq: int, *, timeout_s: float) -> list[Entry]:
        """Entries after `seq`, as soon as there is one; none when `timeout_s` passes."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self.since(seq):
                    await self._news.wait()
        except TimeoutError:
            return []
        return self.since(seq)

    async def first(self, wanted: Callable[[Entry], bool], *, since: int = 0, timeout_s: float = 10) -> Entry:
        """The first entry after `since` that `wanted` takes, waited for. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                for entry in self.since(since):
                    since = entry.seq
                    if wanted(entry):
                        return entry
                await self.wait(since, timeout_s=timeout_s)

    def reset(self) -> None:
        self.entries.clear()
        self._tell()

    def _tell(self) -> None:
        """Wake those who wait, and let later ones wait for the next."""
        self._news.set()
        self._news = asyncio.Event()
