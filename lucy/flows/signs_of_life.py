"""Keep a lease while the work it stands for goes on; a process that dies stops renewing, and others take over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.engine import Database

log = structlog.get_logger(__name__)

Renew = Callable[[AsyncSession, datetime], Awaitable[None]]


@asynccontextmanager
async def signs_of_life(db: Database, renew: Renew, *, lease_s: float) -> AsyncIterator[None]:
    """Call `renew` (in a transaction, with the time) three times a lease until the block ends."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(lease_s / 3)
            try:
                async with db.transaction() as session:
                    await renew(session, datetime.now(UTC))
            except (DBAPIError, OSError) as error:  # then the lease runs out, which is what leases are for
                log.warning("lease.not_renewed", error=type(error).__name__)

    renewing = asyncio.ensure_future(go_on())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.wait([renewing])
