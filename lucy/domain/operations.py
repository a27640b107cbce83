"""What staff can ask for, and the steps each request is made of."""

from dataclasses import dataclass
from enum import StrEnum

from lucy.errors import System
from lucy.texts import _


class StepKind(StrEnum):
    """One operation for one student; steps of one kind form a lane. The order is that in which cards name them."""

    ACCOUNT = "account"
    ENABLE_ACCOUNT = "enable_account"
    LICENCE = "licence"
    CREDENTIALS_MAIL = "credentials_mail"
    MOODLE_USER = "moodle_user"
    ENROLMENT = "enrolment"
    UNENROL = "unenrol"
    SUSPEND_ENROLMENT = "suspend_enrolment"  # back to what it was: suspended, as before the batch re-activated it
    SUSPEND_MOODLE_USER = "suspend_moodle_user"
    REMOVE_LICENCE = "remove_licence"
    DISABLE_ACCOUNT = "disable_account"
    DELETE_ACCOUNT = "delete_account"
    NEW_SECRET = "new_secret"  # a password that nobody is told: the one that was mailed opens nothing any more
    RECTIFY_MAIL = "rectify_mail"


class BatchKind(StrEnum):
    """The operations that a batch can carry."""

    ACTIVATE = "activate"
    ENROL = "enrol"
    DISABLE = "disable"
    ENABLE = "enable"
    UNDO = "undo"


# A step waits until these, where the plan has them for the same student, are done or already true. The letter waits for
# the licence because it invites the student to enter Teams; an undo goes from the outside in, the account last.
NEEDS: dict[StepKind, tuple[StepKind, ...]] = {
    StepKind.ACCOUNT: (),
    StepKind.ENABLE_ACCOUNT: (),
    StepKind.LICENCE: (StepKind.ACCOUNT, StepKind.ENABLE_ACCOUNT),
    StepKind.CREDENTIALS_MAIL: (StepKind.ACCOUNT, StepKind.LICENCE),
    StepKind.MOODLE_USER: (StepKind.ACCOUNT, StepKind.ENABLE_ACCOUNT),
    StepKind.ENROLMENT: (StepKind.MOODLE_USER,),
    StepKind.UNENROL: (),
    StepKind.SUSPEND_ENROLMENT: (),
    StepKind.SUSPEND_MOODLE_USER: (StepKind.UNENROL, StepKind.SUSPEND_ENROLMENT),
    StepKind.REMOVE_LICENCE: (),
    StepKind.DISABLE_ACCOUNT: (StepKind.REMOVE_LICENCE,),
    StepKind.DELETE_ACCOUNT: (StepKind.REMOVE_LICENCE,),
    StepKind.NEW_SECRET: (StepKind.DISABLE_ACCOUNT,),
    StepKind.RECTIFY_MAIL: (StepKind.NEW_SECRET, StepKind.DISABLE_ACCOUNT, StepKind.DELETE_ACCOUNT),
}

# What takes something away from a student: counted apart, held back first.
REMOVALS = frozenset(
    {
        StepKind.UNENROL,
        StepKind.SUSPEND_ENROLMENT,
        StepKind.SUSPEND_MOODLE_USER,
        StepKind.REMOVE_LICENCE,
        StepKind.DISABLE_ACCOUNT,
        StepKind.DELETE_ACCOUNT,
    }
)
# What no later batch can take back: a letter is read, a password is gone.
IRREVERSIBLE = frozenset({StepKind.NEW_SECRET, StepKind.RECTIFY_MAIL, StepKind.DELETE_ACCOUNT})
LETTERS = frozenset({StepKind.CREDENTIALS_MAIL, StepKind.RECTIFY_MAIL})
_IN_MOODLE = frozenset(
    {
        StepKind.MOODLE_USER,
        StepKind.ENROLMENT,
        StepKind.UNENROL,
        StepKind.SUSPEND_ENROLMENT,
        StepKind.SUSPEND_MOODLE_USER,
    }
)


def system_of(kind: StepKind) -> System:
    """The outside system that a lane speaks to."""
    if kind in LETTERS:
        return System.MAIL
    return System.MOODLE if kind in _IN_MOODLE else System.GRAPH


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What the request left in or out: `correo:no`, `moodle:no`; `bajas:si` also takes out of courses.

    `additions` False is what is left of `bajas:si` when the removals are withheld.
    """

    mail: bool = True
    moodle: bool = True
    removals: bool = False
    additions: bool = True


def batch_title(kind: BatchKind, options: BatchOptions) -> str:
    """What the batch is, with what was left out of it."""
    match kind:
        case BatchKind.ACTIVATE if options.mail and options.moodle:
            return _("Activación completa")
        case BatchKind.ACTIVATE if options.mail:
            return _("Activación sin Moodle")
        case BatchKind.ACTIVATE if options.moodle:
            return _("Activación sin cartas")
        case BatchKind.ACTIVATE:
            return _("Activación de cuentas, sin cartas ni Moodle")
        case BatchKind.ENROL if not options.additions:
            return _("Bajas de cursos")
        case BatchKind.ENROL if options.removals:
            return _("Matriculación con bajas")
        case BatchKind.ENROL:
            return _("Matriculación")
        case BatchKind.DISABLE:
            return _("Deshabilitar cuentas")
        case BatchKind.ENABLE:
            return _("Habilitar cuentas")
        case BatchKind.UNDO:
            return _("Deshacer")
