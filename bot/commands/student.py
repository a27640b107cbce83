"""`alumno <dni>`: everything known of one student; in the channel without what is theirs alone."""

from dataclasses import replace

from bot.answers import Answer, Reply
from bot.ask import Ask
from bot.grammar import Command
from cards import student
from lucy.domain.operations import BatchKind
from lucy.domain.roles import Role
from lucy.domain.students import mask_document_number, parse_document_number
from lucy.domain.views import StudentView
from lucy.errors import RequestError
from lucy.flows.view_student import view_students
from lucy.texts import _


async def show_student(ask: Ask, command: Command) -> Answer:
    """Raises RequestError when the text is no document number, or nobody has it."""
    number = parse_document_number(command.argument)
    if number is None:
        raise RequestError(
            _("«{text}» no es un número de documento. Escribí, por ejemplo: alumno 40.123.456").format(
                text=command.argument
            )
            if command.argument
            else _("¿De quién? Escribí, por ejemplo: alumno 40.123.456")
        )
    found = await view_students(ask.session, number, house=ask.house, now=ask.now)
    if not found:
        text = _("No conozco a nadie con el documento {number}. Si está en SIAL, entra en la próxima ingesta.")
        raise RequestError(text.format(number=command.argument if ask.personal else mask_document_number(number)))
    shown = [view if ask.personal else masked(view, number) for view in found]
    cards = [(student.student_card(one, ask.frame, deeds=_deeds(ask, one)), student.summary(one)) for one in shown]
    if ask.turn.is_invoke:
        return ask.card(*cards[0])
    return Answer(replies=tuple(Reply(card=card, summary=text) for card, text in cards))


def _deeds(ask: Ask, view: StudentView) -> tuple[BatchKind, ...]:
    """In the channel a card is everybody's, so its buttons too: who may not is told when they press."""
    return view.may if ask.role.allows(Role.OPERADOR) else ()


def masked(view: StudentView, number: str) -> StudentView:
    """As the channel may see a student: no address, no full number (the sign-in name holds it)."""
    hidden = mask_document_number(number)
    return replace(
        view,
        document=hidden,
        personal_email="",
        upn=view.upn.replace(number, hidden),
        moodle_username=view.moodle_username.replace(number, hidden),
    )
