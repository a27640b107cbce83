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

    `done` are its steps that were done (not those that were so already). `account_made`, `licence_given` say that the
    batch did that and nobody else since. `users` are the Moodle sites where there is a user, `users_made` those where
    the batch made it. `courses` are those the student is active in; `made` and `revived` those of them that the batch
    put them in, or found suspended. `later` are the codes of batches that did something for them afterwards.
    """

    student_id: StudentId
    done: frozenset[tuple[StepKind, str]]
    has_account: bool = False
    account_made: bool = False
    enabled: bool = False
    deletable: bool = False  # the sign-in name has the test prefix
    licence_given: bool = False
    users: frozenset[str] = frozenset()
    users_made: frozenset[str] = frozenset()
    users_suspended: frozenset[str] = frozenset()
    courses: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    revived: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()

    def did(self, kind: StepKind) -> bool:
        return any(one is kind for one, _target in self.done)

    def targets(self, kind: StepKind) -> frozenset[str]:
        return frozenset(target for one, target in self.done if one is kind)


# Letters that nothing takes back and nothing makes wrong.
_READ_LETTERS = (
    StepKind.PASSWORD_MAIL,
    StepKind.NOTICE_MAIL,
    StepKind.WELCOME_MAIL,
    StepKind.STATUS_MAIL,
    StepKind.ENROLMENT_MAIL,
)


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
    if one.did(StepKind.RESET_PASSWORD):
        irreversible.append(_("la contraseña anterior no se puede volver a poner"))
    elif one.did(StepKind.CREDENTIALS_MAIL):
        irreversible.append(_letter_reason(one, options))
        if one.account_made and not one.deletable:
            wanted.append(Wanted(StepKind.NEW_SECRET))
        if options.mail:
            wanted.append(Wanted(StepKind.RECTIFY_MAIL))
    if any(one.did(kind) for kind in _READ_LETTERS):
        irreversible.append(_("la carta ya fue aceptada"))
    if one.did(StepKind.RECTIFY_MAIL):
        irreversible.append(_("la carta de rectificación ya salió"))
    if one.did(StepKind.NEW_SECRET):
        irreversible.append(_("la contraseña anterior no se puede volver a poner"))
    if one.did(StepKind.DELETE_ACCOUNT):
        irreversible.append(_("la cuenta se eliminó: durante 30 días se puede volver a tener con «cuenta restaurar»"))
    if one.did(StepKind.UPDATE_ACCOUNT):
        irreversible.append(_("el nombre que tenía la cuenta no se guarda"))
    if one.did(StepKind.RESTORE_ACCOUNT):
        irreversible.append(_("la cuenta restaurada no se vuelve a eliminar: queda deshabilitada"))
    if one.did(StepKind.LEAVE_COURSE_GROUP):
        irreversible.append(_("a los grupos de los cursos se vuelve con «matricular»"))
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
    grouped = (one.targets(StepKind.COURSE_GROUP) & one.courses) - one.made  # who leaves a course leaves its groups
    wanted = [Wanted(StepKind.LEAVE_COURSE_GROUP, course) for course in sorted(grouped)]
    wanted += [Wanted(StepKind.UNENROL, course) for course in sorted(one.made)]
    wanted += [Wanted(StepKind.SUSPEND_ENROLMENT, course) for course in sorted(one.revived)]
    wanted += [
        Wanted(StepKind.SUSPEND_MOODLE_USER, site, site in one.users_suspended)
        for site in sorted(one.users_made & one.targets(StepKind.MOODLE_USER))
    ]
    wanted += [
        Wanted(StepKind.MOODLE_USER, site, site not in one.users_suspended)
        for site in sorted(one.users & one.targets(StepKind.SUSPEND_MOODLE_USER))
    ]
    taken = (one.targets(StepKind.UNENROL) | one.targets(StepKind.SUSPEND_ENROLMENT)) - one.courses
    wanted += [Wanted(StepKind.ENROLMENT, course) for course in sorted(taken)]
    return wanted


def _in_entra(one: Traces) -> list[Wanted]:
    wanted: list[Wanted] = []
    if one.has_account and one.did(StepKind.DISABLE_ACCOUNT):
        wanted.append(Wanted(StepKind.ENABLE_ACCOUNT, present=one.enabled))
    if one.has_account and one.did(StepKind.REMOVE_LICENCE):
        wanted.append(Wanted(StepKind.LICENCE))
    if one.licence_given and one.did(StepKind.LICENCE):
        wanted.append(Wanted(StepKind.REMOVE_LICENCE))
    if one.account_made and one.did(StepKind.ACCOUNT):
        kind = StepKind.DELETE_ACCOUNT if one.deletable else StepKind.DISABLE_ACCOUNT
        wanted.append(Wanted(kind, present=kind is StepKind.DISABLE_ACCOUNT and not one.enabled))
    elif one.has_account and (one.did(StepKind.ENABLE_ACCOUNT) or one.did(StepKind.RESTORE_ACCOUNT)):
        wanted.append(Wanted(StepKind.DISABLE_ACCOUNT, present=not one.enabled))
    if one.has_account and not any(each.kind is StepKind.DELETE_ACCOUNT for each in wanted):
        wanted += [Wanted(StepKind.LEAVE_ACCOUNT_GROUP, group) for group in sorted(one.targets(StepKind.ACCOUNT_GROUP))]
        back = sorted(one.targets(StepKind.LEAVE_ACCOUNT_GROUP))
        wanted += [Wanted(StepKind.ACCOUNT_GROUP, group) for group in back]
    return wanted


def _basis(one: Traces) -> dict[str, str]:
    return {
        Fact.ACCOUNT.value: f"{one.has_account} {one.account_made} {one.enabled}",
        Fact.LICENCE.value: str(one.licence_given),
        Fact.MOODLE_USER.value: print_of([sorted(one.users), sorted(one.users_made), sorted(one.users_suspended)]),
        Fact.COURSES.value: listed(one.courses),
        Fact.RULES.value: print_of([sorted(one.made), sorted(one.revived)]),
        Fact.SINCE.value: listed(one.later),
    }
