"""Something that a card shows has changed: ask for it to be drawn again."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import cards, outbox
from lucy.domain.nudges import Nudge
from lucy.domain.operations import StepKind

ANNOUNCE = Nudge("announce")


def lane_nudge(kind: StepKind) -> Nudge:
    return Nudge("run_lane", (kind.value,))


async def redraw_ingest(session: AsyncSession, run_id: int, *, now: datetime) -> None:
    """A reading of a list has ended."""
    await cards.want_redraw(session, shows="ingest", subject=str(run_id))
    await outbox.put(session, [ANNOUNCE], now=now)


async def redraw_parent(session: AsyncSession, parent: int | None, *, now: datetime) -> None:
    """A batch ended: the card of the one it came from says so, and may offer again what came to nothing."""
    if parent is not None:
        await redraw_batch(session, parent, now=now)


async def redraw_decided(session: AsyncSession, number: int, *, now: datetime, nudges: Iterable[Nudge] = ()) -> None:
    """The same for a batch that waits for nobody any more: the reminders that it waited say so, too."""
    await cards.want_redraw(session, shows="waiting", subject=str(number))
    await redraw_batch(session, number, now=now, nudges=nudges)


async def redraw_batch(session: AsyncSession, number: int, *, now: datetime, nudges: Iterable[Nudge] = ()) -> None:
    """Mark the batch's cards as behind, and nudge whoever draws them (and whatever else is given)."""
    await cards.want_redraw(session, shows="batch", subject=str(number))
    await outbox.put(session, [ANNOUNCE, *nudges], now=now)
