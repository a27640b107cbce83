"""Presses on the card of a batch. Each reads the batch again; the card only says which one and what was shown."""

from bot.answers import Answer, InvokeMessage
from bot.ask import Ask
from bot.commands import batch as deeds
from bot.commands.batch_card import view_for
from bot.commands.download import offer
from bot.commands.request import ask_for, today
from bot.commands.undo import undo_number
from cards.batch import batch_card, summary
from cards.batch_rows import batch_rows_card
from cards.batch_rows import summary as rows_summary
from cards.verbs import BatchPress, Verb
from lucy.db.engine import Database
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.domain.roles import Role
from lucy.domain.selections import parse_selection
from lucy.errors import RequestError
from lucy.flows.decide_batch import Declined
from lucy.flows.view_rows import view_rows
from lucy.texts import _

NEEDS: dict[Verb, tuple[Role, str]] = {
    Verb.BATCH_VIEW: (Role.CONSULTA, "ver lotes"),
    Verb.BATCH_PREVIEW: (Role.CONSULTA, "ver lotes"),
    Verb.BATCH_APPROVE: (Role.APROBADOR, "aprobar lotes"),
    Verb.BATCH_REJECT: (Role.APROBADOR, "rechazar lotes"),
    Verb.BATCH_RELEASE: (Role.APROBADOR, "soltar lotes retenidos"),
    Verb.BATCH_CANCEL: (Role.OPERADOR, "cancelar lotes"),
    Verb.BATCH_PAUSE: (Role.OPERADOR, "pausar lotes"),
    Verb.BATCH_RESUME: (Role.OPERADOR, "reanudar lotes"),
    Verb.BATCH_RETRY: (Role.OPERADOR, "reintentar lotes"),
    Verb.BATCH_SPLIT: (Role.OPERADOR, "partir lotes"),
    Verb.BATCH_UNDO: (Role.OPERADOR, "deshacer lotes"),
    Verb.BATCH_DOWNLOAD: (Role.OPERADOR, "bajar planillas"),
    Verb.BATCH_PROPOSE: (Role.OPERADOR, "pedir activaciones"),
}

# What a report's button asks for; a card from before there were several says nothing of it.
_PROPOSED = {BatchKind.RESEND.value: ("reenviar", BatchKind.RESEND)}


async def press(ask: Ask, verb: Verb, db: Database) -> Answer:
    """Raises RequestError when the card cannot be understood or the batch is not there."""
    if verb is Verb.BATCH_PROPOSE:
        selection = parse_selection(str(ask.turn.data.get("selection", "")), today=today(ask))
        word, kind = _PROPOSED.get(str(ask.turn.data.get("kind", "")), ("activar", BatchKind.ACTIVATE))
        return await ask_for(ask, kind, selection, BatchOptions(), db, word=word)
    pressed = BatchPress.parse(ask.turn.data)
    if pressed is None:
        raise RequestError(_("Esa tarjeta no se entiende. Escribí «lotes» y seguí desde ahí."))
    if verb is Verb.BATCH_UNDO:
        answer = await undo_number(ask, pressed.batch, BatchOptions(), db)
        if isinstance(answer.invoke, InvokeMessage):
            return answer
        return await _shown(ask, pressed.batch)  # where it is undone; the new card is posted beside it
    if verb is Verb.BATCH_DOWNLOAD:
        return await offer(ask, pressed.batch)
    if verb is Verb.BATCH_PREVIEW:
        return await _rows(ask, pressed)
    done = await _done(ask, verb, pressed)
    if isinstance(done, Declined):
        return ask.text(done.text)
    return await _shown(ask, pressed.batch)


async def _shown(ask: Ask, number: int) -> Answer:
    view = await view_for(ask, number)
    return ask.card(batch_card(view, ask.frame), summary(view))


async def _rows(ask: Ask, pressed: BatchPress) -> Answer:
    rows = await view_rows(ask.session, pressed.batch, first=pressed.first)
    if rows is None:
        raise RequestError(_("Ese lote no está."))
    return ask.card(batch_rows_card(rows, ask.frame), rows_summary(rows))


async def _done(ask: Ask, verb: Verb, pressed: BatchPress) -> deeds.Done | None:
    """What a press does; looking does nothing."""
    number, version = pressed.batch, pressed.version
    match verb:
        case Verb.BATCH_APPROVE:
            return await deeds.approve_number(ask, number, version=version, confirm=pressed.confirm)
        case Verb.BATCH_REJECT:
            return await deeds.reject_number(ask, number, reason=pressed.reason)
        case Verb.BATCH_RELEASE:
            return await deeds.release_number(ask, number, version=version)
        case Verb.BATCH_SPLIT:
            return await deeds.split_number(ask, number, version=version)
        case Verb.BATCH_CANCEL:
            return await deeds.cancel_number(ask, number)
        case Verb.BATCH_PAUSE:
            return await deeds.pause_number(ask, number)
        case Verb.BATCH_RESUME:
            return await deeds.resume_number(ask, number)
        case Verb.BATCH_RETRY:
            return await deeds.retry_number(ask, number)
        case _:
            return None
