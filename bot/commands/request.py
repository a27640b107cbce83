"""`activar`, `matricular`, `cuenta actualizar`, … <selección>: plan a batch and ask a second person for it."""

from datetime import date
from difflib import get_close_matches

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch_card import post_batch_card
from bot.commands.options import option
from bot.grammar import Command, CommandName
from bot.turns import ConversationType
from cards.notice import Notice, notice_card, summary
from lucy.db import batches, rules
from lucy.db import cards as cards_db
from lucy.db.engine import Database
from lucy.db.tables import BatchRow
from lucy.domain.batches import BatchId
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.domain.selections import Selection, fold, parse_selection
from lucy.domain.students import mask_document_numbers
from lucy.errors import RequestError
from lucy.flows.ask_again import post_beside
from lucy.flows.request_batch import NobodyMatches, Requester, request_batch
from lucy.texts import _, number

KINDS = {
    CommandName.ACTIVATE: BatchKind.ACTIVATE,
    CommandName.ENROL: BatchKind.ENROL,
    CommandName.UNENROL: BatchKind.UNENROL,
    CommandName.RESET: BatchKind.RESET,
    CommandName.RESEND: BatchKind.RESEND,
    CommandName.WELCOME: BatchKind.WELCOME,
    CommandName.SITUATION: BatchKind.STATUS,
    CommandName.DISABLE: BatchKind.DISABLE,
    CommandName.ENABLE: BatchKind.ENABLE,
}
# What can be done with accounts and licences: the word after the command, in either language.
DEEDS: dict[CommandName, dict[str, BatchKind]] = {
    CommandName.ACCOUNT: {
        "crear": BatchKind.ACTIVATE,
        "actualizar": BatchKind.UPDATE,
        "restaurar": BatchKind.RESTORE,
        "habilitar": BatchKind.ENABLE,
        "deshabilitar": BatchKind.DISABLE,
    },
    CommandName.LICENCE: {"asignar": BatchKind.LICENSE, "quitar": BatchKind.UNLICENSE},
}
_IN_ENGLISH = {
    "create": "crear",
    "update": "actualizar",
    "restore": "restaurar",
    "enable": "habilitar",
    "disable": "deshabilitar",
    "assign": "asignar",
    "remove": "quitar",
    "sacar": "quitar",
    "dar": "asignar",
}


async def request(ask: Ask, command: Command, db: Database) -> Answer:
    """Raises RequestError naming the filter or option that was not understood."""
    enrols = command.name is CommandName.ENROL  # its only letter is that of the courses
    options = BatchOptions(
        mail=enrols or option(command, "correo", default=True),
        moodle=option(command, "moodle", default=True),
        removals=option(command, "bajas", default=False),
        courses=await _courses(ask, command),
        course_mail=option(command, "correo" if enrols else "cursos", default=False),
    )
    selection = parse_selection(command.argument, today=today(ask))
    return await ask_for(ask, KINDS[command.name], selection, options, db, word=command.name.value)


async def request_deed(ask: Ask, command: Command, db: Database) -> Answer:
    """`cuenta restaurar 40.123.456`, `licencia aspirantes`: an account that is made gets no letter without `correo:si`.

    Raises RequestError naming what can be done, or the filter that was not understood.
    """
    first, _blank, rest = command.argument.partition(" ")
    deeds = DEEDS[command.name]
    deed = _IN_ENGLISH.get(fold(first), fold(first))
    if deed not in deeds and command.name is CommandName.LICENCE:
        deed, rest = "asignar", command.argument
    if deed not in deeds:
        said = _("¿Qué hago con las cuentas? Puede ser: {deeds}. Escribí, por ejemplo: cuenta {deed} 40.123.456.")
        raise RequestError(said.format(deeds=", ".join(deeds), deed=next(iter(deeds))))
    selection = parse_selection(rest, today=today(ask))
    options = BatchOptions(mail=option(command, "correo", default=False), moodle=False)
    return await ask_for(ask, deeds[deed], selection, options, db, word=f"{command.name.value} {deed}")


async def _courses(ask: Ask, command: Command) -> tuple[str, ...]:
    """The course of `curso:CONT1`, spelled as it is stored: of a rule, or one that somebody is in."""
    wanted = command.options.get("curso")
    if wanted is None:
        return ()
    known = await rules.known_courses(ask.session)
    found = tuple(one for one in known if wanted in (fold(one), fold(one.rpartition(":")[2])))
    if found:
        return found
    near = get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:3]
    said = _("No conozco el curso «{course}». Los que hay: {near}.")
    raise RequestError(said.format(course=wanted, near=", ".join(near) or "—"))


async def ask_for(
    ask: Ask, kind: BatchKind, selection: Selection, options: BatchOptions, db: Database, *, word: str
) -> Answer:
    """Plan it and show its card; what became of it is said there."""
    batch = await request_batch(
        ask.session,
        kind,
        selection,
        options=options,
        requester=Requester(ask.actor, ask.turn.person.teams_id),
        house=ask.house,
        now=ask.now,
    )
    if isinstance(batch, NobodyMatches):
        notice = _nobody(batch, word=word, numbers=ask.personal)
        return ask.card(notice_card(notice, ask.frame), summary(notice))
    return await show_new(ask, batch, db)


async def show_new(ask: Ask, batch: BatchRow, db: Database) -> Answer:
    """Post its card here, and in the channel too when it was asked for in a personal chat; so for what was parted."""
    if ask.turn.conversation_type is ConversationType.PERSONAL and batch.finished_at is None:
        there = await cards_db.of_subject(ask.session, shows="batch", subject=str(batch.id))
        known = {card.conversation_id.partition(";")[0] for card in there}
        for channel in await cards_db.staff_channels(ask.session):
            if channel.conversation_id in known:
                continue  # beside the card of the batch it came from
            await cards_db.add_card(
                ask.session,
                shows="batch",
                subject=str(batch.id),
                service_url=channel.service_url,
                tenant_id=channel.tenant_id,
                conversation_id=channel.conversation_id,
                new_thread=True,
            )
    answer = await post_batch_card(ask, db, batch.id)
    for child in await batches.children(ask.session, batch.id):
        await post_beside(ask.session, batch.id, BatchId(child), now=ask.now)
    return answer


def today(ask: Ask) -> date:
    return ask.now.astimezone(ask.zone).date()


def _nobody(found: NobodyMatches, *, word: str, numbers: bool) -> Notice:
    """Whole document numbers only where the asker alone reads them."""
    selection = found.selection if numbers else mask_document_numbers(found.selection)
    text = _("Nadie cumple «{selection}». No se creó ningún lote.").format(selection=selection)
    similar = [(one, count) for one, count in found.similar if numbers or one == mask_document_numbers(one)]
    near = tuple(f"{word} {one} ({number(count)})" for one, count in similar)
    return Notice(_("Nadie para {word}").format(word=word), text, near)
