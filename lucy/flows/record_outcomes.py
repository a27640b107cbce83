"""Record what became of a claim: outcomes, what they release, the end of the batch, the audit; one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batches, steps
from lucy.db.steps import StepChange
from lucy.db.tables import BatchRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.batches import CLOSED_STATES, BatchEvent, BatchId, BatchState
from lucy.domain.operations import StepKind
from lucy.domain.steps import Sibling, StepEvent, StepId, StepState, advance, settle
from lucy.domain.students import StudentId
from lucy.domain.views import Tally
from lucy.flows.lanes.base import Lane, Outcome, W
from lucy.flows.redraw import lane_nudge, redraw_batch

Pair = tuple[BatchId, StudentId]
_MOVING = frozenset({BatchState.RUNNING, BatchState.PAUSED})


async def record_outcomes(
    session: AsyncSession, lane: Lane[W], outcomes: Sequence[Outcome], *, now: datetime
) -> list[Outcome]:
    """Write the outcomes of one claim; returns those that were still this claim's to write.

    The batches are locked first: two lanes that end the last two steps of a batch come one after the other, and the
    second one sees that everything is done.
    """
    if not outcomes:
        return []
    locked = await batches.lock_many(session, {one.step.batch_id for one in outcomes})
    mine = await steps.record(
        session, [_change(one, now) for one in outcomes], lease_id=outcomes[0].step.lease_id, now=now
    )
    recorded = [one for one in outcomes if one.step.id in mine]
    await lane.store(session, recorded, now=now)
    events = [_event(one) for one in recorded if one.event is not StepEvent.POSTPONE]
    closed = {(one.step.batch_id, one.step.student_id) for one in recorded if one.event is not StepEvent.POSTPONE}
    released, skipped = await _settle(session, closed, now=now)
    await audit.record(session, [*events, *skipped], now=now)
    for number, batch in locked.items():
        if batch.state in CLOSED_STATES:  # cancelled while these were in hand: what came back is not begun again
            await steps.cancel_open(session, number, now=now)
        await finish_if_done(session, batch, now=now)
        await redraw_batch(session, number, now=now, nudges=[lane_nudge(kind) for kind in sorted(released)])
    return recorded


def _change(one: Outcome, now: datetime) -> StepChange:
    postponed = one.event is StepEvent.POSTPONE
    return StepChange(
        step=one.step.id,
        event=one.event,
        due_at=now + timedelta(seconds=one.after_s) if postponed else None,
        error_code=one.code,
        error_detail=one.detail,
        remedy=one.remedy,
        outcome=one.ids or None,
        tried=postponed and one.tried,
    )


def _event(one: Outcome) -> AuditEvent:
    detail: dict[str, object] = {"attempts": one.step.attempts, **one.ids}
    if one.step.target:
        detail["target"] = one.step.target
    if one.code:
        detail["code"] = one.code
    return AuditEvent(
        LUCY,
        f"step.{one.step.kind.value}",
        advance(StepState.RUNNING, one.event).value,
        batch=one.step.batch_id,
        student=one.step.student_id,
        detail=detail,
    )


async def _settle(
    session: AsyncSession, students: set[Pair], *, now: datetime
) -> tuple[set[StepKind], list[AuditEvent]]:
    """Release and skip what waited for the steps that just ended."""
    release: list[StepId] = []
    skip: list[StepId] = []
    kinds: set[StepKind] = set()
    events: list[AuditEvent] = []
    for pair, siblings in (await steps.siblings(session, students)).items():
        for sibling, event in settle(siblings):
            if event is StepEvent.RELEASE:
                release.append(sibling.id)
                kinds.add(sibling.kind)
            else:
                skip.append(sibling.id)
                events.append(_skipped(pair, sibling))
    await steps.move(session, release, frm=StepState.WAITING, event=StepEvent.RELEASE, now=now)
    await steps.move(session, skip, frm=StepState.WAITING, event=StepEvent.SKIP, now=now, code="G-002")
    return kinds, events


def _skipped(pair: Pair, sibling: Sibling) -> AuditEvent:
    return AuditEvent(
        LUCY,
        f"step.{sibling.kind.value}",
        StepState.SKIPPED.value,
        batch=pair[0],
        student=pair[1],
        detail={"code": "G-002"},
    )


async def finish_if_done(session: AsyncSession, batch: BatchRow, *, now: datetime) -> bool:
    """End a locked batch whose steps have all ended; False when it goes on, or has ended already."""
    if batch.state not in _MOVING or await steps.has_open(session, batch.id):
        return False
    tallies = await steps.tallies(session, batch.id)
    batches.change_state(batch, ending(tallies))
    batch.finished_at = now
    counts = {
        tally.kind.value: {
            name: count
            for name in ("done", "already", "failed", "skipped", "cancelled", "dropped")
            if (count := getattr(tally, name))
        }
        for tally in tallies
    }
    event = AuditEvent(LUCY, "batch.finish", batch.state.value, batch=batch.id, detail=counts)
    await audit.record(session, [event], now=now)
    return True


def ending(tallies: Sequence[Tally]) -> BatchEvent:
    """How a batch with these counts has ended: zero done is never success (FEATURES row 68)."""
    if any(tally.failed or tally.dropped for tally in tallies):
        return BatchEvent.FINISH_WITH_FAILURES
    if not any(tally.done for tally in tallies):
        return BatchEvent.FINISH_EMPTY
    return BatchEvent.FINISH
