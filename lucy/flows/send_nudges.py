"""Send what waits in the outbox. Taken and sent in one transaction: a queue that is down keeps the nudges waiting."""

from datetime import UTC, datetime

from lucy.db import outbox
from lucy.db.engine import Database
from lucy.ports import Nudger

AT_ONCE = 200


async def send_nudges(db: Database, nudger: Nudger) -> int:
    """Send all that are due; returns how many. Raises RetryLater when the queue cannot be reached."""
    sent = 0
    while True:
        async with db.transaction() as session:
            taken = await outbox.take(session, now=datetime.now(UTC), limit=AT_ONCE)
            nudges = list(dict.fromkeys(taken))
            if nudges:
                await nudger.send(nudges)
        sent += len(nudges)
        if len(taken) < AT_ONCE:
            return sent
