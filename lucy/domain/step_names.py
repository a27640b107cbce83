"""How one step of one student is called, on cards and in lists."""

from lucy.domain.operations import StepKind
from lucy.texts import _

__all__ = ["step"]


def step(kind: StepKind, target: str = "") -> str:
    """One step of one student: carta, CONT-1."""
    match kind:
        case StepKind.ACCOUNT:
            return _("cuenta")
        case StepKind.LICENCE:
            return _("licencia")
        case StepKind.CREDENTIALS_MAIL:
            return _("carta")
        case StepKind.RESET_PASSWORD:
            return _("contraseña")
        case StepKind.PASSWORD_MAIL:
            return _("carta con la contraseña")
        case StepKind.NOTICE_MAIL:
            return _("aviso al correo anterior")
        case StepKind.WELCOME_MAIL:
            return _("carta de bienvenida")
        case StepKind.STATUS_MAIL:
            return _("aviso de su situación")
        case StepKind.ENROLMENT_MAIL:
            return _("carta con los cursos")
        case StepKind.MOODLE_USER:
            return _("usuario de Moodle ({site})").format(site=target) if target else _("usuario de Moodle")
        case StepKind.ENROLMENT:
            return target or _("curso")
        case StepKind.COURSE_GROUP:
            return _("grupo en {course}").format(course=target or _("curso"))
        case StepKind.LEAVE_COURSE_GROUP:
            return _("quitar del grupo en {course}").format(course=target or _("curso"))
        case StepKind.RESTORE_ACCOUNT:
            return _("restaurar la cuenta")
        case StepKind.UPDATE_ACCOUNT:
            return _("actualizar la cuenta")
        case StepKind.ACCOUNT_GROUP:
            return _("grupo de la cuenta")
        case StepKind.LEAVE_ACCOUNT_GROUP:
            return _("quitar del grupo de la cuenta")
        case StepKind.ENABLE_ACCOUNT:
            return _("habilitar la cuenta")
        case StepKind.UNENROL:
            return _("quitar {course}").format(course=target or _("curso"))
        case StepKind.SUSPEND_ENROLMENT:
            return _("suspender {course}").format(course=target or _("curso"))
        case StepKind.SUSPEND_MOODLE_USER:
            return _("suspender el usuario de Moodle")
        case StepKind.REMOVE_LICENCE:
            return _("retirar la licencia")
        case StepKind.DISABLE_ACCOUNT:
            return _("deshabilitar la cuenta")
        case StepKind.DELETE_ACCOUNT:
            return _("eliminar la cuenta")
        case StepKind.NEW_SECRET:
            return _("contraseña nueva")
        case StepKind.RECTIFY_MAIL:
            return _("carta de rectificación")
