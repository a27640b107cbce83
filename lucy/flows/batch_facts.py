"""Parts of what a batch card shows: who approved, where it came from, what did not end well, who changed."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import approvals, batch_students, batches, members
from lucy.db import students as students_db
from lucy.db.batch_students import Dropped
from lucy.db.tables import BatchRow, StepRow
from lucy.domain.batches import CLOSED_STATES, WAITING_STATES, BatchId, BatchState, Relation, batch_code
from lucy.domain.error_codes import explain
from lucy.domain.house import House
from lucy.domain.operations import LETTERS
from lucy.domain.roles import Role
from lucy.domain.students import StudentId, mask_document_number
from lucy.domain.views import Approval, Impossible, Kin, Problem
from lucy.errors import Remedy

SAMPLES = 3
_ASKED_FOR = frozenset({Relation.UNDO, Relation.REST})


async def given_approvals(session: AsyncSession, batch: BatchId) -> tuple[Approval, ...]:
    return tuple(Approval(row.approver_name, row.at) for row in await approvals.of_batch(session, batch))


async def possible_approvers(session: AsyncSession, batch: BatchRow, house: House) -> tuple[tuple[str, str], ...]:
    """Names and Teams ids of those who could still decide a waiting batch."""
    if batch.state not in WAITING_STATES:
        return ()
    given = {row.approver_id for row in await approvals.of_batch(session, batch.id)}
    return tuple(
        (person.name, person.teams_id)
        for person in await members.everyone(session)
        if person.name
        and person.entra_id != batch.requested_by
        and person.entra_id not in given
        and (person.entra_id in house.admins or (person.role is not None and person.role.allows(Role.APROBADOR)))
    )


def parent_of(batch: BatchRow) -> Kin | None:
    if batch.parent_id is None:
        return None
    return Kin(batch_code(batch.parent_id), Relation(batch.relation))


async def children_of(session: AsyncSession, batch: BatchId) -> tuple[Kin, ...]:
    """Those that came from it. One that somebody asked for and that came to nothing may be asked for again."""
    statement = select(BatchRow.id, BatchRow.relation, BatchRow.state, BatchRow.started_at)
    rows = await session.execute(statement.where(BatchRow.parent_id == batch).order_by(BatchRow.id))
    return tuple(
        Kin(batch_code(row.id), Relation(row.relation))
        for row in rows
        if not (row.relation in _ASKED_FOR and row.started_at is None and row.state in CLOSED_STATES)
    )


async def problems_of(session: AsyncSession, batch: BatchId) -> tuple[Problem, ...]:
    """What did not end well, grouped by kind and code."""
    grouped: dict[tuple[str, str, str], list[StepRow]] = {}
    for row in await batches.problem_steps(session, batch):
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


async def changes_of(session: AsyncSession, batch: BatchRow) -> tuple[tuple[Impossible, ...], int]:
    """What changed after the approval, by reason, and how many students dropped out of this batch.

    A batch that asks for the changed ones shows what changed with them in the batch they came from.
    """
    own = await batch_students.dropped(session, batch.id)
    if own or batch.relation != Relation.CHANGED or batch.parent_id is None:
        return await _grouped(session, own), len(own)
    came = [
        row for row in await batch_students.dropped(session, BatchId(batch.parent_id)) if row.asked_again_in == batch.id
    ]
    return await _grouped(session, came), 0


async def _grouped(session: AsyncSession, rows: Sequence[Dropped]) -> tuple[Impossible, ...]:
    found: dict[str, list[StudentId]] = {}
    for row in rows:
        for reason in row.changed:
            found.setdefault(reason, []).append(row.student_id)
    firsts = {student for some in found.values() for student in some[:SAMPLES]}
    people = await students_db.load(session, firsts)
    ordered = sorted(found.items(), key=lambda pair: -len(pair[1]))
    return tuple(
        Impossible(
            reason, len(some), tuple(mask_document_number(people[one].document_number) for one in some[:SAMPLES])
        )
        for reason, some in ordered
    )


async def maybe_twice(session: AsyncSession, batch: BatchRow) -> int:
    """Letters whose acceptance could not be known and that were sent again, under the same Message-ID."""
    if batch.state in WAITING_STATES or batch.state is BatchState.DRAFT:
        return 0
    statement = select(func.count()).where(
        StepRow.batch_id == batch.id, StepRow.kind.in_(sorted(LETTERS)), StepRow.outcome.has_key("sent_again")
    )
    return int(await session.scalar(statement) or 0)
