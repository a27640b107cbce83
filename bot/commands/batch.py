"""`lote`, `aprobar`, `rechazar`, `cancelar`: one batch by its code."""

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch_card import view_for
from bot.grammar import Command, split_code
from cards import batch
from lucy.domain.batches import batch_code
from lucy.domain.roles import Role
from lucy.errors import RequestError
from lucy.flows.decide_batch import Declined, approve_batch, reject_batch
from lucy.flows.run_batch import cancel_batch
from lucy.texts import _


async def show_batch(ask: Ask, command: Command) -> Answer:
    view = await view_for(ask, _number(command, "lote"))
    return ask.card(batch.batch_card(view, ask.frame), batch.summary(view))


async def approve(ask: Ask, command: Command) -> Answer:
    number = _number(command, "aprobar")
    return _said(ask, number, await approve_number(ask, number, version=None), _("{code} aprobada. Empieza ahora."))


async def reject(ask: Ask, command: Command) -> Answer:
    number = _number(command, "rechazar")
    _code, reason = split_code(command.argument)
    done = await reject_batch(ask.session, number, actor=ask.actor, reason=reason, house=ask.house, now=ask.now)
    return _said(ask, number, done if isinstance(done, Declined) else None, _("{code} rechazada. Avisé en su tarjeta."))


async def cancel(ask: Ask, command: Command) -> Answer:
    number = _number(command, "cancelar")
    return _said(
        ask, number, await cancel_number(ask, number), _("{code} cancelada: lo que no había empezado no se hace.")
    )


async def approve_number(ask: Ask, number: int, *, version: int | None) -> Declined | None:
    done = await approve_batch(ask.session, number, actor=ask.actor, version=version, house=ask.house, now=ask.now)
    return done if isinstance(done, Declined) else None


async def cancel_number(ask: Ask, number: int) -> Declined | None:
    done = await cancel_batch(
        ask.session,
        number,
        actor=ask.actor,
        may_cancel_others=ask.role.allows(Role.APROBADOR),
        house=ask.house,
        now=ask.now,
    )
    return done if isinstance(done, Declined) else None


def _said(ask: Ask, number: int, declined: Declined | None, done: str) -> Answer:
    return ask.text(declined.text if declined else done.format(code=batch_code(number)))


def _number(command: Command, word: str) -> int:
    """The batch meant. Raises RequestError when no code was given, or something else."""
    number, _rest = split_code(command.argument)
    if number is None and command.argument:
        text = _("«{text}» no es el código de un lote. Son así: L-0042. Con «lotes» ves los últimos.")
        raise RequestError(text.format(text=command.argument))
    if number is None:
        raise RequestError(_("¿Qué lote? Escribí, por ejemplo: {word} L-0042.").format(word=word))
    return number
