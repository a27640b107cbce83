"""Commands about one batch by its code: look, decide, stop and go, part, retry."""

from collections.abc import Awaitable, Callable

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch_card import view_for
from bot.grammar import Command, split_code
from cards import batch, wording
from cards.batch_heading import still_to_approve
from lucy.db import students as students_db
from lucy.db.tables import BatchRow
from lucy.domain.batches import BatchState, batch_code
from lucy.domain.roles import Role
from lucy.domain.students import StudentId, parse_document_number
from lucy.errors import RequestError
from lucy.flows import decide_batch, run_batch
from lucy.flows.decide_batch import Declined
from lucy.flows.retry_batch import retry_batch
from lucy.flows.split_batch import split_batch
from lucy.flows.store_batch import Requester
from lucy.texts import _, plural

Done = BatchRow | Declined
Deed = Callable[[Ask, int], Awaitable[Done]]


async def show_batch(ask: Ask, command: Command) -> Answer:
    view = await view_for(ask, number_of(command, "lote"))
    return ask.card(batch.batch_card(view, ask.frame), batch.summary(view))


async def approve(ask: Ask, command: Command) -> Answer:
    number = number_of(command, "aprobar")
    _code, count = split_code(command.argument)
    done = await approve_number(ask, number, version=None, confirm=count.partition(" ")[0])
    if isinstance(done, Declined) or done.state is not BatchState.AWAITING_APPROVAL:
        return said(ask, number, done, _("{code} aprobada. Empieza ahora."))
    view = await view_for(ask, number)
    missing = plural("falta {n} más", "faltan {n} más", done.approvals_needed - len(view.approvals))
    who = f" ({wording.either(names)})" if (names := still_to_approve(view)) else ""
    text = _("Anoté tu aprobación de {code}; {missing}{who}.")
    return ask.text(text.format(code=batch_code(number), missing=missing, who=who))


async def reject(ask: Ask, command: Command) -> Answer:
    number = number_of(command, "rechazar")
    _code, reason = split_code(command.argument)
    done = await reject_number(ask, number, reason=reason)
    return said(ask, number, done, _("{code} rechazada. Avisé en su tarjeta."))


async def cancel(ask: Ask, command: Command) -> Answer:
    number = number_of(command, "cancelar")
    done = await cancel_number(ask, number)
    if not isinstance(done, Declined) and done.finished_at is None:
        return said(
            ask, number, done, _("{code} cancelada: se terminan los alumnos que estaban en la mano, nadie más.")
        )
    if not isinstance(done, Declined) and done.started_at is None:
        return said(ask, number, done, _("{code} cancelada: no había empezado, no se hace nada."))
    return said(ask, number, done, _("{code} cancelada: lo que no había empezado no se hace."))


async def pause(ask: Ask, command: Command) -> Answer:
    number = number_of(command, "pausar")
    done = await pause_number(ask, number)
    if not isinstance(done, Declined) and done.started_at is None:
        return said(ask, number, done, _("{code} en pausa, antes de empezar. Sigue con: reanudar {code}."))
    text = _("{code} en pausa: se terminan los alumnos que estaban en la mano. Sigue con: reanudar {code}.")
    return said(ask, number, done, text)


async def resume(ask: Ask, command: Command) -> Answer:
    number = number_of(command, "reanudar")
    return said(ask, number, await resume_number(ask, number), _("{code} sigue donde había quedado."))


async def release(ask: Ask, command: Command) -> Answer:
    number = number_of(command, "soltar")
    done = await release_number(ask, number, version=None)
    return said(ask, number, done, _("{code} ya no está retenida; ahora espera aprobación."))


async def split(ask: Ask, command: Command) -> Answer:
    number = number_of(command, "partir")
    done = await split_number(ask, number, version=None)
    rest = "" if isinstance(done, Declined) else batch_code(done.id)
    return said(ask, number, done, _("{code} quedó con los que entran; el resto espera en {rest}."), rest=rest)


async def retry(ask: Ask, command: Command) -> Answer:
    """Raises RequestError when the student is not known."""
    number = number_of(command, "reintentar")
    _code, document = split_code(command.argument)
    student = await _student(ask, document) if document else None
    done = await retry_number(ask, number, student=student)
    if not isinstance(done, Declined) and done.id != number:
        text = _("{code} estaba cancelada: lo que no se había empezado se pide de nuevo en {rest}.")
        return said(ask, number, done, text, rest=batch_code(done.id))
    if student is not None:
        return said(ask, number, done, _("{code}: se reintenta lo que falló de ese alumno."))
    return said(ask, number, done, _("{code}: se reintenta lo que falló."))


async def _student(ask: Ask, text: str) -> StudentId:
    document = parse_document_number(text)
    found = await students_db.by_document(ask.session, document) if document else []
    if not found:
        raise RequestError(_("No conozco a nadie con el documento «{text}».").format(text=text))
    return found[0].id


# The deeds, typed or pressed


async def approve_number(ask: Ask, number: int, *, version: int | None, confirm: str = "") -> Done:
    return await decide_batch.approve_batch(
        ask.session, number, actor=ask.actor, version=version, confirm=confirm, house=ask.house, now=ask.now
    )


async def reject_number(ask: Ask, number: int, *, reason: str) -> Done:
    return await decide_batch.reject_batch(
        ask.session, number, actor=ask.actor, reason=reason, house=ask.house, now=ask.now
    )


async def release_number(ask: Ask, number: int, *, version: int | None) -> Done:
    return await decide_batch.release_batch(
        ask.session, number, actor=ask.actor, version=version, house=ask.house, now=ask.now
    )


async def cancel_number(ask: Ask, number: int) -> Done:
    return await run_batch.cancel_batch(
        ask.session, number, actor=ask.actor, may_touch_others=_approves(ask), house=ask.house, now=ask.now
    )


async def pause_number(ask: Ask, number: int) -> Done:
    return await run_batch.pause_batch(
        ask.session, number, actor=ask.actor, may_touch_others=_approves(ask), house=ask.house, now=ask.now
    )


async def resume_number(ask: Ask, number: int) -> Done:
    return await run_batch.resume_batch(
        ask.session, number, actor=ask.actor, may_touch_others=_approves(ask), house=ask.house, now=ask.now
    )


async def split_number(ask: Ask, number: int, *, version: int | None) -> Done:
    return await split_batch(
        ask.session,
        number,
        actor=ask.actor,
        version=version,
        may_touch_others=_approves(ask),
        house=ask.house,
        now=ask.now,
    )


async def retry_number(ask: Ask, number: int, *, student: StudentId | None = None) -> Done:
    requester = Requester(ask.actor, ask.turn.person.teams_id)
    return await retry_batch(ask.session, number, requester=requester, student=student, house=ask.house, now=ask.now)


def _approves(ask: Ask) -> bool:
    return ask.role.allows(Role.APROBADOR)


def said(ask: Ask, number: int, done: Done, text: str, *, rest: str = "") -> Answer:
    if isinstance(done, Declined):
        return ask.text(done.text)
    return ask.text(text.format(code=batch_code(number), rest=rest))


def number_of(command: Command, word: str) -> int:
    """The batch meant. Raises RequestError when no code was given, or something else."""
    number, _rest = split_code(command.argument)
    if number is None and command.argument:
        text = _("«{text}» no es el código de un lote. Son así: L-0042. Con «lotes» ves los últimos.")
        raise RequestError(text.format(text=command.argument))
    if number is None:
        raise RequestError(_("¿Qué lote? Escribí, por ejemplo: {word} L-0042.").format(word=word))
    return number
