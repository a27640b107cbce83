"""Approve, reject or release a waiting batch: once each, by somebody else, while what was shown still stands."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import approvals, audit, batches, steps
from lucy.db.tables import BatchRow
from lucy.domain.audit import LUCY, Actor, AuditEvent
from lucy.domain.batches import WAITING_STATES, BatchEvent, BatchState, batch_code
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.flows.forecast_batch import forecast_from
from lucy.flows.judge_plan import extents_of_batch
from lucy.flows.redraw import redraw_batch, redraw_decided, redraw_parent
from lucy.texts import _, clock, day, number


@dataclass(frozen=True, slots=True)
class Declined:
    """The decision was not taken; `text` tells the person why. A value, so that its audit event is committed."""

    text: str


async def approve_batch(
    session: AsyncSession,
    number_: int,
    *,
    actor: Actor,
    version: int | None,
    house: House,
    now: datetime,
    confirm: str = "",
) -> BatchRow | Declined:
    """One person's yes; with as many as the batch needs it may run.

    `version` is what the card showed (None: typed, so it means what stands now). `confirm` is the number of students as
    typed, where what is done cannot be undone. Returns Declined with the text for the person: unknown, decided,
    expired, shown differently, their own, said before, not confirmed, or more than there is room for.
    """
    batch = await batches.lock(session, number_)
    refusal = await undecidable(session, batch, number_, house=house, now=now)
    if batch is None or refusal is not None:
        return await decline(session, actor, "batch.approve", batch, refusal or unknown(number_), now=now)
    refusal = await _may_not_approve(session, batch, actor, version=version, confirm=confirm)
    if refusal is not None:
        return await decline(session, actor, "batch.approve", batch, refusal, now=now)
    given = await approvals.add(session, batch.id, actor, plan_hash=batch.plan_hash, now=now)
    detail: dict[str, object] = {"plan": batch.plan_hash, "approval": given, "needed": batch.approvals_needed}
    if given < batch.approvals_needed:
        event = AuditEvent(actor, "batch.approve", "counted", batch=batch.id, detail=detail)
        await audit.record(session, [event], now=now)
        await redraw_batch(session, number_, now=now)
        return batch
    batches.change_state(batch, BatchEvent.APPROVE)
    decided(batch, actor, now)
    await audit.record(
        session, [AuditEvent(actor, "batch.approve", "approved", batch=batch.id, detail=detail)], now=now
    )
    await redraw_decided(session, number_, now=now, nudges=[Nudge("start_batch", (batch.id,))])
    return batch


async def _may_not_approve(
    session: AsyncSession, batch: BatchRow, actor: Actor, *, version: int | None, confirm: str
) -> str | None:
    """Why this person's yes does not count; None when it does."""
    code = batch_code(batch.id)
    if batch.state is BatchState.HELD:
        return _("{code} está retenida: {why} Primero hay que soltarla: soltar {code}.").format(
            code=code, why=batch.reason
        )
    if batch.requested_by == actor.id:
        return _("{code} la pediste vos; la tiene que aprobar otra persona.").format(code=code)
    if version is not None and version != batch.version:
        return _("La tarjeta de {code} era de antes. Mirá la de ahora y aprobá esa.").format(code=code)
    if await approvals.has_approved(session, batch.id, actor.id):
        return _("{code} ya la aprobaste; falta que la apruebe otra persona.").format(code=code)
    expected = forecast_from(batch.forecast)
    if expected is not None and expected.fits == 0:
        return _("Para {code} no queda lugar: faltan licencias, o cartas del día.").format(code=code)
    if expected is not None and expected.fits is not None:
        text = _("{code} no entra entera: alcanza para {fits} de {all}. Se puede partir: partir {code}.")
        return text.format(code=code, fits=number(expected.fits), all=number(batch.students))
    return _not_confirmed(batch, confirm) if batch.confirm else None


def _not_confirmed(batch: BatchRow, confirm: str) -> str | None:
    """Why the count that was typed does not confirm it. The right one is not told: it is to be read on the card."""
    typed, code = confirm.replace(".", "").strip(), batch_code(batch.id)
    if typed == str(batch.students):
        return None
    if typed:
        text = _("{typed} no es la cantidad de alumnos de {code}: no se aprobó. Mirá la tarjeta y escribila de nuevo.")
        return text.format(typed=confirm.strip(), code=code)
    text = _(
        "Lo que hace {code} no se puede deshacer. Para aprobarla escribí cuántos alumnos son: "
        "aprobar {code} <cantidad>."
    )
    return text.format(code=code)


