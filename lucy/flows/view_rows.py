"""The students of a batch, one page at a time, for one reader; and the first of them, masked, for everybody."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batch_students, batches
from lucy.db import students as students_db
from lucy.db.steps import CONFLICT
from lucy.db.tables import BatchStudentRow, StepRow
from lucy.domain.batches import BatchId, batch_code
from lucy.domain.error_codes import explain
from lucy.domain.step_names import step as step_name
from lucy.domain.steps import StepState
from lucy.domain.students import format_document_number, mask_document_number
from lucy.domain.views import BatchRow as ViewRow
from lucy.domain.views import BatchRows
from lucy.texts import _

PAGE = 15
SAMPLE = 3
_SHOWN_REASONS = frozenset({StepState.FAILED, StepState.SKIPPED})


async def view_rows(session: AsyncSession, number: int, *, first: int) -> BatchRows | None:
    """A page of the students of a batch, for one reader; None when there is no such batch."""
    batch = await batches.get(session, number)
    if batch is None:
        return None
    page = await batch_students.page(session, batch.id, first=first, size=PAGE)
    ids = [row.student_id for row in page]
    people = await students_db.load(session, ids)
    steps = await _steps(session, batch.id, page)
    return BatchRows(
        code=batch_code(batch.id),
        total=batch.students,
        first=first,
        rows=tuple(
            ViewRow(
                name=people[row.student_id].display_name,
                document=format_document_number(people[row.student_id].document_number),
                steps=tuple((one.kind, one.target, one.state) for one in steps[row.student_id]),
                reasons=_reasons(row, steps[row.student_id]),
                conflicts=tuple((one.kind, one.target) for one in steps[row.student_id] if _is_conflict(one)),
            )
            for row in page
        ),
        number=batch.id,
        version=batch.version,
    )


async def sample_rows(session: AsyncSession, number: BatchId) -> tuple[str, ...]:
    """The first students of a plan, masked, each with what would be done for them."""
    page = await batch_students.page(session, number, first=1, size=SAMPLE)
    people = await students_db.load(session, [row.student_id for row in page])
    steps = await _steps(session, number, page)
    found = []
    for row in page:
        names = [step_name(one.kind, one.target) for one in steps[row.student_id] if one.state is not StepState.ALREADY]
        what = ", ".join(names) or "; ".join(row.impossible) or _("nada por hacer")
        found.append(f"{mask_document_number(people[row.student_id].document_number)}: {what}")
    return tuple(found)


async def _steps(session: AsyncSession, number: BatchId, page: Sequence[BatchStudentRow]) -> dict[int, list[StepRow]]:
    of_student: dict[int, list[StepRow]] = {row.student_id: [] for row in page}
    for row in await batches.steps_of(session, number, [row.student_id for row in page]):
        of_student[row.student_id].append(row)
    return of_student


def _is_conflict(step: StepRow) -> bool:
    return step.state is StepState.SKIPPED and step.error_code == CONFLICT


def _reasons(row: BatchStudentRow, steps: Sequence[StepRow]) -> tuple[str, ...]:
    """Why something cannot be done, was dropped or failed."""
    codes = dict.fromkeys(one.error_code for one in steps if one.state in _SHOWN_REASONS and one.error_code)
    failures = [f"{code}: {explain(code)}" for code in codes if code not in {CONFLICT, "G-002"}]
    return (*row.impossible, *row.changed, *failures)
