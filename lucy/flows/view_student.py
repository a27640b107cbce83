"""Everything known of one student, for a reader who may see it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import audit, batches
from lucy.db import letters as letters_db
from lucy.db import moodle as moodle_db
from lucy.db import rules as rules_db
from lucy.db import students as students_db
from lucy.db.tables import AccountRow, AuditEventRow, StepRow, StudentRow
from lucy.domain.batches import batch_code
from lucy.domain.course_rules import courses_for
from lucy.domain.error_codes import explain
from lucy.domain.house import House
from lucy.domain.letter_states import LetterState, SentLetter
from lucy.domain.operations import BatchKind, StepKind
from lucy.domain.steps import StepState
from lucy.domain.students import Career, Modality, Stage, Student, format_document_number
from lucy.domain.views import CourseState, Happening, StudentView
from lucy.texts import _, clock, day

HISTORY = 8
_MODALITY = {Modality.PRES: "presencial", Modality.DIST: "a distancia"}


async def view_students(session: AsyncSession, number: str, *, house: House, now: datetime) -> tuple[StudentView, ...]:
    """The students with this document number (one, unless two document types share it)."""
    return tuple([await _view(session, row, house, now) for row in await students_db.by_document(session, number)])


async def _view(session: AsyncSession, row: StudentRow, house: House, now: datetime) -> StudentView:
    student = students_db.student_from(row)
    account = (await accounts_db.accounts(session, [row.id])).get(row.id)
    moodle = (await moodle_db.users_by_site(session, [row.id])).get(row.id, {})
    enrolments = await moodle_db.enrolments(session, row.id)
    pending = await batches.open_steps_of_student(session, row.id)
    events = await audit.latest(session, limit=HISTORY, student=row.id)
    sent = await letters_db.of_student(session, row.id)
    missing = set(courses_for(student, await rules_db.course_rules(session))) - {
        one.course for one in enrolments if not one.suspended
    }
    return StudentView(
        name=student.full_name,
        document=format_document_number(row.document_number),
        document_type=row.document_type,
        stage=row.stage,
        cohort=row.cohort,
        careers=tuple(_career(career) for career in student.careers),
        personal_email=row.personal_email,
        upn=account.upn if account else "",
        account_enabled=account.enabled if account else None,
        licensed=bool(account and account.licensed),
        letter=_letter(account, sent, house),
        moodle_username=next((user.username for user in moodle.values()), ""),
        courses=tuple(
            CourseState(one.course, _("suspendido") if one.suspended else _("matriculado"), one.created_at)
            for one in enrolments
        )
        + tuple(CourseState(step.target, _course_state(step)) for step in pending if step.kind is StepKind.ENROLMENT),
        open_cases=tuple(
            f"{batch_code(step.batch_id)}: {explain(step.error_code)} ({step.error_code})"
            for step in pending
            if step.state is StepState.FAILED
        ),
        history=tuple(_happening(event) for event in reversed(events)),
        id=row.id,
        may=_may(student, account, sent, missing=bool(missing)),
    )


def _may(
    student: Student, account: AccountRow | None, sent: SentLetter | None, *, missing: bool
) -> tuple[BatchKind, ...]:
    """What makes sense next, the likeliest first."""
    if account is None:
        return () if student.stage is Stage.PREINSCRIPTO else (BatchKind.ACTIVATE,)
    if not account.enabled:
        return (BatchKind.ENABLE,)
    lost = sent is not None and sent.state in {LetterState.BOUNCED, LetterState.UNUSED}
    return (
        *([BatchKind.RESEND] if lost else []),
        *([BatchKind.ENROL] if missing else []),
        BatchKind.RESET,
        BatchKind.DISABLE,
    )


def _career(career: Career) -> str:
    parts = [career.name]
    if career.modality:
        parts.append(_(_MODALITY[career.modality]))
    if career.commissions:
        parts.append(_("comisión {names}").format(names=", ".join(career.commissions)))
    return ", ".join(parts)


def _letter(account: AccountRow | None, sent: SentLetter | None, house: House) -> str:
    if account is None:
        return ""
    if account.mailed_at is None:
        return _("sin enviar") if account.made_by_batch else _("sin carta: la cuenta ya existía")
    moment = account.mailed_at
    taken = _("aceptada el {day} {clock}").format(day=day(moment, house.zone), clock=clock(moment, house.zone))
    if sent is None or sent.state is LetterState.ACCEPTED:
        return taken
    if sent.state is LetterState.BOUNCED:
        back = _("rebotó el {day}").format(day=day(sent.state_at, house.zone))
        return f"{taken}, {back}" + (f" ({sent.detail})" if sent.detail else "")
    return taken + (_(", estrenada") if sent.state is LetterState.USED else _(", sin estrenar"))


def _course_state(step: StepRow) -> str:
    return explain(step.error_code) if step.state is StepState.FAILED else _("pendiente")


def _happening(event: AuditEventRow) -> Happening:
    about = [str(event.detail["target"])] if event.detail.get("target") else []
    about += [batch_code(event.batch_id)] if event.batch_id else []
    return Happening(event.at, event.actor_name, event.action, event.outcome, " · ".join(about))
