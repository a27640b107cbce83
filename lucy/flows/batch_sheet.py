"""Write the spreadsheet of a batch: its students with what became of each, and a summary."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batch_rows, batches, steps
from lucy.db.tables import BatchRow
from lucy.domain.batch_sheet import Reason, SheetStudent, headings, reasons, student_row, widths
from lucy.domain.batch_summary import WIDTHS, BatchFacts, facts_rows, reason_rows, tally_rows
from lucy.domain.batches import batch_code
from lucy.domain.house import House
from lucy.domain.operations import StepKind, batch_title, options_from
from lucy.texts import _
from lucy.workbook import Sheet, Workbook


async def write_batch_sheet(session: AsyncSession, number: int, *, house: House, now: datetime) -> bytes | None:
    """The XLSX file; None when there is no such batch.

    `session` is a transaction of its own that has read nothing yet: the sheet shows one moment. Students are read in
    pages and written in a thread, so that memory is bounded and the process goes on answering.
    """
    await batch_rows.hold_still(session)
    batch = await batches.get(session, number)
    if batch is None:
        return None
    facts = await _facts(session, batch, house=house, now=now)
    kinds = await batch_rows.kinds(session, number)
    counts: Counter[Reason] = Counter()
    with Workbook(house.zone) as book:
        students = book.sheet(_("Alumnos"), widths=widths(kinds), heading=headings(kinds))
        summary = book.sheet(_("Resumen"), widths=WIDTHS)
        async for page in batch_rows.pages(session, number):
            counts += await asyncio.to_thread(_write, students, page, kinds)
        for one in batch.impossible:  # documents of nobody that Lucy knows have no row
            counts.setdefault(Reason(one["reason"]), one["count"])
        return await asyncio.to_thread(_finish, book, summary, facts, counts)


def _write(sheet: Sheet, page: Sequence[SheetStudent], kinds: Sequence[StepKind]) -> Counter[Reason]:
    """A page of students; returns for how many of them each reason holds."""
    sheet.add(student_row(student, kinds) for student in page)
    return Counter(reason for student in page for reason in {reason for _about, reason in reasons(student)})


def _finish(book: Workbook, sheet: Sheet, facts: BatchFacts, counts: Counter[Reason]) -> bytes:
    sheet.add(facts_rows(facts))
    for heading, *rows in (tally_rows(facts.tallies), reason_rows(counts)):
        if rows:
            sheet.add([()])
            sheet.add([heading], bold=True)
            sheet.add(rows)
    return book.content()


async def _facts(session: AsyncSession, batch: BatchRow, *, house: House, now: datetime) -> BatchFacts:
    return BatchFacts(
        code=batch_code(batch.id),
        title=batch_title(batch.kind, options_from(batch.options)),
        state=batch.state,
        students=batch.students,
        selection=batch.selection,
        requested_by=batch.requested_by_name,
        requested_at=batch.requested_at,
        approvals=await batch_rows.approvals(session, batch.id),
        decided_by=batch.decided_by_name,
        decided_at=batch.decided_at,
        reason=batch.reason,
        started_at=batch.started_at,
        finished_at=batch.finished_at,
        tallies=await steps.tallies(session, batch.id),
        environment=house.environment,
        zone=str(house.zone),
        made_at=now,
    )
