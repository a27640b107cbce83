"""Presses on the card of a student: the card says which one by id, never by a number that the channel may not see."""

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.request import ask_for
from bot.commands.student import show_student
from bot.commands.why import why
from bot.grammar import Command, CommandName
from cards.verbs import StudentPress, Verb
from lucy.db.engine import Database
from lucy.db.tables import StudentRow
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.domain.roles import Role
from lucy.domain.selections import Selection
from lucy.errors import RequestError
from lucy.texts import _

NEEDS: dict[Verb, tuple[Role, str]] = {
    Verb.STUDENT_SHOW: (Role.CONSULTA, "ver alumnos"),
    Verb.STUDENT_WHY: (Role.CONSULTA, "ver alumnos"),
    Verb.STUDENT_REQUEST: (Role.OPERADOR, "pedir algo para un alumno"),
}
# What may be asked for from the card, and the word that would be typed.
WORDS = {
    BatchKind.ACTIVATE: "activar",
    BatchKind.ENROL: "matricular",
    BatchKind.RESET: "resetear",
    BatchKind.RESEND: "reenviar",
    BatchKind.ENABLE: "habilitar",
    BatchKind.DISABLE: "deshabilitar",
}


async def press(ask: Ask, verb: Verb, db: Database) -> Answer:
    """Raises RequestError when the card cannot be understood, or the student is not there any more."""
    if verb is Verb.STUDENT_SHOW and "document" in ask.turn.data:  # by number: what one types
        return await show_student(ask, Command(CommandName.STUDENT, str(ask.turn.data["document"])))
    pressed = StudentPress.parse(ask.turn.data)
    row = await ask.session.get(StudentRow, pressed.student) if pressed else None
    if pressed is None or row is None:
        raise RequestError(_("Esa tarjeta no se entiende. Escribí «alumno» y el documento, y seguí desde ahí."))
    if verb is Verb.STUDENT_SHOW:
        return await show_student(ask, Command(CommandName.STUDENT, row.document_number))
    if verb is Verb.STUDENT_WHY:
        return await why(ask, Command(CommandName.WHY, row.document_number))
    kind = next((one for one in WORDS if one.value == pressed.kind), None)
    if kind is None:
        raise RequestError(_("Esa tarjeta no se entiende. Escribí «alumno» y el documento, y seguí desde ahí."))
    selection = Selection(documents=(row.document_number,))
    return await ask_for(ask, kind, selection, BatchOptions(), db, word=WORDS[kind])
