"""An outage as its card shows it, read from the database."""

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import outages, waiting
from lucy.domain.systems import kinds_of, system_name
from lucy.domain.views import OutageView
from lucy.errors import System


async def view_outage(session: AsyncSession, number: int) -> OutageView | None:
    """None when there is no such outage. While it lasts, the steps are counted as they are now."""
    outage = await outages.get(session, number)
    if outage is None:
        return None
    system = System(outage.system)
    count = outage.waiting
    if outage.closed_at is None:
        count = sum((await waiting.by_batch(session, kinds_of(system))).values())
    return OutageView(
        name=system_name(system),
        since=outage.first_failed_at,
        waiting=count,
        next_try_at=outage.next_try_at,
        closed_at=outage.closed_at,
        code=outage.code,
    )
