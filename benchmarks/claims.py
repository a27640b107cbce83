"""What one claim costs, with nothing behind it and with a million finished steps, on an embedded PostgreSQL.

Each claim is rolled back, so that every round finds the same. Prints the medians in milliseconds, their ratio, and the
shared buffers that the query of the claim touched. The target: with a million a claim costs what it costs with none.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.sheet import HOUSE
from lucy.db import claims, steps
from lucy.db.engine import Database
from lucy.domain.operations import StepKind
from lucy.flows.forecast_batch import letters_since_midnight
from migrations.runner import migrate
from sandbox.servers import PostgresServer

STUDENTS, FINISHED_BATCHES, KINDS_EACH = 20_000, 10, 5
LARGE = 5_000
ROUNDS, WARM_UP = 60, 10
IN_HAND = HOUSE.in_hand

_STUDENTS = """
    insert into student (document_type, document_number, first_name, last_name, personal_email, stage, first_seen_at,
                         last_seen_at, changed_at)
    select 'DNI', (40000000 + n)::text, 'Ana', 'Etchegaray ' || n, '', 'aspirante', now(), now(), now()
    from generate_series(1, :many) n
"""
_BATCH = """
    insert into batch (kind, options, selection, state, plan_hash, students, requested_by, requested_by_name,
                       requested_at, expires_at, started_at, finished_at)
    values ('activate', '{}', 'aspirantes', cast(:state as text), '', :many, 'ana', 'Ana', now(), now(), now(),
            case when cast(:state as text) = 'finished' then now() end) returning id
"""
_MEMBERS = """
    insert into batch_student (batch_id, student_id, position, basis_hash)
    select :batch, id, id, '' from student order by id limit :many
"""
# Finished over the last year, one in fifty of them today.
_FINISHED = """
    insert into step (batch_id, student_id, kind, position, state, attempts, first_claimed_at, closed_at)
    select :batch, student.id, kind, place, 'done', 1, now(),
           case when student.id % 50 = 0 then now() else now() - (1 + student.id % 365) * interval '1 day' end
    from student, unnest(array['account', 'licence', 'credentials_mail', 'moodle_user', 'enrolment'])
         with ordinality as lane (kind, place)
"""
_DUE = """
    insert into step (batch_id, student_id, kind, position, state, due_at)
    select :batch, id, kind, id * 10 + place, case when place = 1 then 'due' else 'waiting' end,
           case when place = 1 then cast(:due_at as timestamptz) end
    from (select id from student order by id limit :many) s,
         unnest(array['account', 'licence', 'credentials_mail']) with ordinality as lane (kind, place)
"""
# The first students of a batch have their account and wait for their licence.
_BEGUN = """
    with held as (
        insert into student_hold (student_id, batch_id, since)
        select student_id, batch_id, now() from step where batch_id = :batch and kind = 'account'
        order by position limit :many returning student_id, batch_id
    ), made as (
        update step set state = 'done', due_at = null, closed_at = now()
        from held where step.batch_id = held.batch_id and step.student_id = held.student_id and step.kind = 'account'
    )
    update step set state = 'due', due_at = now()
    from held where step.batch_id = held.batch_id and step.student_id = held.student_id and step.kind = 'licence'
