"""`estado`, `lotes`, `apartados`, `auditoria`: what the whole office may look at."""

from bot.answers import Answer
from bot.ask import Ask
from bot.grammar import Command
from cards import aside, audit, batches, status
from lucy.domain.selections import fold
from lucy.domain.students import SourceList
from lucy.errors import RequestError
from lucy.flows.view_audit import view_audit
from lucy.flows.view_report import view_aside, view_batches, view_status
from lucy.texts import _


async def show_status(ask: Ask, command: Command) -> Answer:
    view = await view_status(ask.session, house=ask.house, now=ask.now)
    return ask.card(status.status_card(view, ask.frame), status.summary(view))


async def show_batches(ask: Ask, command: Command) -> Answer:
    lines = await view_batches(ask.session)
    return ask.card(batches.batches_card(lines, ask.frame), batches.summary(lines))


async def show_aside(ask: Ask, command: Command) -> Answer:
    """Of the list that is named, or of all. Raises RequestError naming the lists."""
    word = fold(command.argument.strip())
    found = next((one for one in SourceList if word in (one.value, one.value.removesuffix("s"))), None)
    if word and found is None:
        said = _("¿Qué lista? Son {lists}. Escribí, por ejemplo: apartados aspirantes.")
        raise RequestError(said.format(lists=", ".join(SourceList)))
    view = await view_aside(ask.session, found)
    return ask.card(aside.aside_card(view, ask.frame), aside.summary(view))


async def show_audit(ask: Ask, command: Command) -> Answer:
    view = await view_audit(ask.session, command.argument)
    return ask.card(audit.audit_card(view, ask.frame), audit.summary(view))
