"""What the sheet of a batch calls things: short words that fit into a cell."""

from lucy.domain.batches import BatchState
from lucy.domain.operations import LETTERS, StepKind
from lucy.domain.steps import StepState
from lucy.errors import Remedy
from lucy.texts import _


def column(kind: StepKind) -> str:
    """The heading over the steps of one kind."""
    return {
        StepKind.ACCOUNT: _("Cuenta"),
        StepKind.RESTORE_ACCOUNT: _("Restaurar la cuenta"),
        StepKind.ENABLE_ACCOUNT: _("Habilitar la cuenta"),
        StepKind.UPDATE_ACCOUNT: _("Actualizar la cuenta"),
        StepKind.ACCOUNT_GROUP: _("Grupos de la cuenta"),
        StepKind.LICENCE: _("Licencia"),
        StepKind.CREDENTIALS_MAIL: _("Carta con credenciales"),
        StepKind.RESET_PASSWORD: _("Contraseña"),
        StepKind.PASSWORD_MAIL: _("Carta con la contraseña"),
        StepKind.NOTICE_MAIL: _("Aviso al correo anterior"),
        StepKind.WELCOME_MAIL: _("Bienvenida"),
        StepKind.STATUS_MAIL: _("Aviso de situación"),
        StepKind.ENROLMENT_MAIL: _("Carta con los cursos"),
        StepKind.MOODLE_USER: _("Usuario de Moodle"),
        StepKind.ENROLMENT: _("Cursos"),
        StepKind.COURSE_GROUP: _("Grupos en cursos"),
        StepKind.LEAVE_COURSE_GROUP: _("Quitar de grupos en cursos"),
        StepKind.UNENROL: _("Bajas de cursos"),
        StepKind.SUSPEND_ENROLMENT: _("Suspender en cursos"),
        StepKind.SUSPEND_MOODLE_USER: _("Suspender en Moodle"),
        StepKind.LEAVE_ACCOUNT_GROUP: _("Quitar de grupos"),
        StepKind.REMOVE_LICENCE: _("Quitar la licencia"),
        StepKind.DISABLE_ACCOUNT: _("Deshabilitar la cuenta"),
        StepKind.DELETE_ACCOUNT: _("Eliminar la cuenta"),
        StepKind.NEW_SECRET: _("Contraseña nueva"),
        StepKind.RECTIFY_MAIL: _("Carta de rectificación"),
    }[kind]


def step_state(kind: StepKind, state: StepState) -> str:
    """A letter is only as done as the server that accepted it; a plan's inner order is nobody's concern."""
    if kind in LETTERS and state is StepState.DONE:
        return _("aceptada")
    return {
        StepState.WAITING: _("por hacer"),
        StepState.DUE: _("por hacer"),
        StepState.RUNNING: _("en curso"),
        StepState.DONE: _("hecho"),
        StepState.ALREADY: _("ya estaba"),
        StepState.SKIPPED: _("no se hizo"),
        StepState.FAILED: _("falló"),
        StepState.CANCELLED: _("cancelado"),
        StepState.DROPPED: _("quedó afuera"),
    }[state]


def batch_state(state: BatchState) -> str:
    """The state of a batch, spoken of as «el lote»."""
    return {
        BatchState.DRAFT: _("borrador"),
        BatchState.AWAITING_APPROVAL: _("espera aprobación"),
        BatchState.QUEUED: _("en cola"),
        BatchState.RUNNING: _("en marcha"),
        BatchState.PAUSED: _("en pausa"),
        BatchState.HELD: _("retenido"),
        BatchState.FINISHED: _("terminado"),
        BatchState.FINISHED_WITH_FAILURES: _("terminado con pendientes"),
        BatchState.NOTHING_DONE: _("no se hizo nada"),
        BatchState.REJECTED: _("rechazado"),
        BatchState.EXPIRED: _("vencido sin aprobación"),
        BatchState.CANCELLED: _("cancelado"),
    }[state]


def who_acts(remedy: Remedy) -> str:
    """Who has to do something about what went wrong."""
    return {
        Remedy.SOURCE: _("Registro de Alumnos"),
        Remedy.OPERATOR: _("un operador"),
        Remedy.ADMINISTRATOR: _("un administrador"),
        Remedy.WAIT: _("nadie, alcanza con reintentar"),
    }[remedy]
