"""The office and the worker together: people speak to the real bot, a real worker does what they decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from cards.as_text import as_text
from lucy.db.tables import AuditEventRow, BatchRow, BatchStudentRow
from lucy.domain.config import KEYS
from lucy.flows.set_config import set_config
from sandbox.teams.directory import Person
from sandbox.teams.transcript import Entry
from tests.integration.support.channel import Talk, Told, button
from tests.integration.support.people import actor
from tests.integration.support.works import Works, audit_events


@dataclass
class Office:
    """`talk` and `works` share the database; cards are posted to where people of `talk` read them."""

    talk: Talk
    works: Works

    # What people do

    async def asks(self, words: str = "activar aspirantes") -> tuple[int, Told]:
        """Ana asks in the channel; returns the number of the batch and what she read."""
        told = await self.talk.says(self.talk.ana, words)
        async with self.talk.db.transaction() as session:
            first = select(BatchRow.id).order_by(BatchRow.requested_at.desc(), BatchRow.id)
            number = (await session.scalars(first)).first()
        assert number is not None, told.text
        return number, told

    async def says(self, person: Person, words: str) -> str:
        return (await self.talk.says(person, words)).text

    async def presses(
        self, person: Person, card: Mapping[str, Any], title: str, *, on: Entry | None = None, **inputs: str
    ) -> Told:
        """A person presses the button whose title begins so, with what they filled in; `on` the card in the channel."""
        found = button(card, title)
        activity = self.talk.press(person, found["verb"], {**found["data"], **inputs})
        if on is not None:
            activity = self.talk.scene.card_action(
                person,
                verb=found["verb"],
                data={**found["data"], **inputs},
                card_activity_id=on.activity_id,
                thread=on.conversation.partition(";messageid=")[2] or None,
            )
        return await self.talk.send(activity)

    async def looks(self, person: Person, number: int) -> Mapping[str, Any]:
        """The card as this person may see it."""
        return (await self.talk.presses(person, "batch.view", {"batch": number, "version": 1})).card

    async def reads(self, person: Person, number: int) -> str:
        return as_text(await self.looks(person, number))

    async def sets(self, name: str, value: str | None) -> None:
        assert name in KEYS
        async with self.talk.db.transaction() as session:
            await set_config(session, name, value, actor=actor(self.talk.carla), now=datetime.now(UTC))

    # What the worker does

    async def drain(self) -> None:
        """The worker does what the bot nudged it to, until nothing is due."""
        self.works.nudges.waiting += self.talk.nudges.take()
        await self.works.drain()

    async def draw(self) -> None:
        """Post and redraw cards, and nothing else."""
        await self.works.announcer.run()

    # What is there

    async def batch(self, number: int = 1) -> BatchRow:
        return await self.works.batch(number)

    async def children(self, number: int = 1) -> list[BatchRow]:
        async with self.talk.db.transaction() as session:
            found = select(BatchRow).where(BatchRow.parent_id == number).order_by(BatchRow.id)
            return list((await session.scalars(found)).all())

    async def rows(self, number: int) -> list[BatchStudentRow]:
        async with self.talk.db.transaction() as session:
            found = select(BatchStudentRow).where(BatchStudentRow.batch_id == number)
            return list((await session.scalars(found)).all())

    async def outcomes(self, action: str) -> list[str]:
        return [one.outcome for one in await self.events(action)]

    async def events(self, action: str) -> list[AuditEventRow]:
        return await audit_events(self.talk.db, action)

    def cards(self, code: str) -> list[Entry]:
        """The posted cards of a batch, newest state, by where they stand."""
        newest: dict[str, Entry] = {}
        for entry in self.talk.teams.transcript.since(0):
            if entry.card is not None and entry.activity_id:
                newest[entry.activity_id] = entry
        return [one for one in newest.values() if one.summary.startswith(f"{code} ·")]

    def text(self, code: str) -> str:
        """What the one posted card of a batch says now."""
        (entry,) = self.cards(code)
        assert entry.card is not None
        return as_text(entry.card)

    def text_anywhere(self, code: str) -> str:
        """What the posted cards of a batch say now, all of them."""
        return "\n".join(as_text(one.card) for one in self.cards(code) if one.card is not None)
