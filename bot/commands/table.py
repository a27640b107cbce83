"""Every command: the role it needs and the function that answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.answers import Answer
from bot.ask import Ask
from bot.commands import batch, general_pause, lists, permissions, student
from bot.commands.config import config
from bot.commands.drift import drift
from bot.commands.help import show_help
from bot.commands.ingest import ingest
from bot.commands.letters import letters
from bot.commands.request import request, request_deed
from bot.commands.rules import rules
from bot.commands.trial_mail import trial_mail
from bot.commands.undo import undo
from bot.commands.why import why
from bot.grammar import Command, CommandName
from lucy.db.engine import Database
from lucy.domain.roles import Role

Run = Callable[[Ask, Command], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Entry:
    """`does` completes the sentence "Para … hace falta el rol …"."""

    needs: Role
    does: str
    run: Run


def command_table(db: Database) -> dict[CommandName, Entry]:
    """The commands over a database (cards are remembered after the turn's own transaction)."""
    name = CommandName

    async def asked(ask: Ask, command: Command) -> Answer:
        return await request(ask, command, db)

    async def deed(ask: Ask, command: Command) -> Answer:
        return await request_deed(ask, command, db)

    return {
        name.HELP: Entry(Role.CONSULTA, "ver la ayuda", show_help),
        name.STATUS: Entry(Role.CONSULTA, "ver el estado", lists.show_status),
        name.STUDENT: Entry(Role.CONSULTA, "ver alumnos", student.show_student),
        name.WHY: Entry(Role.CONSULTA, "ver alumnos", why),
        name.BATCHES: Entry(Role.CONSULTA, "ver lotes", lists.show_batches),
        name.BATCH: Entry(Role.CONSULTA, "ver lotes", batch.show_batch),
        name.AUDIT: Entry(Role.CONSULTA, "ver la auditoría", lists.show_audit),
        name.INGEST: Entry(Role.OPERADOR, "leer listas de SIAL", lambda ask, command: ingest(ask, command, db)),
        name.ASIDE: Entry(Role.CONSULTA, "ver lo apartado", lists.show_aside),
        name.ACTIVATE: Entry(Role.OPERADOR, "pedir activaciones", asked),
        name.ENROL: Entry(Role.OPERADOR, "pedir matriculaciones", asked),
        name.UNENROL: Entry(Role.OPERADOR, "pedir bajas de cursos", asked),
        name.ACCOUNT: Entry(Role.OPERADOR, "pedir cambios en cuentas", deed),
        name.LICENCE: Entry(Role.OPERADOR, "pedir licencias", deed),
        name.RESET: Entry(Role.OPERADOR, "resetear contraseñas", asked),
        name.RESEND: Entry(Role.OPERADOR, "reenviar credenciales", asked),
        name.WELCOME: Entry(Role.OPERADOR, "mandar bienvenidas", asked),
        name.SITUATION: Entry(Role.OPERADOR, "avisar cambios de situación", asked),
        name.DISABLE: Entry(Role.OPERADOR, "pedir que se deshabiliten cuentas", asked),
        name.ENABLE: Entry(Role.OPERADOR, "pedir que se habiliten cuentas", asked),
        name.UNDO: Entry(Role.OPERADOR, "deshacer lotes", lambda ask, command: undo(ask, command, db)),
        name.PAUSE: Entry(Role.OPERADOR, "pausar lotes", batch.pause),
        name.RETRY: Entry(Role.OPERADOR, "reintentar lotes", batch.retry),
        name.SPLIT: Entry(Role.OPERADOR, "partir lotes", batch.split),
        name.RELEASE: Entry(Role.APROBADOR, "soltar lotes retenidos", batch.release),
        name.TEST_MAIL: Entry(
            Role.ADMINISTRADOR, "probar el correo", lambda ask, command: trial_mail(ask, command, db)
        ),
        name.LETTERS: Entry(Role.CONSULTA, "ver las cartas", lambda ask, command: letters(ask, command, db)),
        name.RULES: Entry(Role.CONSULTA, "ver las reglas", lambda ask, command: rules(ask, command, db)),
        name.DRIFT: Entry(Role.CONSULTA, "ver la deriva", lambda ask, command: drift(ask, command, db)),
        name.CONFIG: Entry(Role.ADMINISTRADOR, "ver y cambiar la configuración", config),
        name.CANCEL: Entry(Role.OPERADOR, "cancelar lotes", batch.cancel),
        name.APPROVE: Entry(Role.APROBADOR, "aprobar lotes", batch.approve),
        name.REJECT: Entry(Role.APROBADOR, "rechazar lotes", batch.reject),
        name.RESUME: Entry(Role.OPERADOR, "reanudar lotes", general_pause.resume),
        name.PAUSE_ALL: Entry(Role.APROBADOR, "parar todo", general_pause.pause_all),
        name.PERMISSIONS: Entry(Role.ADMINISTRADOR, "ver y dar permisos", permissions.permissions),
    }
