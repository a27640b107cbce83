"""Part a batch in two where seats or the day's letters run out in the middle: what fits, and the rest."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import approvals, audit, batch_students, batches
from lucy.db.tables import BatchRow
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.batches import BatchEvent, BatchState, Relation, batch_code
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.flows.ask_again import post_beside
from lucy.flows.decide_batch import Declined, decline, undecidable, unknown
from lucy.flows.forecast_batch import forecast_from
from lucy.flows.judge_plan import extents_of_batch, judge
from lucy.flows.redraw import redraw_batch
from lucy.flows.run_batch import not_yours
from lucy.texts import _

COPIED = (
    "kind",
    "options",
    "selection",
    "plan_hash",
    "requested_by",
    "requested_by_name",
    "requested_by_teams_id",
    "expires_at",
    "approvals_needed",
    "confirm",
    "released",
)


async def split_batch(
    session: AsyncSession,
    number: int,
    *,
    actor: Actor,
    version: int | None,
    may_touch_others: bool = False,
    house: House,
    now: datetime,
) -> BatchRow | Declined:
    """The students for whom it suffices stay; the rest becomes a batch of its own, to be decided when there is room.

    Nobody has begun: the plan of each student goes along as it was shown. Returns the rest.
    """
    batch = await batches.lock(session, number)
    refusal = await undecidable(session, batch, number, house=house, now=now)
    if batch is None or refusal is not None:
        return await decline(session, actor, "batch.split", batch, refusal or unknown(number), now=now)
    if text := not_yours(batch, actor, may_touch_others):
        return await decline(session, actor, "batch.split", batch, text, now=now)
    forecast = forecast_from(batch.forecast)
    text = ""
    if forecast is None or forecast.fits is None or not 0 < forecast.fits < batch.students:
        text = _("{code} no hace falta partirla: entra entera, o no entra nadie.").format(code=batch_code(number))
    elif version is not None and version != batch.version:
        text = _("La tarjeta de {code} era de antes. Mirá la de ahora.").format(code=batch_code(number))
    if text or forecast is None or forecast.fits is None:
        return await decline(session, actor, "batch.split", batch, text, now=now)
    rest = await _rest(session, batch, forecast.fits, now=now)
    trip = await judge(session, batch.kind, await extents_of_batch(session, batch.id), house=house, now=now)
    if batch.state is BatchState.HELD and not trip.any:  # it was held for want of room
        batches.change_state(batch, BatchEvent.RELEASE)
        batch.reason = ""
    event = AuditEvent(
        actor,
        "batch.split",
        "split",
        batch=batch.id,
        detail={"stay": batch.students, "rest": rest.students, "in": rest.id},
    )
    await audit.record(session, [event], now=now)
    await post_beside(session, batch.id, rest.id, now=now)
    for one in (batch, rest):
        await redraw_batch(session, one.id, now=now, nudges=[Nudge("forecast_batch", (one.id,))])
    return rest


async def _rest(session: AsyncSession, batch: BatchRow, fits: int, *, now: datetime) -> BatchRow:
    """Move the students after the first `fits` into a new batch that waits like the first."""
    rows = await batch_students.of_batch(session, batch.id)
    leaving = [row.student_id for row in rows[fits:]]
    values = {name: getattr(batch, name) for name in COPIED}
    values |= {
        "state": BatchState.DRAFT,
        "students": len(leaving),
        "requested_at": now,
        "parent_id": batch.id,
        "relation": Relation.SPLIT,
    }
    rest = await batches.add(session, values)
    await batch_students.move(session, batch.id, rest.id, leaving)
    batches.change_state(rest, BatchEvent.SUBMIT)
    batch.students = fits
    batch.forecast = {}
    batch.version += 1
    await approvals.forget(session, batch.id)
    return rest
