"""Read the mailbox to which letters come back, and note which came back (FEATURES row 40).

A message is believed only about a letter that is Lucy's and was accepted: by its Message-ID, else by the address. What
else is in the mailbox is not looked at twice; a reading that is made again finds what it noted already.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit
from lucy.db import letters as letters_db
from lucy.db.engine import Database
from lucy.db.tables import LetterRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.house import House
from lucy.domain.letters import step_of
from lucy.domain.steps import StepId
from lucy.ports import ReturnedLetter, ReturnMailbox

log = structlog.get_logger(__name__)

# Servers give up after five days at most (RFC 5321, 4.5.4.1); a mailbox read for the first time may hold older ones.
LOOK_BACK = timedelta(days=30)


async def read_returns(db: Database, mailbox: ReturnMailbox, *, house: House) -> int:
    """How many letters came back since the last time. Raises RemoteError; what was noted until then counts."""
    count = 0
    since = datetime.now(UTC) - LOOK_BACK
    async with db.transaction() as session:
        place = await letters_db.mailbox_place(session, mailbox.name)
    while True:
        page = await mailbox.read(place, since=since.date())
        now = datetime.now(UTC)
        async with db.transaction() as session:
            bounced = [
                row for one in page.returned for row in await _letters(session, one, house=house, since=since, now=now)
            ]
            await letters_db.keep_mailbox_place(session, mailbox.name, page.place, now=now)
            await audit.record(session, _events(bounced), now=now)
        count += len(bounced)
        place = page.place
        if not page.more:
            log.info("returns.read", bounced=count)
            return count


async def _letters(
    session: AsyncSession, returned: ReturnedLetter, *, house: House, since: datetime, now: datetime
) -> list[LetterRow]:
    """The letters that this message is about and that were not known to have come back."""
    steps = {step_of(one, domain=house.mail_domain) for one in returned.message_ids} - {None}
    if not steps:
        row = await letters_db.bounce_by_address(session, returned.addresses, returned.status, since=since, now=now)
        return [row] if row else []
    found = [
        await letters_db.bounce_by_step(session, StepId(step), returned.status, now=now)
        for step in sorted(step for step in steps if step is not None)
    ]
    return [row for row in found if row is not None]


def _events(bounced: Iterable[LetterRow]) -> list[AuditEvent]:
    return [
        AuditEvent(LUCY, "letter.bounced", "done", student=row.student_id, batch=row.batch_id, detail=_detail(row))
        for row in bounced
    ]


def _detail(row: LetterRow) -> dict[str, object]:
    return {"letter": row.name.value, **({"status": row.detail} if row.detail else {})}
