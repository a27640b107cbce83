"""What the audit's short names mean, in words. A name without words is shown as it is: nothing is hidden."""

from lucy.domain.error_codes import TEXTS, explain
from lucy.domain.operations import StepKind
from lucy.domain.roles import Role
from lucy.domain.step_names import step
from lucy.domain.systems import system_name
from lucy.errors import System
from lucy.texts import _

_STEP = "step."


def action(name: str) -> str:
    """`batch.approve` → aprobó el lote."""
    if name.removeprefix(_STEP) in {kind.value for kind in StepKind}:
        return step(StepKind(name.removeprefix(_STEP)))
    known = {
        "batch.request.activate": _("pidió una activación"),
        "batch.request.enrol": _("pidió una matriculación"),
        "batch.request.unenrol": _("pidió bajas de cursos"),
        "batch.request.license": _("pidió asignar licencias"),
        "batch.request.unlicense": _("pidió quitar licencias"),
        "batch.request.reset": _("pidió contraseñas nuevas"),
        "batch.request.resend": _("pidió reenviar credenciales"),
        "batch.request.welcome": _("pidió bienvenidas"),
        "batch.request.status": _("pidió avisar cambios de situación"),
        "batch.request.update": _("pidió actualizar cuentas"),
        "batch.request.restore": _("pidió restaurar cuentas"),
        "letter.propose": _("versión nueva de una carta"),
        "letter.decide": _("decisión sobre una carta"),
        "letter.render": _("carta probada con todos"),
        "channel.added": _("sumó a Lucy a un equipo"),
        "channel.removed": _("sacó a Lucy de un canal"),
        "letter.bounced": _("carta devuelta"),
        "letters.first_use": _("miró qué contraseñas se estrenaron"),
        "letter.test": _("correo de prueba"),
        "secrets.search": _("búsqueda de secretos fuera de lugar"),
        "rules.import": _("importó las reglas de cursos"),
        "rules.check": _("pidió revisar los cursos"),
        "accounts.check": _("revisó las cuentas en Entra"),
        "enrolments.check": _("revisó las matriculaciones en Moodle"),
        "account.gone": _("la cuenta ya no está en Entra"),
        "batch.request.disable": _("pidió deshabilitar cuentas"),
        "batch.request.enable": _("pidió habilitar cuentas"),
        "batch.request.undo": _("pidió deshacer un lote"),
        "batch.approve": _("aprobar"),
        "batch.reject": _("rechazar"),
        "batch.cancel": _("cancelar"),
        "batch.pause": _("pausar"),
        "batch.resume": _("reanudar"),
        "batch.retry": _("reintentar"),
        "batch.undo": _("deshacer"),
        "batch.split": _("partir"),
        "batch.release": _("soltar"),
        "batch.hold": _("retener"),
        "batch.nudge": _("recordó que espera una decisión"),
        "batch.download": _("bajar la planilla"),
        "batch.download.offer": _("pidió la planilla"),
        "student.drop": _("quedó afuera: cambió después de la aprobación"),
        "config.set": _("cambió la configuración"),
        "config.import": _("importó la configuración"),
        "batch.expire": _("venció sin aprobación"),
        "batch.start": _("empezó"),
        "batch.finish": _("terminó"),
        "ingest": _("leyó la lista"),
        "ingest.request": _("pidió leer la lista"),
        "student.email_changed": _("cambió el correo en SIAL"),
        "member.grant": _("cambió los permisos"),
        "pause.general": _("puso una pausa general"),
        "pause.lift": _("levantó una pausa general"),
        "system.down": _("dejó de responder un sistema"),
        "system.up": _("volvió a responder un sistema"),
        "card.post": _("publicar una tarjeta"),
        "bot.turn": _("escribió desde un lugar no permitido"),
        "bot.text": _("escribió"),
        "bot.press": _("apretó un botón"),
    }
    if name.startswith("schedule."):
        return _("agenda: {name}").format(name=name.removeprefix("schedule."))
    if name.startswith("bot."):
        return known.get(name, _("intentó: {what}").format(what=name.removeprefix("bot.")))
    return known.get(name, name)


def outcome(name: str) -> str:
    """`already` → ya estaba."""
    known = {
        "done": _("hecho"),
        "already": _("ya estaba"),
        "skipped": _("no se hizo"),
        "failed": _("falló"),
        "awaiting_approval": _("espera aprobación"),
        "nothing_done": _("no había nada para hacer"),
        "nobody": _("nadie cumplía"),
        "approved": _("aprobado"),
        "rejected": _("rechazado"),
        "cancelled": _("cancelado"),
        "expired": _("vencido"),
        "counted": _("anotada, faltan otras"),
        "paused": _("en pausa"),
        "held": _("retenido"),
        "released": _("suelto"),
        "split": _("partido"),
        "dropped": _("quedó afuera"),
        "running": _("en marcha"),
        "finished": _("terminado"),
        "finished_with_failures": _("terminado con pendientes"),
        "declined": _("no se pudo"),
        "denied": _("sin permiso"),
        "not_understood": _("no se entendió"),
        "queued": _("en cola"),
        "clean": _("nada fuera de lugar"),
        "started": _("empezó"),
        "brought_forward": _("adelantada"),
        "noted": _("anotado"),
        "everything": _("todo"),
        "unneeded": _("nadie lo esperaba"),
        **{system.value: system_name(system) for system in System},
        "none": _("sin rol"),
        "wrong_tenant": _("otra organización"),
        "team_not_allowed": _("otro equipo"),
        "channel_not_allowed": _("otro canal"),
        "no_entra_id": _("sin identidad"),
        "group_chat": _("un chat de grupo"),
        **{role.value: role.value for role in Role},
    }
    word, _blank, code = name.partition(" ")
    if word == "found":
        return _("encontrado en {n} lugares").format(n=code)
    if name not in known and code in TEXTS:
        return f"{known.get(word, word)}: {explain(code)} ({code})"
    return known.get(name, name)
