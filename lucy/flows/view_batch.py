"""A batch as one reader sees it, read from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batches, members, steps
from lucy.db import students as students_db
from lucy.db.tables import BatchRow, StepRow
from lucy.domain.batches import BatchState, batch_code
from lucy.domain.error_codes import explain
from lucy.domain.house import House
from lucy.domain.operations import BatchOptions
from lucy.domain.roles import Role
from lucy.domain.students import format_document_number, mask_document_number, mask_document_numbers
from lucy.domain.views import (
    BatchAction,
    BatchRows,
    BatchView,
    Impossible,
    Problem,
    Tally,
)
from lucy.domain.views import (
    BatchRow as ViewRow,
)
from lucy.errors import Remedy
from lucy.flows.forecast_batch import forecast_from
from lucy.log import mask_text

PAGE = 15
SAMPLES = 3
PACE_WINDOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the card. Without one (the channel) the card shows what some of its readers may press."""

    id: str
    role: Role


async def view_batch(
    session: AsyncSession, number: int, *, reader: Reader | None, house: House, now: datetime
) -> BatchView | None:
    """None when there is no such batch."""
    batch = await batches.get(session, number)
    if batch is None:
        return None
    tallies = await steps.tallies(session, batch.id)
    per_minute, eta_s = await _pace(session, batch, tallies, now)
    return BatchView(
        number=batch.id,
        code=batch_code(batch.id),
        kind=batch.kind,
        options=BatchOptions(**batch.options),
        state=batch.state,
        version=batch.version,
        selection=mask_document_numbers(batch.selection),
        students=batch.students,
        tallies=tallies,
        requested_by=batch.requested_by_name,
        requested_at=batch.requested_at,
        decided_by=batch.decided_by_name,
        decided_at=batch.decided_at,
        reason=mask_text(batch.reason),
        expires_at=batch.expires_at if batch.state is BatchState.AWAITING_APPROVAL else None,
        started_at=batch.started_at,
        finished_at=batch.finished_at,
        approvers=await _approvers(session, batch, house),
        requester_teams_id=batch.requested_by_teams_id if batch.state is BatchState.AWAITING_APPROVAL else "",
        impossible=tuple(Impossible(one["reason"], one["count"], tuple(one["sample"])) for one in batch.impossible),
        problems=await _problems(session, batch),
        forecast=forecast_from(batch.forecast) if batch.state is BatchState.AWAITING_APPROVAL else None,
        per_minute=per_minute,
        eta_s=eta_s,
        notes=tuple(_note(one, house) for one in batch.notes),
        actions=_actions(batch, reader),
    )


def _note(value: dict[str, str], house: House) -> str:
    return f"{value['text']} ({datetime.fromisoformat(value['at']).astimezone(house.zone):%H:%M:%S})"


def _actions(batch: BatchRow, reader: Reader | None) -> frozenset[BatchAction]:
    """What this reader may press; the bot checks again when it is pressed."""
    own = reader is not None and reader.id == batch.requested_by
    approves = reader is None or (reader.role.allows(Role.APROBADOR) and not own)
    operates = reader is None or reader.role.allows(Role.OPERADOR)
    found = {BatchAction.ROWS}
    if batch.state is BatchState.AWAITING_APPROVAL and approves:
        found |= {BatchAction.APPROVE, BatchAction.REJECT}
    stoppable = batch.state in {BatchState.AWAITING_APPROVAL, BatchState.QUEUED, BatchState.RUNNING}
    if stoppable and operates and (reader is None or own or approves):
        found.add(BatchAction.CANCEL)
    return frozenset(found)


async def _approvers(session: AsyncSession, batch: BatchRow, house: House) -> tuple[str, ...]:
    """Names of those who could approve a waiting batch."""
    if batch.state is not BatchState.AWAITING_APPROVAL:
        return ()
    people = await members.everyone(session)
    return tuple(
        person.name
        for person in people
        if person.name
        and person.entra_id != batch.requested_by
        and (person.entra_id in house.admins or (person.role is not None and person.role.allows(Role.APROBADOR)))
    )


async def _pace(
    session: AsyncSession, batch: BatchRow, tallies: Sequence[Tally], now: datetime
) -> tuple[float | None, float | None]:
    """Students a minute and seconds left, by the last minute; None when it cannot be told yet."""
    if batch.state is not BatchState.RUNNING or batch.started_at is None:
        return None, None
    window = min(PACE_WINDOW, now - batch.started_at)
    if window < timedelta(seconds=3):
        return None, None
    closed = await batches.pace(session, batch.id, since=now - window)
    left = sum(tally.left for tally in tallies)
    total = sum(tally.to_do for tally in tallies)
    if not closed or not total:
        return None, None
    steps_per_s = closed / window.total_seconds()
    return steps_per_s * 60 * batch.students / total, left / steps_per_s


async def _problems(session: AsyncSession, batch: BatchRow) -> tuple[Problem, ...]:
    """What did not end well, grouped by kind and code."""
    rows = await batches.problem_steps(session, batch.id)
    grouped: dict[tuple[str, str, str], list[StepRow]] = {}
    for row in rows:
        grouped.setdefault((row.kind.value, row.state.value, row.error_code), []).append(row)
    firsts = {row.student_id for group in grouped.values() for row in group[:SAMPLES]}
    people = await students_db.load(session, firsts)
    return tuple(
        Problem(
            kind=group[0].kind,
            state=group[0].state,
            code=group[0].error_code,
            text=explain(group[0].error_code),
            remedy=Remedy(group[0].remedy) if group[0].remedy else Remedy.OPERATOR,
            count=len(group),
            sample=tuple(mask_document_number(people[row.student_id].document_number) for row in group[:SAMPLES]),
        )
        for group in grouped.values()
    )


async def view_rows(session: AsyncSession, number: int, *, first: int) -> BatchRows | None:
    """A page of the students of a batch, for one reader."""
    batch = await batches.get(session, number)
    if batch is None:
        return None
    ids = await batches.student_page(session, number, first=first, size=PAGE)
    people = await students_db.load(session, ids)
    of_student: dict[int, list[StepRow]] = {}
    for row in await batches.steps_of(session, number, ids):
        of_student.setdefault(row.student_id, []).append(row)
    return BatchRows(
        code=batch_code(batch.id),
        total=batch.students,
        first=first,
        rows=tuple(
            ViewRow(
                name=people[id_].display_name,
                document=format_document_number(people[id_].document_number),
                steps=tuple((row.kind, row.target, row.state) for row in of_student[id_]),
            )
            for id_ in ids
        ),
    )
