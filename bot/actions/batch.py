"""Presses on the card of a batch. Each reads the batch again; the card only says which one and what was shown."""

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.activate import request_activation, today
from bot.commands.batch import approve_number, cancel_number
from bot.commands.batch_card import view_for
from bot.commands.download import offer
from cards.batch import batch_card, summary
from cards.batch_rows import batch_rows_card
from cards.batch_rows import summary as rows_summary
from cards.verbs import BatchPress, Verb
from lucy.db.engine import Database
from lucy.domain.operations import BatchOptions
from lucy.domain.roles import Role
from lucy.domain.selections import parse_selection
from lucy.errors import RequestError
from lucy.flows.decide_batch import Declined, reject_batch
from lucy.flows.view_batch import view_rows
from lucy.texts import _

NEEDS: dict[Verb, tuple[Role, str]] = {
    Verb.BATCH_VIEW: (Role.CONSULTA, "ver lotes"),
    Verb.BATCH_PREVIEW: (Role.CONSULTA, "ver lotes"),
    Verb.BATCH_APPROVE: (Role.APROBADOR, "aprobar lotes"),
    Verb.BATCH_REJECT: (Role.APROBADOR, "rechazar lotes"),
    Verb.BATCH_CANCEL: (Role.OPERADOR, "cancelar lotes"),
    Verb.BATCH_DOWNLOAD: (Role.OPERADOR, "bajar planillas"),
    Verb.BATCH_PROPOSE: (Role.OPERADOR, "pedir activaciones"),
}


async def press(ask: Ask, verb: Verb, db: Database) -> Answer:
    """Raises RequestError when the card cannot be understood or the batch is not there."""
    if verb is Verb.BATCH_PROPOSE:
        selection = parse_selection(str(ask.turn.data.get("selection", "")), today=today(ask))
        return await request_activation(ask, selection, BatchOptions(), db)
    pressed = BatchPress.parse(ask.turn.data)
    if pressed is None:
        raise RequestError(_("Esa tarjeta no se entiende. Escribí «lotes» y seguí desde ahí."))
    if verb is Verb.BATCH_DOWNLOAD:
        return await offer(ask, pressed.batch)
    if verb is Verb.BATCH_PREVIEW:
        rows = await view_rows(ask.session, pressed.batch, first=pressed.first)
        if rows is None:
            raise RequestError(_("Ese lote no está."))
        return ask.card(batch_rows_card(rows, ask.frame), rows_summary(rows))
    declined = await _decide(ask, verb, pressed)
    if declined is not None:
        return ask.text(declined.text)
    view = await view_for(ask, pressed.batch)
    return ask.card(batch_card(view, ask.frame), summary(view))


async def _decide(ask: Ask, verb: Verb, pressed: BatchPress) -> Declined | None:
    if verb is Verb.BATCH_APPROVE:
        return await approve_number(ask, pressed.batch, version=pressed.version)
    if verb is Verb.BATCH_CANCEL:
        return await cancel_number(ask, pressed.batch)
    if verb is Verb.BATCH_REJECT:
        done = await reject_batch(
            ask.session, pressed.batch, actor=ask.actor, reason=pressed.reason, house=ask.house, now=ask.now
        )
        return done if isinstance(done, Declined) else None
    return None
