"""Store a planned batch and say what it waits for: a decision, a second look, or nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batch_students, batches, outbox, steps
from lucy.db import students as students_db
from lucy.db.tables import BatchRow
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.batches import BatchEvent, BatchId, BatchState, Relation
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.domain.operations import REMOVALS, BatchKind
from lucy.domain.plans import Plan
from lucy.domain.steps import StepState
from lucy.domain.students import StudentId, mask_document_number
from lucy.flows.judge_plan import Trip, approvals_needed, extents_of_plan, judge, must_be_confirmed
from lucy.flows.plan_rows import What, plan_rows
from lucy.texts import _

SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks. `teams_id` is their Teams id: their client gets a view of the card without the approve button."""

    actor: Actor
    teams_id: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """The batch that a batch comes from."""

    parent: BatchId
    relation: Relation


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, by whom, in which words. `shape` is the selection as the audit may keep it.

    `unknown` are document numbers that no student has.
    """

    what: What
    requester: Requester
    selection: str
    shape: str
    unknown: Sequence[str] = ()
    origin: Origin | None = None


async def store_batch(session: AsyncSession, wish: Wish, plan: Plan, *, house: House, now: datetime) -> BatchRow:
    """Store the plan as a batch. Removals over their threshold become a batch of their own, held, while the additions
    go on (FEATURES row 65); where nothing can be parted the whole is held."""
    trip = await judge(session, wish.what.kind, await extents_of_plan(session, plan), house=house, now=now)
    if trip.removals and wish.what.kind is BatchKind.ENROL:
        adding = replace(wish, what=_only(wish.what, removals=False))
        additions = await plan_rows(session, adding.what, [row.student_id for row in plan.rows], house=house)
        if additions.open_steps:
            batch = await _store(session, adding, additions, replace(trip, removals=""), house=house, now=now)
            origin = Origin(batch.id, Relation.WITHHELD)
            taking = replace(wish, what=_only(wish.what, removals=True), origin=origin, unknown=())
            losing = [row.student_id for row in plan.rows if any(step.kind in REMOVALS for step in row.steps)]
            removals = await plan_rows(session, taking.what, losing, house=house)
            await _store(session, taking, removals, trip, house=house, now=now)
            return batch
    return await _store(session, wish, plan, trip, house=house, now=now)


def _only(what: What, *, removals: bool) -> What:
    """One half of a request that gives and takes."""
    return replace(what, options=replace(what.options, removals=removals, additions=not removals))


async def _store(session: AsyncSession, wish: Wish, plan: Plan, trip: Trip, *, house: House, now: datetime) -> BatchRow:
    affected = len({step.student_id for step in plan.steps if step.state is not StepState.ALREADY})
    person = wish.requester.actor
    numbers = await _numbers(session, plan)
    batch = await batches.add(
        session,
        {
            "kind": wish.what.kind,
            "options": asdict(wish.what.options),
            "selection": wish.selection,
            "state": BatchState.DRAFT,
            "plan_hash": plan.hash,
            "students": len(plan.rows),
            "impossible": grouped(plan.impossible, numbers, unknown=wish.unknown),
            "irreversible": grouped(plan.irreversible, numbers),
            "warnings": grouped(plan.warnings, numbers),
            "requested_by": person.id,
            "requested_by_name": person.name,
            "requested_by_teams_id": wish.requester.teams_id,
            "requested_at": now,
            "expires_at": now + timedelta(hours=house.approval_expires_h),
            "approvals_needed": max(
                await approvals_needed(session, wish.what.kind, affected), 1 if plan.warnings else 0
            ),
            "confirm": must_be_confirmed(plan),
            "parent_id": wish.origin.parent if wish.origin else wish.what.undoes,
            "relation": (wish.origin.relation if wish.origin else Relation.UNDO if wish.what.undoes else "") or "",
        },
    )
    await batch_students.add(session, batch.id, plan.rows)
    await steps.add_plan(session, batch.id, plan.steps, now=now)
    await _submit(session, batch, plan, trip, now=now)
    detail: dict[str, object] = {
        "students": len(plan.rows),
        "steps": plan.open_steps,
        "plan": plan.hash,
        "filters": wish.shape,
        "approvals": batch.approvals_needed,
    }
    if batch.parent_id is not None:
        detail |= {"parent": batch.parent_id, "relation": batch.relation}
    if batch.reason:
        detail["held"] = batch.reason
    event = AuditEvent(
        person, f"batch.request.{wish.what.kind.value}", batch.state.value, batch=batch.id, detail=detail
    )
    await audit.record(session, [event], now=now)
    return batch


async def _submit(session: AsyncSession, batch: BatchRow, plan: Plan, trip: Trip, *, now: datetime) -> None:
    if not plan.open_steps:
        batches.change_state(batch, BatchEvent.FINISH_EMPTY)
        batch.finished_at = now
        return
    if trip.any:
        batches.change_state(batch, BatchEvent.HOLD)
        batch.reason = trip.any
    elif not batch.approvals_needed:
        batches.change_state(batch, BatchEvent.SKIP_APPROVAL)
        await outbox.put(session, [Nudge("start_batch", (batch.id,))], now=now)
        return
    else:
        batches.change_state(batch, BatchEvent.SUBMIT)
    await outbox.put(session, [Nudge("forecast_batch", (batch.id,))], now=now)


async def _numbers(session: AsyncSession, plan: Plan) -> dict[StudentId, str]:
    """Document numbers of those who are named as examples."""
    named = {student for student, _reason in (*plan.impossible, *plan.irreversible, *plan.warnings)}
    return {id_: one.document_number for id_, one in (await students_db.load(session, named)).items()} if named else {}


def grouped(
    reasons: Sequence[tuple[StudentId, str]], numbers: dict[StudentId, str], *, unknown: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Reasons with counts and a few masked numbers."""
    found: dict[str, list[str]] = {}
    for student_id, reason in reasons:
        found.setdefault(reason, []).append(numbers[student_id])
    if unknown:
        found[_("no figuran entre los alumnos que Lucy conoce")] = list(unknown)
    return [
        {"reason": reason, "count": len(some), "sample": [mask_document_number(one) for one in some[:SAMPLES]]}
        for reason, some in found.items()
    ]
