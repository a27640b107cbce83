"""`lucy run-now`."""

from datetime import UTC, datetime

from lucy.db.engine import Database
from lucy.domain.audit import Actor
from lucy.flows.run_schedules import bring_forward
from lucy.settings import Settings


async def bring_forward_now(settings: Settings, name: str, actor: Actor) -> None:
    """Raises RequestError when there is no such schedule."""
    db = Database(settings.database_url)
    try:
        async with db.transaction() as session:
            await bring_forward(session, name, actor=actor, now=datetime.now(UTC))
    finally:
        await db.close()