async def reject_batch(
    session: AsyncSession, number_: int, *, actor: Actor, reason: str, house: House, now: datetime
) -> BatchRow | Declined:
    """Turn a waiting batch down. A reason is asked for: the one who requested it has to know what to change."""
    batch = await batches.lock(session, number_)
    refusal = await undecidable(session, batch, number_, house=house, now=now)
    if batch is None or refusal is not None:
        return await decline(session, actor, "batch.reject", batch, refusal or unknown(number_), now=now)
    if not reason.strip():
        text = _("¿Por qué? Escribí el motivo: rechazar {code} <motivo>.").format(code=batch_code(number_))
        return await decline(session, actor, "batch.reject", batch, text, now=now)
    batches.change_state(batch, BatchEvent.REJECT)
    decided(batch, actor, now)
    batch.reason = " ".join(reason.split())[:500]
    batch.finished_at = now
    await steps.cancel_open(session, batch.id, now=now)
    await audit.record(session, [AuditEvent(actor, "batch.reject", "rejected", batch=batch.id)], now=now)
    await redraw_decided(session, number_, now=now)
    await redraw_parent(session, batch.parent_id, now=now)
    return batch


async def release_batch(
    session: AsyncSession, number_: int, *, actor: Actor, version: int | None, house: House, now: datetime
) -> BatchRow | Declined:
    """Let a held batch be decided after all, having seen its numbers: a ceiling, worse ones hold it again.

    It still needs its approvals; whoever asked for it cannot release it.
    """
    batch = await batches.lock(session, number_)
    refusal = await undecidable(session, batch, number_, house=house, now=now)
    if batch is None or refusal is not None:
        return await decline(session, actor, "batch.release", batch, refusal or unknown(number_), now=now)
    code = batch_code(number_)
    text = ""
    if batch.state is not BatchState.HELD:
        text = _("{code} no está retenida.").format(code=code)
    elif batch.requested_by == actor.id:
        text = _("{code} la pediste vos; la tiene que soltar otra persona.").format(code=code)
    elif version is not None and version != batch.version:
        text = _("La tarjeta de {code} era de antes. Mirá la de ahora.").format(code=code)
    if text:
        return await decline(session, actor, "batch.release", batch, text, now=now)
    extents = await extents_of_batch(session, batch.id)
    batch.released, was_held_for, batch.reason = extents.stored(), batch.reason, ""
    batches.change_state(batch, BatchEvent.RELEASE)
    await approvals.forget(session, batch.id)
    event = AuditEvent(actor, "batch.release", "released", batch=batch.id, detail={"held": was_held_for})
    await audit.record(session, [event], now=now)
    await redraw_batch(session, number_, now=now, nudges=[Nudge("forecast_batch", (batch.id,))])
    return batch


async def expire_batches(session: AsyncSession, *, now: datetime) -> list[int]:
    """Close the batches whose approval did not come in time: expiry counts as rejection."""
    found = list(await batches.expired(session, now=now))
    for number_ in found:
        batch = await batches.lock(session, number_)
        if batch is not None and batch.expires_at < now and batch.state in WAITING_STATES:
            await _expire(session, batch, now=now)
    return [int(one) for one in found]


async def _expire(session: AsyncSession, batch: BatchRow, *, now: datetime) -> None:
    batches.change_state(batch, BatchEvent.EXPIRE)
    batch.finished_at = now
    await steps.cancel_open(session, batch.id, now=now)
    await audit.record(session, [AuditEvent(LUCY, "batch.expire", "expired", batch=batch.id)], now=now)
    await redraw_decided(session, batch.id, now=now)
    await redraw_parent(session, batch.parent_id, now=now)


def decided(batch: BatchRow, actor: Actor, now: datetime) -> None:
    batch.decided_by, batch.decided_by_name, batch.decided_at = actor.id, actor.name, now


def unknown(number_: int) -> str:
    return _("No hay ningún lote {code}. Con «lotes» ves los últimos.").format(code=batch_code(number_))


async def undecidable(
    session: AsyncSession, batch: BatchRow | None, number_: int, *, house: House, now: datetime
) -> str | None:
    """Why nobody can decide this batch any more; None when it waits for a decision."""
    if batch is None:
        return unknown(number_)
    if batch.state in WAITING_STATES and batch.expires_at < now:
        await _expire(session, batch, now=now)
    if batch.state in WAITING_STATES:
        return None
    return stands(batch, house)


def stands(batch: BatchRow, house: House) -> str:
    """How a decided batch stands, in a sentence."""
    code, who = batch_code(batch.id), batch.decided_by_name
    when = ""
    if batch.decided_at is not None:
        when = _(" el {day} a las {time}").format(
            day=day(batch.decided_at, house.zone), time=clock(batch.decided_at, house.zone)
        )
    texts = {
        BatchState.REJECTED: _("{code} ya la rechazó {who}{when}."),
        BatchState.EXPIRED: _("{code} venció sin aprobación. Pedila de nuevo."),
        BatchState.CANCELLED: _("{code} está cancelada."),
        BatchState.NOTHING_DONE: _("{code} no tenía nada para hacer."),
    }
    undecided = _("{code} no necesitaba aprobación.") if not who else _("{code} ya la aprobó {who}{when}.")
    return texts.get(batch.state, undecided).format(code=code, who=who, when=when)


async def decline(
    session: AsyncSession, actor: Actor, action: str, batch: BatchRow | None, text: str, *, now: datetime
) -> Declined:
    """A person tried: keep that, change nothing."""
    event = AuditEvent(actor, action, "declined", batch=batch.id if batch else None)
    await audit.record(session, [event], now=now)
    return Declined(text)
