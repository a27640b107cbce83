"""How staff call things: steps with their counts, states, kinds, who must act, moments."""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from lucy.domain.batches import BatchState
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.domain.students import SourceList, Stage
from lucy.domain.views import Frame, Tally
from lucy.errors import Remedy
from lucy.texts import _, duration, number, plural


def steps(kind: StepKind, count: int) -> str:
    """35 cuentas, 1 carta con credenciales."""
    match kind:
        case StepKind.ACCOUNT:
            return plural("{n} cuenta", "{n} cuentas", count)
        case StepKind.LICENCE:
            return plural("{n} licencia", "{n} licencias", count)
        case StepKind.CREDENTIALS_MAIL:
            return plural("{n} carta con credenciales", "{n} cartas con credenciales", count)
        case StepKind.RESET_PASSWORD:
            return plural("{n} contraseña", "{n} contraseñas", count)
        case StepKind.PASSWORD_MAIL:
            return plural("{n} carta con la contraseña", "{n} cartas con la contraseña", count)
        case StepKind.NOTICE_MAIL:
            return plural("{n} aviso al correo anterior", "{n} avisos al correo anterior", count)
        case StepKind.STATUS_MAIL:
            return plural("{n} aviso de su situación", "{n} avisos de su situación", count)
        case StepKind.ENROLMENT_MAIL:
            return plural("{n} carta con los cursos", "{n} cartas con los cursos", count)
        case StepKind.WELCOME_MAIL:
            return plural("{n} carta de bienvenida", "{n} cartas de bienvenida", count)
        case StepKind.MOODLE_USER:
            return plural("{n} usuario de Moodle", "{n} usuarios de Moodle", count)
        case StepKind.ENROLMENT:
            return plural("{n} matriculación", "{n} matriculaciones", count)
        case StepKind.COURSE_GROUP:
            return plural("{n} grupo de curso", "{n} grupos de curso", count)
        case StepKind.LEAVE_COURSE_GROUP:
            return plural("{n} salida de grupo de curso", "{n} salidas de grupo de curso", count)
        case StepKind.RESTORE_ACCOUNT:
            return plural("{n} restauración de cuenta", "{n} restauraciones de cuenta", count)
        case StepKind.UPDATE_ACCOUNT:
            return plural("{n} actualización de cuenta", "{n} actualizaciones de cuenta", count)
        case StepKind.ACCOUNT_GROUP:
            return plural("{n} ingreso a grupo", "{n} ingresos a grupos", count)
        case StepKind.LEAVE_ACCOUNT_GROUP:
            return plural("{n} salida de grupo", "{n} salidas de grupos", count)
        case StepKind.ENABLE_ACCOUNT:
            return plural("{n} habilitación de cuenta", "{n} habilitaciones de cuenta", count)
        case StepKind.UNENROL:
            return plural("{n} desmatriculación", "{n} desmatriculaciones", count)
        case StepKind.SUSPEND_ENROLMENT:
            return plural("{n} suspensión de matriculación", "{n} suspensiones de matriculación", count)
        case StepKind.SUSPEND_MOODLE_USER:
            return plural("{n} suspensión de usuario de Moodle", "{n} suspensiones de usuario de Moodle", count)
        case StepKind.REMOVE_LICENCE:
            return plural("{n} retiro de licencia", "{n} retiros de licencia", count)
        case StepKind.DISABLE_ACCOUNT:
            return plural("{n} deshabilitación de cuenta", "{n} deshabilitaciones de cuenta", count)
        case StepKind.DELETE_ACCOUNT:
            return plural("{n} eliminación de cuenta", "{n} eliminaciones de cuenta", count)
        case StepKind.NEW_SECRET:
            return plural("{n} contraseña nueva", "{n} contraseñas nuevas", count)
        case StepKind.RECTIFY_MAIL:
            return plural("{n} carta de rectificación", "{n} cartas de rectificación", count)


