"""Approve, reject or cancel a batch: once, by somebody else, while what was shown still stands."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batches, steps
from lucy.db.tables import BatchRow
from lucy.domain.audit import LUCY, Actor, AuditEvent
from lucy.domain.batches import OPEN_STATES, BatchEvent, BatchState, batch_code
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.flows.record_outcomes import finish_if_done
from lucy.flows.redraw import redraw_batch
from lucy.texts import _, clock


@dataclass(frozen=True, slots=True)
class Declined:
    """The decision was not taken; `text` tells the person why. A value, so that its audit event is committed."""

    text: str


async def approve_batch(
    session: AsyncSession, number: int, *, actor: Actor, version: int | None, house: House, now: datetime
) -> BatchRow | Declined:
    """Let a waiting batch run. `version` is what the card showed (None: typed, so it means what stands now).

    Returns Declined with the text for the person: unknown, decided, expired, shown differently, or their own.
    """
    batch = await batches.lock(session, number)
    refusal = await _undecidable(session, batch, number, house=house, now=now)
    if batch is None or refusal is not None:
        return await _decline(session, actor, "batch.approve", batch, refusal or _unknown(number), now=now)
    code = batch_code(number)
    if batch.requested_by == actor.id:
        text = _("{code} la pediste vos; la tiene que aprobar otra persona.").format(code=code)
        return await _decline(session, actor, "batch.approve", batch, text, now=now)
    if version is not None and version != batch.version:
        text = _("La tarjeta de {code} era de antes. Mirá la de ahora y aprobá esa.").format(code=code)
        return await _decline(session, actor, "batch.approve", batch, text, now=now)
    batches.change_state(batch, BatchEvent.APPROVE)
    _decided(batch, actor, now)
    event = AuditEvent(actor, "batch.approve", "approved", batch=batch.id, detail={"plan": batch.plan_hash})
    await audit.record(session, [event], now=now)
    await redraw_batch(session, number, now=now, nudges=[Nudge("start_batch", (batch.id,))])
    return batch


async def reject_batch(
    session: AsyncSession, number: int, *, actor: Actor, reason: str, house: House, now: datetime
) -> BatchRow | Declined:
    """Turn a waiting batch down. A reason is asked for: the one who requested it has to know what to change."""
    batch = await batches.lock(session, number)
    refusal = await _undecidable(session, batch, number, house=house, now=now)
    if batch is None or refusal is not None:
        return await _decline(session, actor, "batch.reject", batch, refusal or _unknown(number), now=now)
    if not reason.strip():
        text = _("¿Por qué? Escribí el motivo: rechazar {code} <motivo>.").format(code=batch_code(number))
        return await _decline(session, actor, "batch.reject", batch, text, now=now)
    batches.change_state(batch, BatchEvent.REJECT)
    _decided(batch, actor, now)
    batch.reason = " ".join(reason.split())[:500]
    batch.finished_at = now
    await steps.cancel_open(session, batch.id, now=now)
    await audit.record(session, [AuditEvent(actor, "batch.reject", "rejected", batch=batch.id)], now=now)
    await redraw_batch(session, number, now=now)
    return batch


async def cancel_batch(
    session: AsyncSession, number: int, *, actor: Actor, may_cancel_others: bool, house: House, now: datetime
) -> BatchRow | Declined:
    """Stop a batch: what is in hand is finished, the rest is not begun."""
    batch = await batches.lock(session, number)
    if batch is None:
        return await _decline(session, actor, "batch.cancel", None, _unknown(number), now=now)
    if batch.state not in OPEN_STATES:
        return await _decline(session, actor, "batch.cancel", batch, _stands(batch, house), now=now)
    if batch.requested_by != actor.id and not may_cancel_others:
        text = _("{code} la pidió {name}: la cancela esa persona o quien aprueba.")
        text = text.format(code=batch_code(number), name=batch.requested_by_name)
        return await _decline(session, actor, "batch.cancel", batch, text, now=now)
    batches.change_state(batch, BatchEvent.CANCEL)
    batch.finished_at = now
    _decided(batch, actor, now)
    cancelled = await steps.cancel_open(session, batch.id, now=now)
    event = AuditEvent(actor, "batch.cancel", "cancelled", batch=batch.id, detail={"steps": cancelled})
    await audit.record(session, [event], now=now)
    await redraw_batch(session, number, now=now)
    return batch


async def start_batch(session: AsyncSession, number: int, *, now: datetime) -> bool:
    """Begin an approved batch; False when somebody did already."""
    batch = await batches.lock(session, number)
    if batch is None or batch.state is not BatchState.QUEUED:
        return False
    batches.change_state(batch, BatchEvent.START)
    batch.started_at = now
    await audit.record(session, [AuditEvent(LUCY, "batch.start", "running", batch=batch.id)], now=now)
    await finish_if_done(session, batch, now=now)
    await redraw_batch(session, number, now=now)
    return True


async def expire_batches(session: AsyncSession, *, now: datetime) -> list[int]:
    """Close the batches whose approval did not come in time: expiry counts as rejection."""
    found = list(await batches.expired(session, now=now))
    for number in found:
        batch = await batches.lock(session, number)
        if batch is not None and batch.expires_at < now and batch.state in _WAITING:
            await _expire(session, batch, now=now)
    return [int(number) for number in found]


_WAITING = {BatchState.AWAITING_APPROVAL, BatchState.HELD}


async def _expire(session: AsyncSession, batch: BatchRow, *, now: datetime) -> None:
    batches.change_state(batch, BatchEvent.EXPIRE)
    batch.finished_at = now
    await steps.cancel_open(session, batch.id, now=now)
    await audit.record(session, [AuditEvent(LUCY, "batch.expire", "expired", batch=batch.id)], now=now)
    await redraw_batch(session, batch.id, now=now)


def _decided(batch: BatchRow, actor: Actor, now: datetime) -> None:
    batch.decided_by, batch.decided_by_name, batch.decided_at = actor.id, actor.name, now


def _unknown(number: int) -> str:
    return _("No hay ningún lote {code}. Con «lotes» ves los últimos.").format(code=batch_code(number))


async def _undecidable(
    session: AsyncSession, batch: BatchRow | None, number: int, *, house: House, now: datetime
) -> str | None:
    """Why nobody can decide this batch any more; None when it waits for a decision."""
    if batch is None:
        return _unknown(number)
    if batch.state in _WAITING and batch.expires_at < now:
        await _expire(session, batch, now=now)
    if batch.state is BatchState.AWAITING_APPROVAL:
        return None
    return _stands(batch, house)


def _stands(batch: BatchRow, house: House) -> str:
    """How a decided batch stands, in a sentence."""
    code, who = batch_code(batch.id), batch.decided_by_name
    when = f" {clock(batch.decided_at, house.zone)}" if batch.decided_at else ""
    texts = {
        BatchState.REJECTED: _("{code} ya la rechazó {who}{when}."),
        BatchState.EXPIRED: _("{code} venció sin aprobación. Pedila de nuevo."),
        BatchState.CANCELLED: _("{code} está cancelada."),
        BatchState.NOTHING_DONE: _("{code} no tenía nada para hacer."),
    }
    text = texts.get(batch.state, _("{code} ya la aprobó {who}{when}."))
    return text.format(code=code, who=who, when=when)


async def _decline(
    session: AsyncSession, actor: Actor, action: str, batch: BatchRow | None, text: str, *, now: datetime
) -> Declined:
    """A person tried: keep that, change nothing."""
    event = AuditEvent(actor, action, "declined", batch=batch.id if batch else None)
    await audit.record(session, [event], now=now)
    return Declined(text)
