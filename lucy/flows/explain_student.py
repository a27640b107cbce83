"""`por que`: for each thing that a student has or lacks, the chain of facts that led to it (FEATURES row 85)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import course_drifts, drifts, student_steps
from lucy.db import letters as letters_db
from lucy.db import moodle as moodle_db
from lucy.db import rules as rules_db
from lucy.db import students as students_db
from lucy.db.student_steps import LastStep
from lucy.db.tables import AccountRow, EnrolmentRow, ListingRow, MoodleUserRow, StudentRow
from lucy.domain import drift
from lucy.domain.batches import BatchState, batch_code
from lucy.domain.course_rules import Verdict, judge_rules, reason_from
from lucy.domain.error_codes import explain
from lucy.domain.house import House
from lucy.domain.letter_states import LetterState
from lucy.domain.operations import StepKind, batch_title, options_from
from lucy.domain.rule_words import career_words, why_given, why_not
from lucy.domain.selections import fold
from lucy.domain.steps import StepState
from lucy.domain.students import Stage, Student, format_document_number
from lucy.domain.views_why import Because, WhyView
from lucy.texts import _, clock, day

OTHERS_TOLD = 6
Steps = dict[tuple[StepKind, str], LastStep]


async def explain_students(session: AsyncSession, number: str, *, about: str, house: House) -> tuple[WhyView, ...]:
    """The students with this document number. `about`: a course or a thing, to be told alone; empty for all."""
    return tuple([await _explain(session, row, about, house) for row in await students_db.by_document(session, number)])


async def _explain(session: AsyncSession, row: StudentRow, about: str, house: House) -> WhyView:
    student = students_db.student_from(row)
    known = _Known(
        row=row,
        student=student,
        account=(await accounts_db.accounts(session, [row.id])).get(row.id),
        drifts=await drifts.of_student(session, row.id),
        users=(await moodle_db.users_by_site(session, [row.id])).get(row.id, {}),
        steps=await student_steps.last_steps(session, row.id),
        house=house,
    )
    sent = await letters_db.of_student(session, row.id)
    enrolled = {one.course: one for one in await moodle_db.enrolments(session, row.id)}
    wrong = await course_drifts.of_student(session, row.id)
    verdicts = judge_rules(student, await rules_db.course_rules(session))
    courses, others = _courses(known, verdicts, enrolled, wrong)
    things = [_account(known), _licence(known), _letter(known, sent.state if sent else None), _user(known), *courses]
    listings = (await session.scalars(select(ListingRow).where(ListingRow.student_id == row.id))).all()
    chosen = [one for one in (*things, *others) if about and fold(about) in fold(one.thing)]
    return WhyView(
        name=student.full_name,
        document=f"{row.document_type} {format_document_number(row.document_number)}",
        source=tuple(_source(known, listings)),
        things=tuple(chosen or [*things, *others[:OTHERS_TOLD]]),
        others=0 if chosen else max(0, len(others) - OTHERS_TOLD),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    row: StudentRow
    student: Student
    account: AccountRow | None
    drifts: Sequence[drift.Drift]
    users: dict[str, MoodleUserRow]
    steps: Steps
    house: House

    def last(self, *kinds: StepKind, target: str = "") -> LastStep | None:
        """The newest of these steps."""
        found = [self.steps[kind, target] for kind in kinds if (kind, target) in self.steps]
        return max(found, key=lambda one: (one.well, one.step.batch_id), default=None)


def _source(known: _Known, listings: Iterable[ListingRow]) -> list[str]:
    row, zone = known.row, known.house.zone
    stage = f"{row.stage.value} {row.cohort}" if row.cohort else row.stage.value
    careers = "; ".join(career_words(one) for one in known.student.careers) or _("sin carrera")
    facts = [
        _("{stage}: {careers}").format(stage=stage, careers=careers),
        _("la primera lectura que lo trajo fue la del {first}, y el último cambio es del {last}").format(
            first=day(row.first_seen_at, zone), last=day(row.changed_at, zone)
        ),
    ]
    for one in listings:
        when = f"{day(one.seen_at, zone)} {clock(one.seen_at, zone)}"
        said = (
            _("figura en {list}, leída el {when}") if not one.missing else _("ya no figura en {list} desde el {when}")
        )
        facts.append(said.format(list=one.source_list.value, when=when))
    return facts


def _account(known: _Known) -> Because:
    account = known.account
    thing = _("Cuenta")
    if account is None:
        if known.row.stage is Stage.PREINSCRIPTO:
            return Because(thing, holds=False, facts=(_("es preinscripto: no lleva cuenta"),))
        facts = _of_step(known, known.last(StepKind.ACCOUNT, StepKind.RESTORE_ACCOUNT), StepKind.ACCOUNT)
        return Because(thing, holds=False, facts=tuple(facts or [_("nadie la pidió todavía: activar")]))
    zone = known.house.zone
    made = known.last(StepKind.ACCOUNT, StepKind.RESTORE_ACCOUNT)
    facts = _of_step(known, made, StepKind.ACCOUNT)
    if account.made_by_batch is None:
        facts.insert(
            0, _("ya existía en Entra cuando Lucy la encontró, el {day}").format(day=day(account.created_at, zone))
        )
    if not account.enabled:
        facts += [
            _("está deshabilitada"),
            *_of_step(known, known.last(StepKind.DISABLE_ACCOUNT), StepKind.DISABLE_ACCOUNT),
        ]
    facts += [_("hoy está entre las cuentas que {words}").format(words=drift.in_words(one)) for one in known.drifts]
    return Because(thing, holds=account.enabled, facts=tuple(facts))


def _licence(known: _Known) -> Because:
    holds = bool(known.account and known.account.licensed)
    facts = _of_step(known, known.last(StepKind.LICENCE, StepKind.REMOVE_LICENCE), StepKind.LICENCE)
    if not facts:
        facts = [_("la cuenta ya la tenía") if holds else _("nadie la pidió todavía: licencia")]
    return Because(_("Licencia"), holds, tuple(facts))


def _letter(known: _Known, state: LetterState | None) -> Because:
    """The last letter with a password."""
    facts = _of_step(known, known.last(StepKind.CREDENTIALS_MAIL, StepKind.PASSWORD_MAIL), StepKind.CREDENTIALS_MAIL)
    said = {
        LetterState.BOUNCED: _("después rebotó: hay que corregir el correo en SIAL"),
        LetterState.UNUSED: _("nadie entró todavía con esa contraseña"),
        LetterState.USED: _("ya entraron con esa contraseña"),
    }
    if state in said:
        facts.append(said[state])
    if not facts and known.account is not None and known.account.made_by_batch is None:
        facts = [_("la cuenta ya existía: no se manda una contraseña que Lucy no puso. Para dar otra: resetear")]
    return Because(
        _("Carta"), state is not None and state is not LetterState.BOUNCED, tuple(facts or [_("no se mandó ninguna")])
    )


def _user(known: _Known) -> Because:
    facts: list[str] = []
    for site, user in sorted(known.users.items()):
        made = known.steps.get((StepKind.MOODLE_USER, site))
        facts += _of_step(known, made, StepKind.MOODLE_USER) or [_("ya estaba en Moodle")]
        if user.suspended:
            facts.append(_("está suspendido en Moodle"))
    if not known.users:
        facts = _of_step(known, known.last(StepKind.MOODLE_USER), StepKind.MOODLE_USER)
    holds = any(not user.suspended for user in known.users.values())
    return Because(_("Usuario de Moodle"), holds, tuple(facts or [_("nadie lo pidió todavía: matricular")]))


def _courses(
    known: _Known, verdicts: Sequence[Verdict], enrolled: dict[str, EnrolmentRow], wrong: dict[str, str]
) -> tuple[list[Because], list[Because]]:
    """Those that a rule gives or that they are in; then those that no rule gives, the nearest first."""
    given = {one.rule.course: one.reason for one in reversed(verdicts) if one.reason is not None}
    told = []
    for course in sorted({*given, *enrolled}):
        row = enrolled.get(course)
        reason = given.get(course)
        if reason is not None:
            facts = [_("le toca {why}").format(why=why_given(reason))]
        else:
            facts = [_("ninguna regla se lo da")]
            if row is not None and (kept := reason_from(row.reason)) is not None:
                facts.append(_("cuando entró le tocaba {why}").format(why=why_given(kept)))
        if row is not None and row.made_by_batch is None:
            facts.append(_("ya estaba en el curso antes de Lucy"))
        facts += _of_step(known, known.last(*_COURSE_STEPS, target=course), StepKind.ENROLMENT)
        if row is None and reason is not None and (StepKind.ENROLMENT, course) not in known.steps:
            facts.append(_("nadie lo matriculó todavía: matricular"))
        if course in wrong:
            facts.append(_("hoy está entre las matriculaciones que {words}").format(words=wrong[course]))
        told.append(Because(course, row is not None and not row.suspended, tuple(facts)))
    missed = sorted((one for one in verdicts if one.reason is None), key=lambda one: (len(one.missed), one.rule.course))
    near: dict[str, Because] = {}
    for one in missed:
        if one.rule.course not in given and one.rule.course not in enrolled:
            near.setdefault(one.rule.course, Because(one.rule.course, holds=False, facts=(why_not(one),)))
    return told, list(near.values())


_COURSE_STEPS = (StepKind.ENROLMENT, StepKind.UNENROL, StepKind.SUSPEND_ENROLMENT)


def _of_step(known: _Known, last: LastStep | None, asked: StepKind) -> list[str]:
    """What became of a step, and who wanted it. `asked`: the kind that gives the thing; another one takes it."""
    if last is None:
        return []
    return [*_of_one(known, last, asked), *(_of_step(known, last.later, asked) if last.later else [])]


def _of_one(known: _Known, last: LastStep, asked: StepKind) -> list[str]:
    code = batch_code(last.batch.id)
    chain = _chain(known, last)
    takes = last.step.kind is not asked
    match last.step.state:
        case StepState.DONE:
            ends = _("lo quitó {code}") if takes and last.step.kind in _TAKE else _("lo hizo {code}")
            return [ends.format(code=code), chain, *_answer(known, last)]
        case StepState.ALREADY:
            return [_("ya era así cuando llegó {code}").format(code=code), chain]
        case StepState.FAILED:
            said = _("{code} lo intentó y no se pudo: {why} ({error})")
            why = explain(last.step.error_code).rstrip(".")
            return [said.format(code=code, why=why, error=last.step.error_code), chain, *_answer(known, last)]
        case StepState.SKIPPED:
            why = explain(last.step.error_code).rstrip(".") if last.step.error_code else _("dependía de otra cosa")
            return [_("{code} no lo hizo: {why}").format(code=code, why=why), chain]
        case StepState.DROPPED:
            said = _("quedó afuera de {code} porque cambió: {what}")
            return [said.format(code=code, what=", ".join(last.changed) or _("lo aprobado")), chain]
        case StepState.CANCELLED:
            return [_("{code} se canceló antes de hacerlo").format(code=code), chain]
    return [_waits(last).format(code=code), chain]


_TAKE = frozenset({StepKind.DISABLE_ACCOUNT, StepKind.REMOVE_LICENCE, StepKind.UNENROL, StepKind.SUSPEND_ENROLMENT})


def _waits(last: LastStep) -> str:
    return {
        BatchState.AWAITING_APPROVAL: _("lo pide {code}, que espera aprobación"),
        BatchState.HELD: _("lo pide {code}, que está retenida"),
        BatchState.REJECTED: _("lo pedía {code}, que se rechazó"),
        BatchState.EXPIRED: _("lo pedía {code}, que venció sin aprobación"),
        BatchState.PAUSED: _("lo tiene por hacer {code}, que está en pausa"),
    }.get(last.batch.state, _("lo tiene por hacer {code}"))


def _chain(known: _Known, last: LastStep) -> str:
    """Who wanted it and who said yes."""
    zone, batch = known.house.zone, last.batch
    text = _("{title}: la pidió {who} el {day} {clock}").format(
        title=batch_title(batch.kind, options_from(batch.options)),
        who=batch.requested_by_name,
        day=day(batch.requested_at, zone),
        clock=clock(batch.requested_at, zone),
    )
    if last.approvals:
        said = ", ".join(f"{one.approver_name} ({day(one.at, zone)} {clock(one.at, zone)})" for one in last.approvals)
        text += _("; aprobó {names}").format(names=said)
    elif batch.decided_by_name:
        text += _("; decidió {who}").format(who=batch.decided_by_name)
    return text + (f": {batch.reason}" if batch.state is BatchState.REJECTED and batch.reason else "")


def _answer(known: _Known, last: LastStep) -> list[str]:
    """When it ended, and the ids that the provider's support asks for."""
    if last.step.closed_at is None:
        return []
    zone = known.house.zone
    when = f"{day(last.step.closed_at, zone)} {clock(last.step.closed_at, zone)}"
    names = ("request_id", "remote_code", "message_id", "moodle_id", "entra_id")
    ids = [f"{name} {last.answered[name]}" for name in names if last.answered.get(name)]
    return [_("contestó el {when}{ids}").format(when=when, ids=f" ({', '.join(ids)})" if ids else "")]