def steps_done(kind: StepKind, count: int) -> str:
    """What was achieved: a letter is only as done as the server that accepted it."""
    match kind:
        case StepKind.ACCOUNT | StepKind.LICENCE | StepKind.MOODLE_USER | StepKind.ENROLMENT:
            return steps(kind, count)
        case StepKind.UNENROL | StepKind.NEW_SECRET | StepKind.ACCOUNT_GROUP | StepKind.LEAVE_ACCOUNT_GROUP:
            return steps(kind, count)
        case StepKind.COURSE_GROUP | StepKind.LEAVE_COURSE_GROUP:
            return steps(kind, count)
        case StepKind.RESTORE_ACCOUNT:
            return plural("{n} cuenta restaurada", "{n} cuentas restauradas", count)
        case StepKind.UPDATE_ACCOUNT:
            return plural("{n} cuenta actualizada", "{n} cuentas actualizadas", count)
        case StepKind.CREDENTIALS_MAIL:
            return plural("{n} carta aceptada", "{n} cartas aceptadas", count)
        case StepKind.PASSWORD_MAIL:
            return plural("{n} carta con la contraseña aceptada", "{n} cartas con la contraseña aceptadas", count)
        case StepKind.NOTICE_MAIL:
            return plural("{n} aviso aceptado", "{n} avisos aceptados", count)
        case StepKind.STATUS_MAIL:
            return plural("{n} aviso aceptado de su situación", "{n} avisos aceptados de su situación", count)
        case StepKind.ENROLMENT_MAIL:
            return plural("{n} carta aceptada con los cursos", "{n} cartas aceptadas con los cursos", count)
        case StepKind.WELCOME_MAIL:
            return plural("{n} bienvenida aceptada", "{n} bienvenidas aceptadas", count)
        case StepKind.RESET_PASSWORD:
            return plural("{n} contraseña cambiada", "{n} contraseñas cambiadas", count)
        case StepKind.ENABLE_ACCOUNT:
            return plural("{n} cuenta habilitada", "{n} cuentas habilitadas", count)
        case StepKind.SUSPEND_ENROLMENT:
            return plural("{n} matriculación suspendida", "{n} matriculaciones suspendidas", count)
        case StepKind.SUSPEND_MOODLE_USER:
            return plural("{n} usuario de Moodle suspendido", "{n} usuarios de Moodle suspendidos", count)
        case StepKind.REMOVE_LICENCE:
            return plural("{n} licencia retirada", "{n} licencias retiradas", count)
        case StepKind.DISABLE_ACCOUNT:
            return plural("{n} cuenta deshabilitada", "{n} cuentas deshabilitadas", count)
        case StepKind.DELETE_ACCOUNT:
            return plural("{n} cuenta eliminada", "{n} cuentas eliminadas", count)
        case StepKind.RECTIFY_MAIL:
            return plural("{n} carta de rectificación aceptada", "{n} cartas de rectificación aceptadas", count)


def lane(kind: StepKind) -> str:
    """The short name over a progress bar."""
    match kind:
        case StepKind.ACCOUNT:
            return _("Cuentas")
        case StepKind.LICENCE:
            return _("Licencias")
        case StepKind.CREDENTIALS_MAIL:
            return _("Cartas")
        case StepKind.RESET_PASSWORD:
            return _("Contraseñas nuevas")
        case StepKind.PASSWORD_MAIL:
            return _("Cartas con contraseña")
        case StepKind.NOTICE_MAIL:
            return _("Avisos")
        case StepKind.STATUS_MAIL:
            return _("Avisos de su situación")
        case StepKind.ENROLMENT_MAIL:
            return _("Cartas con los cursos")
        case StepKind.WELCOME_MAIL:
            return _("Bienvenidas")
        case StepKind.MOODLE_USER:
            return _("Moodle")
        case StepKind.ENROLMENT:
            return _("Cursos")
        case StepKind.COURSE_GROUP:
            return _("Grupos de cursos")
        case StepKind.LEAVE_COURSE_GROUP:
            return _("Quitar de grupos")
        case StepKind.RESTORE_ACCOUNT:
            return _("Restaurar cuentas")
        case StepKind.UPDATE_ACCOUNT:
            return _("Actualizar cuentas")
        case StepKind.ACCOUNT_GROUP:
            return _("Grupos")
        case StepKind.LEAVE_ACCOUNT_GROUP:
            return _("Quitar grupos")
        case StepKind.ENABLE_ACCOUNT:
            return _("Habilitar cuentas")
        case StepKind.UNENROL:
            return _("Quitar cursos")
        case StepKind.SUSPEND_ENROLMENT:
            return _("Suspender cursos")
        case StepKind.SUSPEND_MOODLE_USER:
            return _("Suspender Moodle")
        case StepKind.REMOVE_LICENCE:
            return _("Retirar licencias")
        case StepKind.DISABLE_ACCOUNT:
            return _("Deshabilitar cuentas")
        case StepKind.DELETE_ACCOUNT:
            return _("Eliminar cuentas")
        case StepKind.NEW_SECRET:
            return _("Contraseñas")
        case StepKind.RECTIFY_MAIL:
            return _("Rectificar")


def counted(
    tallies: Iterable[Tally], count: Callable[[Tally], int], name: Callable[[StepKind, int], str] = steps
) -> str:
    """35 cuentas, 35 licencias: the lanes in which `count` is not zero; empty when all are."""
    return listed(name(tally.kind, count(tally)) for tally in tallies if count(tally))


def listed(pieces: Iterable[str]) -> str:
    return ", ".join(pieces)


def dotted(pieces: Iterable[str]) -> str:
    return " · ".join(piece for piece in pieces if piece)


def either(names: Iterable[str]) -> str:
    """Ana, Benito o Carla (u Olga)."""
    every = list(names)
    if len(every) < 2:
        return "".join(every)
    word = _("u") if every[-1].lstrip().lower().startswith(("o", "ó", "ho", "hó")) else _("o")
    return _("{names} {word} {last}").format(names=listed(every[:-1]), word=word, last=every[-1])


def students(count: int) -> str:
    return plural("{n} alumno", "{n} alumnos", count)


