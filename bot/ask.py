"""A turn of somebody who may be heard, with what answering it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from bot.answers import Answer, InvokeCard, OnPosted, Reply
from bot.turns import ConversationType, Turn
from lucy.domain.audit import Actor
from lucy.domain.house import House
from lucy.domain.roles import Role
from lucy.domain.views import Frame


@dataclass(frozen=True, slots=True)
class Ask:
    """`session` is the turn's one transaction: what a command writes is committed before it is answered."""

    turn: Turn
    session: AsyncSession
    house: House
    now: datetime
    actor: Actor
    role: Role

    @property
    def frame(self) -> Frame:
        return Frame(self.house.environment, self.zone, self.now)

    @property
    def zone(self) -> ZoneInfo:
        return self.house.zone

    @property
    def personal(self) -> bool:
        """Only the asker reads the answer."""
        return self.turn.conversation_type is ConversationType.PERSONAL or self.turn.is_invoke

    def text(self, text: str) -> Answer:
        return Answer.told(self.turn, text)

    def card(self, card: Mapping[str, object], summary: str, on_posted: OnPosted | None = None) -> Answer:
        """A card: in place of the pressed one, or as a reply."""
        if self.turn.is_invoke:
            return Answer(invoke=InvokeCard(card))
        return Answer(replies=(Reply(card=card, summary=summary, on_posted=on_posted),))
