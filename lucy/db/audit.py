"""The audit trail: events are written with the change they tell of; seals chain them afterwards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import AuditEventRow, AuditSealRow
from lucy.domain.audit import GENESIS, AuditEvent, SealedEvent, seal

SEAL_AT_MOST = 5000


async def record(session: AsyncSession, events: Iterable[AuditEvent], *, now: datetime) -> None:
    """Write events into the caller's transaction; a change whose event cannot be written does not happen."""
    rows = [
        {
            "at": now,
            "actor_id": event.actor.id,
            "actor_name": event.actor.name,
            "action": event.action,
            "batch_id": event.batch,
            "student_id": event.student,
            "outcome": event.outcome,
            "detail": dict(event.detail),
        }
        for event in events
    ]
    if rows:
        await session.execute(insert(AuditEventRow), rows)


async def seal_next(session: AsyncSession, *, now: datetime) -> int:
    """Seal what is not sealed yet; returns how many events.

    Ids are drawn before their transaction commits, so a lower id may appear later. The lock waits until every writer
    under way has ended: whatever is visible then, up to the highest id, is all there will ever be.
    """
    await session.execute(text("set local lock_timeout = '2s'"))
    await session.execute(text("lock table audit_event in share row exclusive mode"))
    last = await session.scalar(select(func.coalesce(func.max(AuditSealRow.last_event), 0))) or 0
    head = await session.scalar(select(AuditSealRow.hash).order_by(AuditSealRow.id.desc()).limit(1)) or GENESIS
    statement = select(AuditEventRow).where(AuditEventRow.id > last).order_by(AuditEventRow.id).limit(SEAL_AT_MOST)
    events = await _events(session, statement)
    if not events:
        return 0
    row = {
        "first_event": events[0].id,
        "last_event": events[-1].id,
        "events": len(events),
        "previous_hash": head,
        "hash": seal(head, events),
        "sealed_at": now,
    }
    await session.execute(insert(AuditSealRow), [row])
    return len(events)


@dataclass(frozen=True, slots=True)
class ChainState:
    """What a verification found. `broken_at` is the first seal that does not agree with its events."""

    seals: int
    events: int
    head: str
    broken_at: int | None


async def verify(session: AsyncSession) -> ChainState:
    """Recompute the whole chain from the events."""
    previous, events_seen, seals = GENESIS, 0, 0
    rows = (await session.scalars(select(AuditSealRow).order_by(AuditSealRow.id))).all()
    for row in rows:
        statement = (
            select(AuditEventRow)
            .where(AuditEventRow.id.between(row.first_event, row.last_event))
            .order_by(AuditEventRow.id)
        )
        events = await _events(session, statement)
        computed = seal(previous, events)
        if row.previous_hash != previous or row.hash != computed or row.events != len(events):
            return ChainState(seals, events_seen, previous, row.id)
        previous, events_seen, seals = computed, events_seen + len(events), seals + 1
    return ChainState(seals, events_seen, previous if seals else "", None)


async def head(session: AsyncSession) -> tuple[str, int]:
    """The hash of the newest seal and the number of sealed events."""
    newest = await session.scalar(select(AuditSealRow.hash).order_by(AuditSealRow.id.desc()).limit(1))
    return newest or "", int(await session.scalar(select(func.coalesce(func.sum(AuditSealRow.events), 0))) or 0)


async def latest(
    session: AsyncSession, *, limit: int, batch: int | None = None, student: int | None = None
) -> Sequence[AuditEventRow]:
    """The newest events, of one batch or one student where given."""
    statement = select(AuditEventRow).order_by(AuditEventRow.id.desc()).limit(limit)
    if batch is not None:
        statement = statement.where(AuditEventRow.batch_id == batch)
    if student is not None:
        statement = statement.where(AuditEventRow.student_id == student)
    return (await session.scalars(statement)).all()


async def count(session: AsyncSession) -> int:
    return int(await session.scalar(select(func.count()).select_from(AuditEventRow)) or 0)


async def _events(session: AsyncSession, statement: Select[AuditEventRow]) -> list[SealedEvent]:
    return [
        SealedEvent(
            id=row.id,
            at=row.at,
            actor_id=row.actor_id,
            actor_name=row.actor_name,
            action=row.action,
            batch=row.batch_id,
            student=row.student_id,
            outcome=row.outcome,
            detail=row.detail,
        )
        for row in (await session.scalars(statement)).all()
    ]