def batch_state(state: BatchState) -> str:
    """The state as a word on a card; a batch is spoken of as «la activación»."""
    return {
        BatchState.DRAFT: _("Borrador"),
        BatchState.AWAITING_APPROVAL: _("Espera aprobación"),
        BatchState.QUEUED: _("En cola"),
        BatchState.RUNNING: _("En marcha"),
        BatchState.PAUSED: _("En pausa"),
        BatchState.HELD: _("Retenida"),
        BatchState.FINISHED: _("Terminada"),
        BatchState.FINISHED_WITH_FAILURES: _("Terminada con pendientes"),
        BatchState.NOTHING_DONE: _("No se hizo nada"),
        BatchState.REJECTED: _("Rechazada"),
        BatchState.EXPIRED: _("Vencida sin aprobación"),
        BatchState.CANCELLED: _("Cancelada"),
    }[state]


def step_state(state: StepState) -> str:
    """Where a step stands; the steps of a student are gathered under it."""
    return {
        StepState.WAITING: _("espera su turno"),
        StepState.DUE: _("por hacer"),
        StepState.RUNNING: _("en curso"),
        StepState.DONE: _("hecho"),
        StepState.ALREADY: _("ya estaba"),
        StepState.SKIPPED: _("no se hizo, dependía de otro paso"),
        StepState.FAILED: _("falló"),
        StepState.CANCELLED: _("cancelado"),
        StepState.DROPPED: _("quedó afuera, el alumno cambió"),
    }[state]


def not_undone() -> str:
    """A skipped step of an undo whose object is no longer as the batch left it."""
    return _("no se deshizo: alguien lo cambió después")


def who_acts(remedy: Remedy) -> str:
    """Who has to do something about a step that failed for good."""
    return {
        Remedy.SOURCE: _("Lo corrige Registro de Alumnos"),
        Remedy.OPERATOR: _("Lo resuelve un operador"),
        Remedy.ADMINISTRATOR: _("Lo resuelve un administrador"),
        Remedy.WAIT: _("Fue pasajero, alcanza con reintentar"),
    }[remedy]


def stage(value: Stage) -> str:
    return {
        Stage.PREINSCRIPTO: _("preinscripto"),
        Stage.ASPIRANTE: _("aspirante"),
        Stage.INGRESANTE: _("ingresante"),
        Stage.ALUMNO: _("alumno"),
    }[value]


def stages(value: Stage) -> str:
    return {
        Stage.PREINSCRIPTO: _("Preinscriptos"),
        Stage.ASPIRANTE: _("Aspirantes"),
        Stage.INGRESANTE: _("Ingresantes"),
        Stage.ALUMNO: _("Alumnos"),
    }[value]


def source_list(value: SourceList) -> str:
    return stages(value.stage)


def sample(masked: tuple[str, ...], count: int, *, shown: int = 4) -> str:
    """●●●●5432, ●●●●0118 y 4 más."""
    if not masked:
        return ""
    rest = max(0, count - len(masked[:shown]))
    some = listed(masked[:shown])
    return _("{some} y {n} más").format(some=some, n=number(rest)) if rest else some


def when(moment: datetime, frame: Frame) -> str:
    """24/11 08:15. Never «hoy»: a card stays in the channel for days."""
    local, drawn = moment.astimezone(frame.zone), frame.drawn_at.astimezone(frame.zone)
    return f"{local:%d/%m %H:%M}" if local.year == drawn.year else f"{local:%d/%m/%Y %H:%M}"


def hour(moment: datetime, frame: Frame) -> str:
    """las 10:02, el 23/11 10:02: for what is told while it lasts, after «desde» or «hasta»."""
    local = moment.astimezone(frame.zone)
    if not _same_day(moment, frame):
        return _("el {when}").format(when=when(moment, frame))
    text = _("la {time}") if local.hour == 1 else _("las {time}")
    return text.format(time=f"{local:%H:%M}")


def at_hour(moment: datetime, frame: Frame) -> str:
    """a las 08:41, el 25/11 02:10."""
    told = hour(moment, frame)
    return _("a {hour}").format(hour=told) if _same_day(moment, frame) else told


def _same_day(moment: datetime, frame: Frame) -> bool:
    return moment.astimezone(frame.zone).date() == frame.drawn_at.astimezone(frame.zone).date()


def about(seconds: float) -> str:
    """unos 40 s, unas 2 h 05 min."""
    if round(seconds) < 2:
        return _("un par de segundos")
    text = _("unas {time}") if round(seconds) >= 90 * 60 else _("unos {time}")
    return text.format(time=duration(seconds))


def age(since: datetime, frame: Frame) -> str:
    """hace 2 días; within the first day the moment itself."""
    if days := max(0, (frame.drawn_at - since).days):
        return plural("hace {n} día", "hace {n} días", days)
    return _("desde el {when}").format(when=when(since, frame))


def weekday(value: date) -> str:
    """martes 24/11."""
    names = (_("lunes"), _("martes"), _("miércoles"), _("jueves"), _("viernes"), _("sábado"), _("domingo"))
    return f"{names[value.weekday()]} {value:%d/%m}"


def clip(text: str, limit: int) -> str:
    """A text that fits; a card has a size to keep."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
