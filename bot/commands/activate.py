"""`activar <selección>`: plan a batch and ask a second person for it."""

from datetime import date

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch_card import post_batch_card
from bot.grammar import Command, yes_or_no
from bot.turns import ConversationType
from cards.notice import Notice, notice_card, summary
from lucy.db import cards as cards_db
from lucy.db.engine import Database
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.domain.selections import Selection, parse_selection
from lucy.domain.students import mask_document_numbers
from lucy.errors import RequestError
from lucy.flows.request_batch import NobodyMatches, Requester, request_batch
from lucy.texts import _, number


async def activate(ask: Ask, command: Command, db: Database) -> Answer:
    """Raises RequestError naming the filter or option that was not understood."""
    selection = parse_selection(command.argument, today=today(ask))
    options = BatchOptions(mail=_option(command, "correo"), moodle=_option(command, "moodle"))
    return await request_activation(ask, selection, options, db)


async def request_activation(ask: Ask, selection: Selection, options: BatchOptions, db: Database) -> Answer:
    """Plan it, post its card here, and in the channel too when it was asked for in a personal chat."""
    batch = await request_batch(
        ask.session,
        BatchKind.ACTIVATE,
        selection,
        options=options,
        requester=Requester(ask.actor, ask.turn.person.teams_id),
        house=ask.house,
        now=ask.now,
    )
    if isinstance(batch, NobodyMatches):
        notice = _nobody(batch, numbers=ask.personal)
        return ask.card(notice_card(notice, ask.frame), summary(notice))
    if ask.turn.conversation_type is ConversationType.PERSONAL and batch.finished_at is None:
        for channel in await cards_db.staff_channels(ask.session):
            await cards_db.add_card(
                ask.session,
                shows="batch",
                subject=str(batch.id),
                service_url=channel.service_url,
                tenant_id=channel.tenant_id,
                conversation_id=channel.conversation_id,
                new_thread=True,
            )
    return await post_batch_card(ask, db, batch.id)


def today(ask: Ask) -> date:
    return ask.now.astimezone(ask.zone).date()


def _option(command: Command, name: str) -> bool:
    value = command.options.get(name)
    if value is None:
        return True
    meant = yes_or_no(value)
    if meant is None:
        raise RequestError(
            _("«{name}:{value}» no se entiende: es {name}:si o {name}:no.").format(name=name, value=value)
        )
    return meant


def _nobody(found: NobodyMatches, *, numbers: bool) -> Notice:
    """Whole document numbers only where the asker alone reads them."""
    selection = found.selection if numbers else mask_document_numbers(found.selection)
    text = _("Nadie cumple «{selection}». No se creó ningún lote.").format(selection=selection)
    similar = [(one, count) for one, count in found.similar if numbers or one == mask_document_numbers(one)]
    near = tuple(f"activar {one} ({number(count)})" for one, count in similar)
    return Notice(_("Nadie para activar"), text, near)
