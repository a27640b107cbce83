"""A batch as one reader sees it, read from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import approvals, batch_students, batches, steps
from lucy.db.tables import BatchRow
from lucy.domain.batches import WAITING_STATES, BatchState, Relation, batch_code
from lucy.domain.house import House
from lucy.domain.operations import options_from
from lucy.domain.roles import Role
from lucy.domain.students import mask_document_numbers
from lucy.domain.views import BatchAction, BatchView, Forecast, Impossible, Tally
from lucy.flows.batch_facts import (
    changes_of,
    children_of,
    given_approvals,
    maybe_twice,
    parent_of,
    possible_approvers,
    problems_of,
)
from lucy.flows.find_obstacles import obstacles
from lucy.flows.forecast_batch import forecast_from
from lucy.flows.view_rows import sample_rows
from lucy.log import mask_text

PACE_WINDOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the card. Without one (the channel) the card shows what some of its readers may press."""

    id: str
    role: Role


async def view_batch(
    session: AsyncSession, number: int, *, reader: Reader | None, house: House, now: datetime
) -> BatchView | None:
    """None when there is no such batch."""
    batch = await batches.get(session, number)
    if batch is None:
        return None
    tallies = await steps.tallies(session, batch.id)
    per_minute, eta_s = await _pace(session, batch, tallies, now)
    waiting = batch.state in WAITING_STATES
    forecast = forecast_from(batch.forecast) if waiting else None
    changes, dropped = await changes_of(session, batch)
    actions = _actions(batch, tallies, forecast, reader)
    if reader is not None and await approvals.has_approved(session, batch.id, reader.id):
        actions -= {BatchAction.APPROVE}  # each person counts once
    if await batches.standing_child(session, batch.id, Relation.UNDO) is not None:
        actions -= {BatchAction.UNDO}
    return BatchView(
        number=batch.id,
        code=batch_code(batch.id),
        kind=batch.kind,
        options=options_from(batch.options),
        state=batch.state,
        version=batch.version,
        selection=mask_document_numbers(batch.selection),
        students=batch.students,
        tallies=tallies,
        requested_by=batch.requested_by_name,
        requested_at=batch.requested_at,
        decided_by=batch.decided_by_name,
        decided_at=batch.decided_at,
        reason=mask_text(batch.reason),
        expires_at=batch.expires_at if waiting else None,
        started_at=batch.started_at,
        finished_at=batch.finished_at,
        approvers=tuple(name for name, _id in await possible_approvers(session, batch, house)),
        requester_teams_id=batch.requested_by_teams_id if waiting else "",
        impossible=_reasons(batch.impossible),
        problems=await problems_of(session, batch.id),
        forecast=forecast,
        per_minute=per_minute,
        eta_s=eta_s,
        notes=tuple(_note(one, house) for one in batch.notes),
        actions=actions,
        approvals=await given_approvals(session, batch.id),
        approvals_needed=batch.approvals_needed,
        confirm=batch.confirm,
        sample=await sample_rows(session, batch.id) if waiting else (),
        parent=parent_of(batch),
        children=await children_of(session, batch.id),
        changes=changes,
        dropped=dropped,
        irreversible=_reasons(batch.irreversible),
        warnings=_reasons(batch.warnings),
        obstacles=await obstacles(session, batch.id, now) if batch.finished_at is None else (),
        waits_for=await _waits_for(session, batch),
        maybe_twice=await maybe_twice(session, batch),
    )


def _reasons(values: Sequence[dict[str, Any]]) -> tuple[Impossible, ...]:
    return tuple(Impossible(one["reason"], one["count"], tuple(one["sample"])) for one in values)


async def _waits_for(session: AsyncSession, batch: BatchRow) -> tuple[tuple[str, int], ...]:
    """Batches that have students of this one in hand."""
    if batch.finished_at is not None:
        return ()
    return tuple((batch_code(one), count) for one, count in await batch_students.waits_for(session, batch.id))


def _note(value: dict[str, str], house: House) -> str:
    return f"{value['text']} ({datetime.fromisoformat(value['at']).astimezone(house.zone):%H:%M:%S})"


def _actions(
    batch: BatchRow, tallies: Sequence[Tally], forecast: Forecast | None, reader: Reader | None
) -> frozenset[BatchAction]:
    """What this reader may press; the bot checks again when it is pressed."""
    own = reader is not None and reader.id == batch.requested_by
    approves = reader is None or (reader.role.allows(Role.APROBADOR) and not own)
    operates = reader is None or reader.role.allows(Role.OPERADOR)
    found = {BatchAction.ROWS}
    if approves:
        found |= _decisions(batch, forecast)
    if operates and (reader is None or own or approves):
        found |= _moves(batch, forecast)
    if operates and batch.finished_at is not None and batch.state in _ENDED:
        found.add(BatchAction.DOWNLOAD)
        if any(tally.failed or tally.conflicts for tally in tallies):
            found.add(BatchAction.RETRY)
        if any(tally.done for tally in tallies):
            found.add(BatchAction.UNDO)
    return frozenset(found)


_ENDED = frozenset({BatchState.FINISHED, BatchState.FINISHED_WITH_FAILURES})


def _decisions(batch: BatchRow, forecast: Forecast | None) -> set[BatchAction]:
    """What a second person decides. A batch for which there is no room is parted, not approved."""
    if batch.state is BatchState.HELD:
        return {BatchAction.RELEASE, BatchAction.REJECT}
    if batch.state is not BatchState.AWAITING_APPROVAL:
        return set()
    no_room = forecast is not None and forecast.fits is not None
    return {BatchAction.REJECT} if no_room else {BatchAction.APPROVE, BatchAction.REJECT}


def _moves(batch: BatchRow, forecast: Forecast | None) -> set[BatchAction]:
    """What its requester, or whoever may approve, does with it."""
    found: set[BatchAction] = set()
    if batch.state in {*WAITING_STATES, BatchState.QUEUED, BatchState.RUNNING, BatchState.PAUSED}:
        found.add(BatchAction.CANCEL)
    if batch.state in {BatchState.QUEUED, BatchState.RUNNING}:
        found.add(BatchAction.PAUSE)
    if batch.state is BatchState.PAUSED:
        found.add(BatchAction.RESUME)
    if batch.state in WAITING_STATES:
        found.add(BatchAction.DOWNLOAD)
        if forecast is not None and forecast.fits:
            found.add(BatchAction.SPLIT)
    return found


async def _pace(
    session: AsyncSession, batch: BatchRow, tallies: Sequence[Tally], now: datetime
) -> tuple[float | None, float | None]:
    """Students a minute and seconds left, by the last minute; None when it cannot be told yet."""
    if batch.state is not BatchState.RUNNING or batch.started_at is None:
        return None, None
    window = min(PACE_WINDOW, now - batch.started_at)
    if window < timedelta(seconds=3):
        return None, None
    closed = await batches.pace(session, batch.id, since=now - window)
    left = sum(tally.left for tally in tallies)
    total = sum(tally.to_do for tally in tallies)
    if not closed or not total:
        return None, None
    steps_per_s = closed / window.total_seconds()
    return steps_per_s * 60 * batch.students / total, left / steps_per_s
