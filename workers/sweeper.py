"""Puts right what a lost message or a dead process left behind. Only the database is asked, so Redis may be emptied."""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts, batches, cards, claims, downloads, previews, steps
from lucy.db import ingest as ingest_db
from lucy.db.engine import Database
from lucy.db.tables import BatchRow, InboxDedupRow
from lucy.domain.batches import WAITING_STATES, BatchState
from lucy.domain.nudges import Nudge
from lucy.domain.operations import system_of
from lucy.errors import System
from lucy.flows.decide_batch import expire_batches
from lucy.flows.nudge_approvers import nudge_approvers
from lucy.flows.pause_everything import lift_expired
from lucy.flows.redraw import ANNOUNCE, lane_nudge, redraw_batch
from lucy.flows.watch_systems import close_unneeded, standing_still
from lucy.texts import plural
from workers.announcer import EVERY_S

log = structlog.get_logger(__name__)

INGEST_GRACE_S = 10.0
DEDUP_KEPT = timedelta(days=2)


async def sweep(db: Database) -> list[Nudge]:
    """Give back expired leases and expired approvals; returns the nudges for all work that is due."""
    now = datetime.now(UTC)
    async with db.transaction() as session:
        await _give_back(session, now)
    async with db.transaction() as session:
        for pause in await lift_expired(session, now=now):
            log.info("sweeper.pause_over", pause=pause.id, system=pause.system)
        await close_unneeded(session, now=now)
    async with db.transaction() as session:
        await expire_batches(session, now=now)
        await nudge_approvers(session, now=now)
        still = await standing_still(session, now=now)
        due = sorted(await steps.lanes_with_due_work(session, now=now))
        nudges = [lane_nudge(kind) for kind in due if system_of(kind) not in still]
        queued = await batches.in_states(session, [BatchState.QUEUED])
        nudges += [Nudge("start_batch", (row.id,)) for row in queued]
        asked = await batches.in_states(session, WAITING_STATES)
        nudges += [Nudge("forecast_batch", (row.id,)) for row in asked if _late(row, now)]
        late = now - timedelta(seconds=INGEST_GRACE_S)
        if System.SIAL not in still:
            nudges += [Nudge("ingest_list", (run_id,)) for run_id in await ingest_db.unattended_runs(session, now=late)]
        if await cards.any_to_draw(session, now=now, every_s=EVERY_S):
            nudges.append(ANNOUNCE)
    return nudges


async def _give_back(session: AsyncSession, now: datetime) -> None:
    """Expired leases. The batches are locked first, as whoever records does: else the two would wait for each other."""
    locked = await batches.lock_many(session, await claims.batches_with_expired(session, now=now))
    for number, count in sorted((await claims.release_expired(session, locked, now=now)).items()):
        log.warning("sweeper.leases_expired", batch=number, steps=count)
        text = plural(
            "Un proceso se cortó: {n} paso volvió a la cola",
            "Un proceso se cortó: {n} pasos volvieron a la cola",
            count,
        )
        batches.add_note(locked[number], text, at=now)
        await redraw_batch(session, number, now=now)


def _late(row: BatchRow, now: datetime) -> bool:
    """Whether the forecast should have been made by now; asked again for a minute, then let be."""
    age = now - row.requested_at
    return not row.forecast and timedelta(seconds=10) < age < timedelta(seconds=70)


async def tidy(db: Database) -> None:
    """Throw away what has had its time: sealed passwords that no letter took, handled activities, stale links."""
    now = datetime.now(UTC)
    async with db.transaction() as session:
        purged = await accounts.destroy_expired_secrets(session, now=now)
        await session.execute(delete(InboxDedupRow).where(InboxDedupRow.seen_at < now - DEDUP_KEPT))
        await downloads.purge_expired(session, now=now)
        await previews.purge_pages(session, now=now)
    if purged:
        log.warning("sweeper.secrets_purged", secrets=purged)
