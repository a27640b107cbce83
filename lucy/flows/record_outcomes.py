"""Record what became of a claim: outcomes, what they release, the end of the batch, the audit; one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batch_students, batches, claims, outbox, steps
from lucy.db.claims import StepChange
from lucy.db.tables import BatchRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.batches import WAITING_STATES, BatchEvent, BatchId, BatchState
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.domain.operations import StepKind
from lucy.domain.steps import Sibling, StepEvent, StepId, StepState, advance, settle
from lucy.domain.students import StudentId
from lucy.domain.views import Tally
from lucy.flows.ask_again import ask_for_the_changed
from lucy.flows.lanes.base import Changed, Lane, Outcome, W
from lucy.flows.redraw import lane_nudge, redraw_batch, redraw_parent

Pair = tuple[BatchId, StudentId]
_MOVING = frozenset({BatchState.RUNNING, BatchState.PAUSED})


async def record_outcomes(
    session: AsyncSession, lane: Lane[W], outcomes: Sequence[Outcome], *, house: House, now: datetime
) -> list[Outcome]:
    """Write the outcomes of one claim; returns those that were still this claim's to write.

    The batches are locked first: two lanes that end the last two steps of a batch come one after the other, and the
    second one sees that everything is done.
    """
    if not outcomes:
        return []
    locked = await batches.lock_many(session, {one.step.batch_id for one in outcomes})
    mine = await claims.record(
        session, [_change(one, now) for one in outcomes], lease_id=outcomes[0].step.lease_id, now=now
    )
    recorded = [one for one in outcomes if one.step.id in mine]
    await lane.store(session, recorded, now=now)
    ended = [one for one in recorded if one.event is not StepEvent.POSTPONE]
    await _drop(session, [one for one in ended if one.event is StepEvent.DROP], now=now)
    await audit.record(session, [_event(one) for one in ended], now=now)
    closed = {(one.step.batch_id, one.step.student_id) for one in ended}
    released = await settle_students(session, closed, now=now)
    if await batch_students.let_go(session, closed):  # somebody else may be begun in their stead
        released |= await steps.lanes_with_due_work(session, now=now)
    for number, batch in locked.items():
        await finish_if_done(session, batch, house=house, now=now)
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
        outcome={**one.ids, **one.kept} or None,
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


async def _drop(session: AsyncSession, dropped: Sequence[Outcome], *, now: datetime) -> None:
    """Students who changed since the approval: none of their steps is done, and what differed is kept."""
    changed = {
        (one.step.batch_id, one.step.student_id): one.fact.changed for one in dropped if isinstance(one.fact, Changed)
    }
    await batch_students.note_changed(session, changed)
    for number in {number for number, _student in changed}:
        students = [student for batch, student in changed if batch == number]
        await steps.drop_students(session, number, students, now=now)
    events = [
        AuditEvent(LUCY, "student.drop", "dropped", batch=number, student=student, detail={"changed": list(what)})
        for (number, student), what in changed.items()
    ]
    await audit.record(session, events, now=now)


async def settle_students(session: AsyncSession, students: set[Pair], *, now: datetime) -> set[StepKind]:
    """Release and skip what waited for the steps that just ended; returns the lanes that have work now."""
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
    await audit.record(session, events, now=now)
    return kinds


def _skipped(pair: Pair, sibling: Sibling) -> AuditEvent:
    return AuditEvent(
        LUCY,
        f"step.{sibling.kind.value}",
        StepState.SKIPPED.value,
        batch=pair[0],
        student=pair[1],
        detail={"code": "G-002"},
    )


async def finish_if_done(session: AsyncSession, batch: BatchRow, *, house: House, now: datetime) -> bool:
    """End a locked batch whose steps have all ended; False when it goes on, or has ended already.

    A cancelled one ends when the students in hand are finished. Students who dropped out are asked for anew.
    """
    cancelled = batch.state is BatchState.CANCELLED and batch.finished_at is None
    if not (batch.state in _MOVING or cancelled) or await steps.has_open(session, batch.id):
        return False
    tallies = await steps.tallies(session, batch.id)
    if not cancelled:
        batches.change_state(batch, ending(tallies))
    batch.finished_at = now
    await ask_for_the_changed(session, batch, house=house, now=now)
    counts = {
        tally.kind.value: {
            name: count
            for name in ("done", "already", "failed", "skipped", "cancelled", "dropped", "conflicts")
            if (count := getattr(tally, name))
        }
        for tally in tallies
    }
    event = AuditEvent(LUCY, "batch.finish", batch.state.value, batch=batch.id, detail=counts)
    await audit.record(session, [event], now=now)
    # What this one used up is not there for those that wait: their cards tell it.
    waiting = await batches.in_states(session, WAITING_STATES)
    await outbox.put(session, [Nudge("forecast_batch", (one.id,)) for one in waiting], now=now)
    await redraw_parent(session, batch.parent_id, now=now)
    return True


def ending(tallies: Sequence[Tally]) -> BatchEvent:
    """How a batch with these counts has ended: zero done is never success (FEATURES row 68)."""
    if any(tally.failed or tally.conflicts for tally in tallies):
        return BatchEvent.FINISH_WITH_FAILURES
    if not any(tally.done for tally in tallies):
        return BatchEvent.FINISH_EMPTY
    dropped = any(tally.dropped for tally in tallies)
    return BatchEvent.FINISH_WITH_FAILURES if dropped else BatchEvent.FINISH
