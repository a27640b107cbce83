"""What a batch will take, for the card that asks for its approval: licence seats, letters, minutes."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batches, steps
from lucy.db.tables import BatchRow
from lucy.domain.batches import BatchState
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.views import Forecast
from lucy.flows.redraw import redraw_batch
from lucy.ports import LicenceSeats


async def forecast(session: AsyncSession, batch: BatchRow, seats: LicenceSeats | None, *, house: House) -> Forecast:
    """The forecast at the configured rates; the slowest lane decides, for the lanes run side by side."""
    to_do = {tally.kind: tally.left for tally in await steps.tallies(session, batch.id)}
    letters = to_do.get(StepKind.CREDENTIALS_MAIL, 0)
    writes = to_do.get(StepKind.ACCOUNT, 0) + to_do.get(StepKind.LICENCE, 0)
    return Forecast(
        seats_free=seats.free if seats else None,
        seats_total=seats.enabled if seats else None,
        letters=letters,
        duration_s=max(writes / house.graph_per_s, letters / house.mail_per_s),
    )


async def store_forecast(
    session: AsyncSession, number: int, seats: LicenceSeats | None, *, house: House, now: datetime
) -> None:
    """Put the forecast on a batch that waits for approval."""
    batch = await batches.lock(session, number)
    if batch is None or batch.state is not BatchState.AWAITING_APPROVAL:
        return
    batch.forecast = asdict(await forecast(session, batch, seats, house=house))
    await redraw_batch(session, number, now=now)


def forecast_from(value: dict[str, Any]) -> Forecast | None:
    """A stored forecast; None before it was made."""
    return Forecast(**value) if value else None