"""
_CLEAR = ("delete from student_hold", "delete from step where batch_id = any(:batches)")
_CLOSE = "update batch set state = 'finished', finished_at = now() where id = any(:batches)"


@dataclass(frozen=True, slots=True)
class Case:
    """One claim: what is due, and how many steps it takes."""

    name: str
    kind: StepKind
    takes: int
    sizes: tuple[int, ...]  # batches with so many students due
    begun: int = 0  # of the first batch
    parked: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    ms: float
    buffers: int


CASES = (
    Case("20 due, one batch", StepKind.ACCOUNT, 20, (20,)),
    Case("5,000 due, none begun", StepKind.ACCOUNT, 20, (LARGE,)),
    Case("5,000 paused", StepKind.ACCOUNT, 0, (LARGE,), parked=True),
    Case("5,000, 300 in hand, next step", StepKind.LICENCE, 20, (LARGE,), begun=IN_HAND),
    Case("5,000, 300 in hand, nobody new", StepKind.ACCOUNT, 0, (LARGE,), begun=IN_HAND),
    Case("5,000, 200 in hand, 20 new", StepKind.ACCOUNT, 20, (LARGE,), begun=200),
    Case("the same, and a reset beside", StepKind.ACCOUNT, 1, (LARGE, 1), begun=IN_HAND),
)


async def prepare(db: Database, case: Case) -> list[int]:
    """The batches of a case; every one takes the first students, but for the last which has others."""
    parked = datetime(9999, 1, 1, tzinfo=UTC)
    made: list[int] = []
    async with db.transaction() as session:
        for many in case.sizes:
            values = {"many": many, "state": "paused" if case.parked else "running"}
            batch = int(await session.scalar(text(_BATCH), values) or 0)
            await session.execute(text(_MEMBERS), {"batch": batch, "many": many})
            due_at = parked if case.parked else datetime.now(UTC)
            await session.execute(text(_DUE), {"batch": batch, "many": many, "due_at": due_at})
            made.append(batch)
        if len(case.sizes) > 1:  # the single one is a student whom nobody has in hand
            last = text("update step set student_id = (select max(id) from student) where batch_id = :batch")
            await session.execute(last, {"batch": made[-1]})
        if case.begun:
            await session.execute(text(_BEGUN), {"batch": made[0], "many": case.begun})
    return made


async def clear(db: Database, made: list[int]) -> None:
    async with db.transaction() as session:
        for statement in _CLEAR:
            await session.execute(text(statement), {"batches": made} if ":batches" in statement else {})
        await session.execute(text(_CLOSE), {"batches": made})


async def settle(db: Database) -> None:
    """As autovacuum leaves the tables."""
    async with db.engine.connect() as connection:
        loose = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in ("step", "batch", "batch_student", "student_hold", "student"):
            await loose.execute(text(f"vacuum analyze {table}"))


async def timed(db: Database, work: Callable[[AsyncSession], Awaitable[object]]) -> tuple[float, object]:
    """The median of many rounds on one connection, each rolled back, and what the last one gave."""
    took: list[float] = []
    found: object = None
    async with db.engine.connect() as connection:
        session = AsyncSession(bind=connection, expire_on_commit=False)
        for _round in range(WARM_UP + ROUNDS):
            await session.execute(text("select 1"))
            started = time.perf_counter()
            found = await work(session)
            took.append((time.perf_counter() - started) * 1000)
            await session.rollback()
        await session.close()
    return statistics.median(took[WARM_UP:]), found


async def buffers(db: Database, case: Case) -> int:
    """What the query of the claim reads, in pages of 8 KB."""
    values = claims.claim_values(case.kind, size=20, now=datetime.now(UTC), in_hand=IN_HAND)
    async with db.engine.connect() as connection:
        plan = await connection.scalar(
            text("explain (analyze, buffers, format json) " + claims.CANDIDATES.text), values
        )
        await connection.rollback()
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


async def cost(db: Database, case: Case) -> Cost:
    made = await prepare(db, case)
    await settle(db)

    async def one(session: AsyncSession) -> object:
        now = datetime.now(UTC)
        return await claims.claim(session, case.kind, size=20, now=now, lease_s=60, in_hand=IN_HAND)

    took, found = await timed(db, one)
    assert isinstance(found, list) and len(found) == case.takes, f"{case.name}: {found}"
    pages = await buffers(db, case)
    await clear(db, made)
    return Cost(took, pages)


async def small_costs(db: Database) -> dict[str, float]:
    """What is asked beside the claim: the day's letters by each mail claim, the lanes with work by the sweeper."""
    made = await prepare(db, replace(CASES[1]))
    await settle(db)
    now = datetime.now(UTC)
    letters, _sent = await timed(db, lambda session: letters_since_midnight(session, house=HOUSE, now=now))
    lanes, _due = await timed(db, lambda session: steps.lanes_with_due_work(session, now=now))
    await clear(db, made)
    return {"letters since midnight": letters, "lanes with due work (sweeper)": lanes}


async def grow(db: Database) -> int:
    """Finish a million steps; returns how many there are."""
    for _batch in range(FINISHED_BATCHES):
        async with db.transaction() as session:
            batch = int(await session.scalar(text(_BATCH), {"many": STUDENTS, "state": "finished"}) or 0)
            await session.execute(text(_MEMBERS), {"batch": batch, "many": STUDENTS})
            await session.execute(text(_FINISHED), {"batch": batch})
    async with db.transaction() as session:
        return int(await session.scalar(text("select count(*) from step")) or 0)


async def run(url: str) -> None:
    db = Database(url)
    await migrate(db.engine)
    async with db.transaction() as session:
        await session.execute(text(_STUDENTS), {"many": STUDENTS})
    empty = {case.name: await cost(db, case) for case in CASES}
    empty_small = await small_costs(db)
    started = time.perf_counter()
    many = await grow(db)
    print(f"{many:,} finished steps, made in {time.perf_counter() - started:.0f} s")
    print(f"{'a claim of up to 20':34} {'none: ms':>9} {'pages':>6} {'million: ms':>12} {'pages':>6} {'ratio':>6}")
    for case in CASES:
        before, after = empty[case.name], await cost(db, case)
        ratio = after.ms / before.ms
        print(f"{case.name:34} {before.ms:9.2f} {before.buffers:6} {after.ms:12.2f} {after.buffers:6} {ratio:6.2f}")
    for name, after_ms in (await small_costs(db)).items():
        print(f"{name:34} {empty_small[name]:9.2f} {'':6} {after_ms:12.2f} {'':6} {after_ms / empty_small[name]:6.2f}")
    await db.close()


def main() -> None:
    with TemporaryDirectory() as folder, PostgresServer(Path(folder), durable=False) as server:
        server.create_database("bench")
        asyncio.run(run(server.url("bench")))


if __name__ == "__main__":
    main()
