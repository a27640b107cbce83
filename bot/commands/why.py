"""`por que <dni> [curso]`: what led to each thing that a student has or lacks."""

import re
from dataclasses import replace

from bot.answers import Answer, Reply
from bot.ask import Ask
from bot.grammar import Command
from cards.why import summary, why_card
from lucy.domain.selections import fold
from lucy.domain.students import mask_document_number, parse_document_number
from lucy.domain.views_why import WhyView
from lucy.errors import RequestError
from lucy.flows.explain_student import explain_students
from lucy.texts import _

# Said around the number and the course: "por que 40123456 no está en ADM-1".
_AROUND = frozenset(
    [
        "no",
        "esta",
        "estan",
        "en",
        "el",
        "la",
        "los",
        "las",
        "de",
        "del",
        "un",
        "una",
        "tiene",
        "tienen",
        "le",
        "que",
        "a",
        "al",
        "curso",
        "dni",
        "is",
        "not",
        "in",
    ]
)
_NUMBER = re.compile(r"\d{1,3}[. ]\d{3}[. ]\d{3}|\d[\d.]{5,12}")


async def why(ask: Ask, command: Command) -> Answer:
    """Raises RequestError where no document number stands in it, or nobody has it."""
    found = _NUMBER.search(command.argument)
    number = parse_document_number(found[0].replace(" ", "")) if found else None
    if found is None or number is None:
        raise RequestError(_("¿De quién? Escribí, por ejemplo: por que 40.123.456, o por que 40.123.456 CONT-1"))
    rest = (command.argument[: found.start()] + " " + command.argument[found.end() :]).split()
    about = " ".join(word.strip("¿?.,;") for word in rest if fold(word.strip("¿?.,;")) not in _AROUND)
    views = await explain_students(ask.session, number, about=about, house=ask.house)
    if not views:
        text = _("No conozco a nadie con el documento {number}. Si está en SIAL, entra en la próxima ingesta.")
        raise RequestError(text.format(number=found[0] if ask.personal else mask_document_number(number)))
    shown = [one if ask.personal else _masked(one, number) for one in views]
    if ask.turn.is_invoke:
        return ask.card(why_card(shown[0], ask.frame), summary(shown[0]))
    return Answer(replies=tuple(Reply(card=why_card(one, ask.frame), summary=summary(one)) for one in shown))


def _masked(view: WhyView, number: str) -> WhyView:
    return replace(view, document=mask_document_number(number))
