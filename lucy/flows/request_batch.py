"""Ask for a batch: freeze the selection, plan every step, and leave it for a second person."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batches, outbox, rules, steps
from lucy.db import students as students_db
from lucy.db.tables import BatchRow
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.batches import BatchEvent, BatchState
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.domain.plans import Plan, Present, plan_activation
from lucy.domain.selections import Selection
from lucy.domain.students import Student, StudentId, mask_document_number
from lucy.texts import _

READ_AT_ONCE = 2000
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks. `teams_id` is their Teams id: their client gets a view of the card without the approve button."""

    actor: Actor
    teams_id: str = ""


@dataclass(frozen=True, slots=True)
class NobodyMatches:
    """The selection means nobody; nothing was created. `similar` are selections near it that mean somebody."""

    selection: str
    similar: tuple[tuple[str, int], ...]


async def request_batch(
    session: AsyncSession,
    kind: BatchKind,
    selection: Selection,
    *,
    options: BatchOptions,
    requester: Requester,
    house: House,
    now: datetime,
) -> BatchRow | NobodyMatches:
    """Plan a batch and store it, waiting for approval; `nothing_done` when there is nothing to do."""
    ids = await students_db.select_ids(session, selection, zone=house.zone)
    unknown = await students_db.unknown_documents(session, selection.documents)
    if not ids:
        similar = await _similar(session, selection, house)
        event = AuditEvent(
            requester.actor, f"batch.request.{kind.value}", "nobody", detail={"filters": _shape(selection)}
        )
        await audit.record(session, [event], now=now)
        return NobodyMatches(str(selection), similar)

    people = await _people(session, ids)
    plan = plan_activation(people, await rules.course_rules(session), options)
    batch = await batches.add(
        session,
        {
            "kind": kind,
            "options": asdict(options),
            "selection": str(selection),
            "state": BatchState.DRAFT,
            "plan_hash": plan.hash,
            "students": len(ids),
            "impossible": _impossible(plan, people, unknown),
            "requested_by": requester.actor.id,
            "requested_by_name": requester.actor.name,
            "requested_by_teams_id": requester.teams_id,
            "requested_at": now,
            "expires_at": now + timedelta(hours=house.approval_expires_h),
        },
    )
    await steps.add_plan(session, batch.id, plan.steps, now=now)
    if plan.open_steps:
        batches.change_state(batch, BatchEvent.SUBMIT)
        await outbox.put(session, [Nudge("forecast_batch", (batch.id,))], now=now)
    else:
        batches.change_state(batch, BatchEvent.FINISH_EMPTY)
        batch.finished_at = now
    event = AuditEvent(
        requester.actor,
        f"batch.request.{kind.value}",
        batch.state.value,
        batch=batch.id,
        detail={"students": len(ids), "steps": plan.open_steps, "plan": plan.hash, "filters": _shape(selection)},
    )
    await audit.record(session, [event], now=now)
    return batch


async def _people(session: AsyncSession, ids: Sequence[StudentId]) -> list[tuple[Student, Present]]:
    people: list[tuple[Student, Present]] = []
    for start in range(0, len(ids), READ_AT_ONCE):
        part = ids[start : start + READ_AT_ONCE]
        loaded = await students_db.load(session, part)
        present = await students_db.present(session, part)
        people += [(loaded[id_], present[id_]) for id_ in part]
    return people


def _impossible(
    plan: Plan, people: Sequence[tuple[Student, Present]], unknown: Sequence[str]
) -> list[dict[str, object]]:
    """Reasons with counts and a few masked numbers."""
    numbers = {student.id: student.document_number for student, _present in people}
    grouped: dict[str, list[str]] = {}
    for student_id, reason in plan.impossible:
        grouped.setdefault(reason, []).append(numbers[student_id])
    if unknown:
        grouped[_("no figuran entre los alumnos que Lucy conoce")] = list(unknown)
    return [
        {"reason": reason, "count": len(found), "sample": [mask_document_number(one) for one in found[:SAMPLES]]}
        for reason, found in grouped.items()
    ]


def _shape(selection: Selection) -> str:
    """The selection for the audit: document numbers are counted, not written."""
    if not selection.documents:
        return str(selection)
    rest = replace(selection, documents=())
    return f"{len(selection.documents)} documentos" + ("" if rest == Selection() else f" {rest}")


async def _similar(session: AsyncSession, selection: Selection, house: House) -> tuple[tuple[str, int], ...]:
    """Selections with one filter less that mean somebody; the smallest first."""
    empty = Selection()
    found: list[tuple[str, int]] = []
    for field in fields(Selection):
        if field.name == "documents" or getattr(selection, field.name) == getattr(empty, field.name):
            continue
        looser = replace(selection, **{field.name: getattr(empty, field.name)})
        if looser == empty:
            continue
        count = await students_db.count(session, looser, zone=house.zone)
        if count:
            found.append((str(looser), count))
    return tuple(sorted(found, key=lambda pair: pair[1])[:3])
