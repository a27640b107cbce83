"""`estado`, `lotes`, `auditoria`: what the whole office may look at."""

from bot.answers import Answer
from bot.ask import Ask
from bot.grammar import Command
from cards import audit, batches, status
from lucy.flows.view_audit import view_audit
from lucy.flows.view_report import view_batches, view_status


async def show_status(ask: Ask, command: Command) -> Answer:
    view = await view_status(ask.session, house=ask.house, now=ask.now)
    return ask.card(status.status_card(view, ask.frame), status.summary(view))


async def show_batches(ask: Ask, command: Command) -> Answer:
    lines = await view_batches(ask.session)
    return ask.card(batches.batches_card(lines, ask.frame), batches.summary(lines))


async def show_audit(ask: Ask, command: Command) -> Answer:
    view = await view_audit(ask.session, command.argument)
    return ask.card(audit.audit_card(view, ask.frame), audit.summary(view))
