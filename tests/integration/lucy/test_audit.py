"""The audit trail in the database: chained, found out when changed, in order whoever writes at the same time."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit
from lucy.db.engine import Database
from lucy.db.tables import AuditEventRow, AuditSealRow
from lucy.domain.audit import GENESIS, LUCY, Actor, AuditEvent, SealedEvent
from lucy.domain.audit import seal as link

ANA = Actor("00000000-0000-0000-0000-000000000001", "Ana Operadora")


async def write(db: Database, many: int = 1, *, action: str = "test") -> None:
    async with db.transaction() as session:
        events = [AuditEvent(ANA, action, "done", batch=7, detail={"n": number, "ñ": "á"}) for number in range(many)]
        await audit.record(session, events, now=datetime.now(UTC))


async def seal(db: Database) -> int:
    async with db.transaction() as session:
        return await audit.seal_next(session, now=datetime.now(UTC))


async def verify(db: Database) -> audit.ChainState:
    async with db.transaction() as session:
        return await audit.verify(session)


@asynccontextmanager
async def forger(db: Database) -> AsyncIterator[None]:
    """Somebody with the database's own keys: the triggers are off."""

    async def switch(word: str) -> None:
        async with db.transaction() as session:
            for table in ("audit_event", "audit_seal"):
                await session.execute(text(f"alter table {table} {word} trigger all"))

    await switch("disable")
    yield
    await switch("enable")


async def test_a_chain_of_several_seals_verifies(db: Database) -> None:
    assert await verify(db) == audit.ChainState(0, 0, "", None)
    for many in (3, 1, 5):
        await write(db, many)
        assert await seal(db) == many
    assert await seal(db) == 0
    state = await verify(db)
    assert (state.seals, state.events, state.broken_at) == (3, 9, None)
    async with db.transaction() as session:
        assert await audit.head(session) == (state.head, 9)
        seals = (await session.scalars(select(AuditSealRow).order_by(AuditSealRow.id))).all()
    assert seals[0].previous_hash == GENESIS
    assert [one.previous_hash for one in seals[1:]] == [one.hash for one in seals[:-1]]


@pytest.mark.parametrize(
    "forgery",
    [
        "update audit_event set outcome = 'failed' where id = 4",
        "update audit_event set actor_name = 'Otra Persona' where id = 4",
        "update audit_event set actor_id = 'x' where id = 4",
        "update audit_event set at = at + interval '1 microsecond' where id = 4",
        "update audit_event set batch_id = null where id = 4",
        "update audit_event set student_id = 1 where id = 4",
        "update audit_event set detail = '{}' where id = 4",
        "delete from audit_event where id = 4",
        "delete from audit_event where id = 5",
        "insert into audit_event (id, at, actor_id, actor_name, action, outcome) overriding system value"
        " values (0, now(), 'x', 'x', 'x', 'x'); update audit_seal set first_event = 0 where id = 1",
        "update audit_event set id = case id when 4 then 1004 when 5 then 4 else id end where id in (4, 5)",
    ],
)
async def test_a_changed_past_is_found(db: Database, forgery: str) -> None:
    for _ in range(3):
        await write(db, 3)
        await seal(db)
    assert (await verify(db)).broken_at is None
    async with forger(db), db.transaction() as session:
        for statement in forgery.split("; "):
            await session.execute(text(statement))
    state = await verify(db)
    assert state.broken_at is not None
    async with db.transaction() as session:
        assert await audit.head(session) != (state.head, state.events)


async def test_a_seal_computed_anew_breaks_the_next_one(db: Database) -> None:
    """A forger who also mends the link itself is betrayed by the one after it, or by the head that was posted."""
    for _ in range(3):
        await write(db, 2)
        await seal(db)
    posted = (await verify(db)).head
    async with forger(db), db.transaction() as session:
        await session.execute(text("update audit_event set outcome = 'failed' where id = 3"))
        second = await session.get(AuditSealRow, 2)
        assert second is not None
        second.hash = link(second.previous_hash, [await _as_sealed(session, number) for number in (3, 4)])
    state = await verify(db)
    assert state.broken_at == 3
    assert state.head != posted


async def _as_sealed(session: AsyncSession, number: int) -> SealedEvent:
    row = await session.get(AuditEventRow, number)
    assert row is not None
    return SealedEvent(
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


async def test_events_that_are_not_sealed_yet_do_not_break_the_chain(db: Database) -> None:
    await write(db, 2)
    await seal(db)
    await write(db, 2)
    state = await verify(db)
    assert (state.events, state.broken_at) == (2, None)
    async with db.transaction() as session:
        assert await audit.count(session) == 4


async def test_sealing_waits_for_a_busy_writer_and_misses_nothing(db: Database) -> None:
    """A lower id that is committed later would otherwise fall between two seals."""
    async with db.transaction() as slow:
        await audit.record(slow, [AuditEvent(LUCY, "slow", "done")], now=datetime.now(UTC))
        await write(db, action="quick")
        sealing = asyncio.ensure_future(seal(db))
        await asyncio.sleep(0.15)
        assert not sealing.done()
    assert await sealing == 2
    assert (await verify(db)).events == 2


async def test_sealing_gives_way_to_a_writer_that_takes_long(db: Database) -> None:
    """It must not keep everybody waiting behind it; the next tick tries again."""
    async with db.transaction() as slow:
        await audit.record(slow, [AuditEvent(LUCY, "slow", "done")], now=datetime.now(UTC))
        async with db.transaction() as impatient:
            await impatient.execute(text("select 1"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            await seal(db)
    assert await seal(db) == 1


async def test_writers_and_sealers_at_once_leave_one_whole_chain(db: Database) -> None:
    writing = True

    async def writer(number: int) -> None:
        chance = random.Random(number)
        for _ in range(20):
            async with db.transaction() as session:
                for _event in range(chance.randint(1, 3)):
                    await audit.record(session, [AuditEvent(LUCY, "busy", str(number))], now=datetime.now(UTC))
                    await asyncio.sleep(chance.random() * 0.004)

    async def sealer() -> None:
        while writing:
            await seal(db)
            await asyncio.sleep(0.01)

    sealers = [asyncio.ensure_future(sealer()) for _ in range(2)]
    await asyncio.gather(*(writer(number) for number in range(5)))
    writing = False
    await asyncio.gather(*sealers)
    await seal(db)
    state = await verify(db)
    async with db.transaction() as session:
        total = await audit.count(session)
        seals = (await session.scalars(select(AuditSealRow).order_by(AuditSealRow.id))).all()
        of_one = (
            await session.scalars(
                select(AuditEventRow.outcome).where(AuditEventRow.action == "busy").order_by(AuditEventRow.id)
            )
        ).all()
        stored = await session.scalar(select(func.sum(AuditSealRow.events)))
    assert (state.broken_at, state.events) == (None, total)
    assert stored == total
    assert len(seals) > 3
    assert all(one.last_event < two.first_event for one, two in pairwise(seals))
    assert set(of_one) == {str(number) for number in range(5)}


async def test_what_happens_and_its_event_stand_or_fall_together(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as session:
            await audit.record(session, [AuditEvent(LUCY, "test", "done")], now=datetime.now(UTC))
            raise ZeroDivisionError
    async with db.transaction() as session:
        assert await audit.count(session) == 0
