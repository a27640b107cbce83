"""`ayuda`: what this reader may do, each with an example."""

from bot.answers import Answer
from bot.ask import Ask
from bot.grammar import Command
from cards import help as help_card
from lucy.domain.roles import Role
from lucy.domain.views import HelpEntry, HelpView
from lucy.texts import _


async def show_help(ask: Ask, command: Command) -> Answer:
    view = entries(ask.role)
    return ask.card(help_card.help_card(view, ask.frame), help_card.summary(view))


def entries(role: Role) -> HelpView:
    """Only the commands that the role allows."""
    known = [
        (Role.CONSULTA, HelpEntry("estado", _("Cómo está todo: alumnos, sistemas, lotes abiertos."))),
        (Role.CONSULTA, HelpEntry("alumno <documento>", _("Todo lo que se sabe de un alumno."), "alumno 40.123.456")),
        (
            Role.CONSULTA,
            HelpEntry(
                "por que <documento> [curso]",
                _("Por qué tiene o no tiene cada cosa, hecho por hecho."),
                "por que 40.123.456 CONT-1",
            ),
        ),
        (Role.CONSULTA, HelpEntry("lotes", _("Los últimos pedidos."))),
        (Role.CONSULTA, HelpEntry("lote <código>", _("Cómo va un pedido."), "lote L-0042")),
        (Role.CONSULTA, HelpEntry("auditoria", _("Quién hizo qué, y si la cadena está intacta."), "auditoria L-0042")),
        (
            Role.CONSULTA,
            HelpEntry("apartados", _("Lo que mandó SIAL y no se puede usar, y quién lo corrige."), "apartados"),
        ),
        (
            Role.CONSULTA,
            HelpEntry(
                "reglas [probar <documento>]",
                _("Qué curso es para quién; o qué cursos le tocan a alguien, y por qué."),
                "reglas probar 40.123.456",
            ),
        ),
        (
            Role.CONSULTA,
            HelpEntry("deriva", _("Cuentas que en Entra no están como Lucy las conoce."), "deriva"),
        ),
        (
            Role.CONSULTA,
            HelpEntry(
                "plantillas [carta]", _("Qué dicen las cartas; una administradora las cambia."), "plantillas curso"
            ),
        ),
        (Role.OPERADOR, HelpEntry("ingesta <lista>", _("Leer una lista de SIAL ahora."), "ingesta aspirantes")),
        (
            Role.OPERADOR,
            HelpEntry(
                "activar <selección>",
                _("Cuenta, licencia, carta con credenciales y Moodle; con cursos:si, también la carta de los cursos."),
                "activar aspirantes sin:cuenta",
            ),
        ),
        (
            Role.OPERADOR,
            HelpEntry(
                "matricular <selección>",
                _("Los cursos que dan las reglas; con correo:si les escribe, con bajas:si los saca de los que ya no."),
                "matricular aspirantes carrera:CP",
            ),
        ),
        (
            Role.OPERADOR,
            HelpEntry(
                "desmatricular <selección>",
                _("Sacarlos de los cursos en que los puso Lucy; con curso:…, de uno."),
                "desmatricular 40.123.456 curso:CONT-1",
            ),
        ),
        (
            Role.OPERADOR,
            HelpEntry(
                "cuenta crear|actualizar|restaurar <selección>",
                _("Cuentas solas: hacerlas, ponerles el nombre que dice SIAL, traer una eliminada."),
                "cuenta restaurar 40.123.456",
            ),
        ),
        (
            Role.OPERADOR,
            HelpEntry(
                "licencia [quitar] <selección>",
                _("Licencias solas: asignarlas, o quitarlas."),
                "licencia aspirantes sin:licencia",
            ),
        ),
        (
            Role.OPERADOR,
            HelpEntry(
                "resetear <selección>",
                _("Contraseña nueva, por carta al correo personal; con correo:no, sólo cierra la que tienen."),
                "resetear 40.123.456",
            ),
        ),
        (
            Role.OPERADOR,
            HelpEntry(
                "reenviar <selección>", _("Las credenciales de nuevo, con otra contraseña."), "reenviar 40.123.456"
            ),
        ),
        (
            Role.OPERADOR,
            HelpEntry("bienvenida <selección>", _("La carta de bienvenida."), "bienvenida preinscriptos nuevos"),
        ),
        (
            Role.OPERADOR,
            HelpEntry(
                "situacion <selección>",
                _("Avisarles por carta que su situación en SIAL cambió, una vez por cambio."),
                "situacion ingresantes",
            ),
        ),
        (
            Role.OPERADOR,
            HelpEntry(
                "deshabilitar <selección>",
                _("Cerrar cuentas, sin borrar nada."),
                "deshabilitar 40.123.456",
            ),
        ),
        (Role.OPERADOR, HelpEntry("habilitar <selección>", _("Volver a abrir cuentas."), "habilitar 40.123.456")),
        (
            Role.OPERADOR,
            HelpEntry("pausar <código>", _("Terminar los que están en la mano y esperar."), "pausar L-0042"),
        ),
        (Role.OPERADOR, HelpEntry("reanudar <código>", _("Seguir donde había quedado."), "reanudar L-0042")),
        (
            Role.OPERADOR,
            HelpEntry("partir <código>", _("Dividirlo donde se acaban las licencias o las cartas del día.")),
        ),
        (Role.OPERADOR, HelpEntry("cancelar <código>", _("Parar un pedido tuyo."), "cancelar L-0042")),
        (
            Role.OPERADOR,
            HelpEntry("reintentar <código>", _("Lo que falló; o de un solo alumno."), "reintentar L-0042 40.123.456"),
        ),
        (
            Role.OPERADOR,
            HelpEntry("deshacer <código>", _("El plan inverso de un lote, con aprobación."), "deshacer L-0042"),
        ),
        (
            Role.APROBADOR,
            HelpEntry("aprobar <código>", _("Dejar que se haga un pedido de otra persona.")),
        ),
        (
            Role.APROBADOR,
            HelpEntry("rechazar <código> <motivo>", _("Decir que no, y por qué."), "rechazar L-0042 falta la comisión"),
        ),
        (
            Role.APROBADOR,
            HelpEntry("soltar <código>", _("Dejar que se decida un lote retenido por un umbral."), "soltar L-0042"),
        ),
        (
            Role.APROBADOR,
            HelpEntry(
                "pausa general [sistema]",
                _("Parar todo, o un sistema, con un motivo. Sola muestra lo que está parado."),
                'pausa general moodle hasta:15:30 motivo:"corte de luz"',
            ),
        ),
        (
            Role.APROBADOR,
            HelpEntry("reanudar general [sistema]", _("Levantar una pausa general."), "reanudar general moodle"),
        ),
        (
            Role.ADMINISTRADOR,
            HelpEntry("config", _("Umbrales, aprobaciones, cartas por día."), "config umbral.activar 6000"),
        ),
        (
            Role.ADMINISTRADOR,
            HelpEntry(
                "correo de prueba <dirección>",
                _("Una carta por el mismo camino; si no sale, qué hay que corregir."),
                "correo de prueba ana@example.com",
            ),
        ),
        (Role.ADMINISTRADOR, HelpEntry("permisos", _("Ver, dar y quitar roles."), "permisos")),
    ]
    return HelpView(role.value, tuple(entry for needed, entry in known if role.allows(needed)))
