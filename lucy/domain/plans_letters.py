"""Plans of passwords and letters: reset, a letter anew, welcome.

A new password goes only to the personal address: whoever needs it cannot open the institutional mailbox. Where that
address is new, somebody else may be asking: then a second person looks, and the old address is told (FEATURES row 43).
"""

from lucy.domain.basis import Fact, print_of
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.plans import People, Plan, PlanRow, Present, Wanted, account_fact, steps_for
from lucy.domain.students import Stage, Student
from lucy.texts import _

# Noted on the letter's step: its password is the reset's, not that of an account which the batch made.
AFTER_A_RESET = "after_a_reset"
# Noted on the step: what the student was when it was asked for.
FORMER_STAGE = "former_stage"
LETTER_KINDS = frozenset({BatchKind.RESET, BatchKind.RESEND, BatchKind.WELCOME, BatchKind.STATUS})


def plan_letters(people: People, kind: BatchKind, options: BatchOptions, config: str = "") -> Plan:
    """For a kind of `LETTER_KINDS`. `config` is a print of the settings that the plan rests on."""
    if kind is BatchKind.WELCOME:
        return Plan(tuple(_welcome(student, present, config) for student, present in people))
    if kind is BatchKind.STATUS:
        return Plan(tuple(_status(student, present, config) for student, present in people))
    return Plan(tuple(_password(student, present, kind, options, config) for student, present in people))


def _password(student: Student, present: Present, kind: BatchKind, options: BatchOptions, config: str) -> PlanRow:
    basis = {
        Fact.NAME.value: print_of([student.first_name, student.last_name, student.document_number]),
        Fact.EMAIL.value: print_of(_contact(student, present)),
        Fact.ACCOUNT.value: account_fact(present),
        Fact.CONFIG.value: config,
    }
    refusal = _refusal(student, present, mail=options.mail)
    if refusal:
        return PlanRow(student.id, (), (refusal,), basis=basis)
    if not options.mail:
        lost = _("nadie recibe la contraseña: para dársela, después, reenviar")
        return PlanRow(student.id, steps_for(student.id, [Wanted(StepKind.NEW_SECRET)]), (), (lost,), basis)
    letter = StepKind.PASSWORD_MAIL if kind is BatchKind.RESET else StepKind.CREDENTIALS_MAIL
    wanted = [Wanted(StepKind.RESET_PASSWORD), Wanted(letter, reason={AFTER_A_RESET: True})]
    warnings: tuple[str, ...] = ()
    if present.bounced:
        warnings = (_("su última carta a ese mismo correo rebotó: conviene corregirlo antes en SIAL"),)
    elif present.contact_changed:
        warnings = (_("cambiaron de correo hace poco, o es otro que el de su carta: lo aprueba otra persona"),)
        if present.former_contact:
            wanted.append(Wanted(StepKind.NOTICE_MAIL))
    lost = _("la contraseña que tienen deja de servir")
    return PlanRow(student.id, steps_for(student.id, wanted), (), (lost,), basis, warnings)


def _contact(student: Student, present: Present) -> list[object]:
    """What is approved of an address; one that letters come back from is another thing to say yes to."""
    return [student.personal_email, present.contact_changed, *(["bounced"] if present.bounced else [])]


def _refusal(student: Student, present: Present, *, mail: bool) -> str:
    if not present.has_account:
        return _("no tienen cuenta")
    if not present.enabled:
        return _("su cuenta está deshabilitada: primero hay que habilitarla")
    if mail and not student.personal_email:
        return _("no tienen correo personal en SIAL: no hay adónde mandar la contraseña")
    return ""


def _welcome(student: Student, present: Present, config: str) -> PlanRow:
    """Before there is an account (DOMAIN.md: preinscriptos and aspirantes); an institutional address serves, too."""
    basis = {
        Fact.NAME.value: print_of([student.first_name, student.last_name, student.document_number]),
        Fact.EMAIL.value: print_of(student.personal_email),
        Fact.STAGE.value: student.stage.value,
        Fact.CONFIG.value: config,
    }
    if student.stage not in {Stage.PREINSCRIPTO, Stage.ASPIRANTE}:
        return PlanRow(student.id, (), (_("ya no son preinscriptos ni aspirantes"),), basis=basis)
    if not student.personal_email and not present.has_account:
        return PlanRow(student.id, (), (_("no tienen correo al que escribirles"),), basis=basis)
    steps = steps_for(student.id, [Wanted(StepKind.WELCOME_MAIL, present=present.welcomed)])
    sent = () if present.welcomed else (_("una carta que salió no vuelve"),)
    return PlanRow(student.id, steps, (), sent, basis)


def _status(student: Student, present: Present, config: str) -> PlanRow:
    """Once for each change: what they were and what they are."""
    basis = {
        Fact.NAME.value: print_of([student.first_name, student.last_name]),
        Fact.EMAIL.value: print_of(student.personal_email),
        Fact.STAGE.value: f"{present.former_stage} {student.stage.value}",
        Fact.CONFIG.value: config,
    }
    if not present.former_stage:
        return PlanRow(student.id, (), (_("su situación no cambió, o ya se les avisó"),), basis=basis)
    if not student.personal_email and not present.has_account:
        return PlanRow(student.id, (), (_("no tienen correo al que escribirles"),), basis=basis)
    steps = steps_for(student.id, [Wanted(StepKind.STATUS_MAIL, reason={FORMER_STAGE: present.former_stage})])
    return PlanRow(student.id, steps, (), (_("una carta que salió no vuelve"),), basis)
