"""The inverse of a batch: takes back what that batch made, and only that.

What another batch did to the student afterwards makes the whole student a conflict: somebody decided something since
(FEATURES row 67). What cannot be taken back is named, with what is done instead.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lucy.domain.basis import Fact, listed, print_of
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.plans import Plan, PlanRow, Wanted, steps_for
from lucy.domain.students import StudentId
from lucy.texts import _


@dataclass(frozen=True, slots=True)
class Traces:
    """What one batch did for a student, and how things stand now.

    `done` are its steps that were done (not those that were so already). `account_made`, `licence_given`,
    `user_made` say that the batch did that and nobody else since; `made` and `revived` are the courses it put the
    student in, or made active again. `later` are the codes of batches that did something for the student afterwards.
    """

    student_id: StudentId
    done: frozenset[tuple[StepKind, str]]
    has_account: bool = False
    account_made: bool = False
    enabled: bool = False
    deletable: bool = False  # the sign-in name has the test prefix
    licence_given: bool = False
    has_user: bool = False
    user_made: bool = False
    user_suspended: bool = False
    courses: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    revived: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()

    def did(self, kind: StepKind) -> bool:
        return any(one is kind for one, _target in self.done)

    def targets(self, kind: StepKind) -> frozenset[str]:
        return frozenset(target for one, target in self.done if one is kind)


def plan_undo(traces: Iterable[Traces], options: BatchOptions) -> Plan:
    """`options.mail` False leaves the rectifying letter out."""
    return Plan(tuple(_row(one, options) for one in traces))


def _row(one: Traces, options: BatchOptions) -> PlanRow:
    basis = _basis(one)
    if not one.done:
        return PlanRow(one.student_id, (), (_("ese lote no les hizo nada"),), basis=basis)
    if one.later:
        reason = _("otro lote les hizo algo después ({codes}): no se deshacen").format(codes=listed(one.later))
        return PlanRow(one.student_id, (), (reason,), basis=basis)
    wanted = [*_in_moodle(one), *_in_entra(one)]
    irreversible: list[str] = []
    if one.did(StepKind.CREDENTIALS_MAIL):
        irreversible.append(_letter_reason(one, options))
        if one.account_made and not one.deletable:
            wanted.append((StepKind.NEW_SECRET, "", False))
        if options.mail:
            wanted.append((StepKind.RECTIFY_MAIL, "", False))
    if one.did(StepKind.RECTIFY_MAIL):
        irreversible.append(_("la carta de rectificación ya salió"))
    if one.did(StepKind.NEW_SECRET):
        irreversible.append(_("la contraseña anterior no se puede volver a poner"))
    if one.did(StepKind.DELETE_ACCOUNT):
        irreversible.append(_("la cuenta se eliminó: un administrador la puede restaurar en Entra durante 30 días"))
    impossible = () if wanted or irreversible else (_("no queda nada de lo que ese lote hizo"),)
    return PlanRow(one.student_id, steps_for(one.student_id, wanted), impossible, tuple(irreversible), basis)


def _letter_reason(one: Traces, options: BatchOptions) -> str:
    """An accepted letter is read; the compensation is told with it."""
    if one.deletable or not one.account_made:
        instead = _("carta de rectificación") if options.mail else _("nada")
    elif options.mail:
        instead = _("contraseña nueva y carta de rectificación")
    else:
        instead = _("contraseña nueva")
    return _("la carta con credenciales ya fue aceptada; a cambio: {instead}").format(instead=instead)


def _in_moodle(one: Traces) -> list[Wanted]:
    wanted: list[Wanted] = [(StepKind.UNENROL, course, False) for course in sorted(one.made)]
    wanted += [(StepKind.SUSPEND_ENROLMENT, course, False) for course in sorted(one.revived)]
    if one.user_made and one.did(StepKind.MOODLE_USER):
        wanted.append((StepKind.SUSPEND_MOODLE_USER, "", one.user_suspended))
    if one.has_user and one.did(StepKind.SUSPEND_MOODLE_USER):
        wanted.append((StepKind.MOODLE_USER, "", not one.user_suspended))
    taken = (one.targets(StepKind.UNENROL) | one.targets(StepKind.SUSPEND_ENROLMENT)) - one.courses
    wanted += [(StepKind.ENROLMENT, course, False) for course in sorted(taken)]
    return wanted


def _in_entra(one: Traces) -> list[Wanted]:
    wanted: list[Wanted] = []
    if one.has_account and one.did(StepKind.DISABLE_ACCOUNT):
        wanted.append((StepKind.ENABLE_ACCOUNT, "", one.enabled))
    if one.has_account and one.did(StepKind.REMOVE_LICENCE):
        wanted.append((StepKind.LICENCE, "", False))
    if one.licence_given and one.did(StepKind.LICENCE):
        wanted.append((StepKind.REMOVE_LICENCE, "", False))
    if one.account_made and one.did(StepKind.ACCOUNT):
        kind = StepKind.DELETE_ACCOUNT if one.deletable else StepKind.DISABLE_ACCOUNT
        wanted.append((kind, "", kind is StepKind.DISABLE_ACCOUNT and not one.enabled))
    elif one.has_account and one.did(StepKind.ENABLE_ACCOUNT):
        wanted.append((StepKind.DISABLE_ACCOUNT, "", not one.enabled))
    return wanted


def _basis(one: Traces) -> dict[str, str]:
    return {
        Fact.ACCOUNT.value: f"{one.has_account} {one.account_made} {one.enabled}",
        Fact.LICENCE.value: str(one.licence_given),
        Fact.MOODLE_USER.value: f"{one.has_user} {one.user_made} {one.user_suspended}",
        Fact.COURSES.value: listed(one.courses),
        Fact.RULES.value: print_of([sorted(one.made), sorted(one.revived)]),
        Fact.SINCE.value: listed(one.later),
    }
