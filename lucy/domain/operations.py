"""What staff can ask for, and the steps each request is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lucy.errors import System
from lucy.texts import _


class StepKind(StrEnum):
    """One operation for one student; steps of one kind form a lane. The order is that in which cards name them."""

    ACCOUNT = "account"
    RESTORE_ACCOUNT = "restore_account"  # out of the deleted items
    ENABLE_ACCOUNT = "enable_account"
    UPDATE_ACCOUNT = "update_account"  # name, number and country as the records have them
    ACCOUNT_GROUP = "account_group"
    LICENCE = "licence"
    RESET_PASSWORD = "reset_password"
    CREDENTIALS_MAIL = "credentials_mail"
    PASSWORD_MAIL = "password_mail"
    NOTICE_MAIL = "notice_mail"  # to the address that the student had before
    WELCOME_MAIL = "welcome_mail"
    STATUS_MAIL = "status_mail"  # what they are in SIAL now
    MOODLE_USER = "moodle_user"
    ENROLMENT = "enrolment"
    COURSE_GROUP = "course_group"
    ENROLMENT_MAIL = "enrolment_mail"  # the courses they are in now
    LEAVE_COURSE_GROUP = "leave_course_group"
    UNENROL = "unenrol"
    SUSPEND_ENROLMENT = "suspend_enrolment"  # in the course, and out of its sight
    SUSPEND_MOODLE_USER = "suspend_moodle_user"
    LEAVE_ACCOUNT_GROUP = "leave_account_group"
    REMOVE_LICENCE = "remove_licence"
    DISABLE_ACCOUNT = "disable_account"
    DELETE_ACCOUNT = "delete_account"
    NEW_SECRET = "new_secret"  # a password that nobody is told: the one that was mailed opens nothing any more
    RECTIFY_MAIL = "rectify_mail"


class BatchKind(StrEnum):
    """The operations that a batch can carry."""

    ACTIVATE = "activate"
    ENROL = "enrol"
    UNENROL = "unenrol"
    DISABLE = "disable"
    ENABLE = "enable"
    LICENSE = "license"
    UNLICENSE = "unlicense"
    RESET = "reset"
    RESEND = "resend"
    WELCOME = "welcome"
    STATUS = "status"
    UPDATE = "update"
    RESTORE = "restore"
    UNDO = "undo"


# A step waits until these, where the plan has them for the same student, are done or already true. The letter waits for
# the licence because it invites the student to enter Teams; an undo goes from the outside in, the account last.
NEEDS: dict[StepKind, tuple[StepKind, ...]] = {
    StepKind.ACCOUNT: (),
    StepKind.RESTORE_ACCOUNT: (),
    StepKind.ENABLE_ACCOUNT: (),
    StepKind.UPDATE_ACCOUNT: (),
    StepKind.ACCOUNT_GROUP: (StepKind.ACCOUNT, StepKind.ENABLE_ACCOUNT),
    StepKind.LICENCE: (StepKind.ACCOUNT, StepKind.ENABLE_ACCOUNT),
    StepKind.RESET_PASSWORD: (),
    StepKind.CREDENTIALS_MAIL: (StepKind.ACCOUNT, StepKind.LICENCE, StepKind.RESET_PASSWORD),
    StepKind.PASSWORD_MAIL: (StepKind.RESET_PASSWORD,),
    StepKind.NOTICE_MAIL: (StepKind.RESET_PASSWORD,),
    StepKind.WELCOME_MAIL: (),
    StepKind.STATUS_MAIL: (),
    StepKind.MOODLE_USER: (StepKind.ACCOUNT, StepKind.ENABLE_ACCOUNT),
    StepKind.ENROLMENT: (StepKind.MOODLE_USER,),
    StepKind.COURSE_GROUP: (StepKind.ENROLMENT,),
    StepKind.ENROLMENT_MAIL: (StepKind.ENROLMENT,),
    StepKind.LEAVE_COURSE_GROUP: (),
    StepKind.UNENROL: (),
    StepKind.SUSPEND_ENROLMENT: (),
    StepKind.SUSPEND_MOODLE_USER: (StepKind.UNENROL, StepKind.SUSPEND_ENROLMENT),
    StepKind.LEAVE_ACCOUNT_GROUP: (),
    StepKind.REMOVE_LICENCE: (),
    StepKind.DISABLE_ACCOUNT: (StepKind.REMOVE_LICENCE,),
    StepKind.DELETE_ACCOUNT: (StepKind.REMOVE_LICENCE,),
    StepKind.NEW_SECRET: (StepKind.DISABLE_ACCOUNT,),
    StepKind.RECTIFY_MAIL: (StepKind.NEW_SECRET, StepKind.DISABLE_ACCOUNT, StepKind.DELETE_ACCOUNT),
}

# What takes something away from a student: counted apart, held back first.
REMOVALS = frozenset(
    {
        StepKind.LEAVE_COURSE_GROUP,
        StepKind.UNENROL,
        StepKind.SUSPEND_ENROLMENT,
        StepKind.SUSPEND_MOODLE_USER,
        StepKind.LEAVE_ACCOUNT_GROUP,
        StepKind.REMOVE_LICENCE,
        StepKind.DISABLE_ACCOUNT,
        StepKind.DELETE_ACCOUNT,
    }
)
# What no later batch can take back: a letter is read, a password is gone.
IRREVERSIBLE = frozenset({StepKind.NEW_SECRET, StepKind.RECTIFY_MAIL, StepKind.DELETE_ACCOUNT, StepKind.UPDATE_ACCOUNT})
LETTERS = frozenset(
    {
        StepKind.CREDENTIALS_MAIL,
        StepKind.PASSWORD_MAIL,
        StepKind.NOTICE_MAIL,
        StepKind.WELCOME_MAIL,
        StepKind.STATUS_MAIL,
        StepKind.ENROLMENT_MAIL,
        StepKind.RECTIFY_MAIL,
    }
)
# What somebody waits for goes first: these leave the day's quota to the other letters of what is running.
PATIENT_LETTERS = frozenset({StepKind.WELCOME_MAIL, StepKind.STATUS_MAIL, StepKind.ENROLMENT_MAIL})
# These wait for all they need to end, and are done where some of it was: two courses of three are news, too.
FOR_WHAT_WAS_DONE = frozenset({StepKind.ENROLMENT_MAIL})
_IN_MOODLE = frozenset(
    {
        StepKind.MOODLE_USER,
        StepKind.ENROLMENT,
        StepKind.COURSE_GROUP,
        StepKind.LEAVE_COURSE_GROUP,
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

    `course_mail`: a letter about the courses they were put into (`matricular … correo:si`, `activar … cursos:si`).

    `additions` False is what is left of `bajas:si` when the removals are withheld. `courses`: only out of these.
    """

    mail: bool = True
    moodle: bool = True
    removals: bool = False
    additions: bool = True
    courses: tuple[str, ...] = ()
    course_mail: bool = False


