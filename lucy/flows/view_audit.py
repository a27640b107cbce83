"""The latest events of the audit, and whether the chain over all of them holds."""

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit
from lucy.db import students as students_db
from lucy.db.tables import AuditEventRow
from lucy.domain.batches import batch_code, parse_batch_code
from lucy.domain.students import StudentId, mask_document_number, parse_document_number
from lucy.domain.views import AuditLine, AuditView
from lucy.errors import RequestError
from lucy.texts import _

LINES = 12


async def view_audit(session: AsyncSession, wanted: str) -> AuditView:
    """The newest events; of one batch (`L-0042`) or one student (a document number) where `wanted` names one.

    Raises RequestError when `wanted` is neither.
    """
    batch, student = None, None
    if wanted:
        batch = parse_batch_code(wanted) if wanted.strip().upper().startswith("L") else None
        number = parse_document_number(wanted) if batch is None else None
        rows = await students_db.by_document(session, number) if number else []
        student = rows[0].id if rows else None
        if batch is None and student is None:
            text = _("No sé de qué es «{wanted}». Probá auditoria L-0001 o auditoria <documento>.")
            raise RequestError(text.format(wanted=wanted))
    chain = await audit.verify(session)
    events = await audit.latest(session, limit=LINES, batch=batch, student=student)
    people = await students_db.load(session, {StudentId(event.student_id) for event in events if event.student_id})
    numbers = {id_: mask_document_number(one.document_number) for id_, one in people.items()}
    return AuditView(
        lines=tuple(_line(event, numbers) for event in events),
        total=await audit.count(session),
        sealed=chain.events,
        head=chain.head,
        intact=chain.broken_at is None if chain.seals or chain.broken_at else None,
        filter=wanted if student is None else mask_document_number(wanted.replace(".", "").strip()),
    )


def _line(event: AuditEventRow, numbers: dict[StudentId, str]) -> AuditLine:
    subject = [batch_code(event.batch_id)] if event.batch_id else []
    if event.student_id:
        subject.append(numbers.get(StudentId(event.student_id), ""))
    target = event.detail.get("target") or event.detail.get("list") or event.detail.get("code") or ""
    return AuditLine(event.at, event.actor_name, event.action, " ".join(subject), event.outcome, str(target))
