"""Every command: the role it needs and the function that answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.answers import Answer
from bot.ask import Ask
from bot.commands import batch, general_pause, lists, permissions, student
from bot.commands.activate import activate
from bot.commands.help import entries
from bot.commands.ingest import ingest
from bot.grammar import Command, CommandName
from cards import help as help_card
from lucy.db.engine import Database
from lucy.domain.roles import Role

Run = Callable[[Ask, Command], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Entry:
    """`does` completes the sentence "Para … hace falta el rol …"."""

    needs: Role
    does: str
    run: Run


async def _help(ask: Ask, command: Command) -> Answer:
    view = entries(ask.role)
    return ask.card(help_card.help_card(view, ask.frame), help_card.summary(view))


def command_table(db: Database) -> dict[CommandName, Entry]:
    """The commands over a database (cards are remembered after the turn's own transaction)."""
    name = CommandName
    return {
        name.HELP: Entry(Role.CONSULTA, "ver la ayuda", _help),
        name.STATUS: Entry(Role.CONSULTA, "ver el estado", lists.show_status),
        name.STUDENT: Entry(Role.CONSULTA, "ver alumnos", student.show_student),
        name.BATCHES: Entry(Role.CONSULTA, "ver lotes", lists.show_batches),
        name.BATCH: Entry(Role.CONSULTA, "ver lotes", batch.show_batch),
        name.AUDIT: Entry(Role.CONSULTA, "ver la auditoría", lists.show_audit),
        name.INGEST: Entry(Role.OPERADOR, "leer listas de SIAL", lambda ask, command: ingest(ask, command, db)),
        name.ACTIVATE: Entry(Role.OPERADOR, "pedir activaciones", lambda ask, command: activate(ask, command, db)),
        name.CANCEL: Entry(Role.OPERADOR, "cancelar lotes", batch.cancel),
        name.APPROVE: Entry(Role.APROBADOR, "aprobar lotes", batch.approve),
        name.REJECT: Entry(Role.APROBADOR, "rechazar lotes", batch.reject),
        name.RESUME: Entry(Role.OPERADOR, "reanudar lotes", general_pause.resume),
        name.PAUSE_ALL: Entry(Role.APROBADOR, "parar todo", general_pause.pause_all),
        name.PERMISSIONS: Entry(Role.ADMINISTRADOR, "ver y dar permisos", permissions.permissions),
    }