def options_from(value: Mapping[str, Any]) -> BatchOptions:
    """Stored options."""
    return BatchOptions(**{**value, "courses": tuple(value.get("courses", ()))})


def batch_title(kind: BatchKind, options: BatchOptions) -> str:
    """What the batch is, with what was left out of it."""
    match kind:
        case BatchKind.ACTIVATE if options.mail and options.moodle and options.course_mail:
            return _("Activación completa, con carta de cursos")
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
        case BatchKind.ENROL if options.removals and options.course_mail:
            return _("Matriculación con bajas y carta")
        case BatchKind.ENROL if options.course_mail:
            return _("Matriculación con carta")
        case BatchKind.ENROL if options.removals:
            return _("Matriculación con bajas")
        case BatchKind.ENROL:
            return _("Matriculación")
        case BatchKind.UNENROL if options.courses:
            return _("Bajas de {courses}").format(courses=", ".join(options.courses))
        case BatchKind.UNENROL:
            return _("Bajas de todos los cursos")
        case BatchKind.LICENSE:
            return _("Asignar licencias")
        case BatchKind.UNLICENSE:
            return _("Quitar licencias")
        case BatchKind.RESET if options.mail:
            return _("Contraseñas nuevas")
        case BatchKind.RESET:
            return _("Contraseñas nuevas, sin carta")
        case BatchKind.RESEND:
            return _("Credenciales de nuevo")
        case BatchKind.WELCOME:
            return _("Bienvenida")
        case BatchKind.STATUS:
            return _("Aviso de cambio de situación")
        case BatchKind.UPDATE:
            return _("Actualizar cuentas")
        case BatchKind.RESTORE:
            return _("Restaurar cuentas eliminadas")
        case BatchKind.DISABLE:
            return _("Deshabilitar cuentas")
        case BatchKind.ENABLE:
            return _("Habilitar cuentas")
        case BatchKind.UNDO:
            return _("Deshacer")
