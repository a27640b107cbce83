"""What the spreadsheet of a large batch costs: 5,000 students with six steps each, on an embedded PostgreSQL.

Prints the time, the most memory that writing it added to the process, the longest that the loop did not answer
meanwhile, and the size of the file. The targets: well within the proxy's 30 s, in memory that does not grow with it.
"""

import asyncio
import itertools
import resource
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import text

from lucy.db.engine import Database
from lucy.domain.house import House
from lucy.flows.batch_sheet import write_batch_sheet
from migrations.runner import migrate
from sandbox.servers import PostgresServer

SIZES = (500, 5000)
STEPS = (("account", ""), ("licence", ""), ("credentials_mail", ""), ("moodle_user", ""))
COURSES = ("INGRESO-2026", "CONT-1")
TICK_S = 0.005
HOUSE = House(
    environment="SIMULADOR",
    zone=ZoneInfo("America/Argentina/Cordoba"),
    admins=frozenset(),
    account_prefix="a",
    account_domain="example.edu",
    licence_sku="",
    mail_domain="example.edu",
    approval_expires_h=72,
    batch_size=20,
    lease_s=60,
    graph_per_s=10,
    mail_per_s=0.5,
)

_STUDENTS = """
    insert into student (document_type, document_number, first_name, last_name, personal_email, stage, first_seen_at,
                         last_seen_at, changed_at)
    select 'DNI', (40000000 + n)::text, 'María Ñusta', 'Etchegaray ' || n, '', 'aspirante', now(), now(), now()
    from generate_series(1, :many) n
"""
_BATCH = """
    insert into batch (kind, options, selection, state, plan_hash, students, requested_by, requested_by_name,
                       requested_at, expires_at)
    values ('activate', '{}', 'aspirantes', 'running', '', :many, 'ana', 'Ana', now(), now()) returning id
"""
_MEMBERS = """
    insert into batch_student (batch_id, student_id, position, basis_hash)
    select :batch, id, row_number() over (order by id), '' from (select id from student order by id limit :many) s
"""
_STEPS = """
    insert into step (batch_id, student_id, kind, target, position, state, closed_at, error_code, remedy)
    select batch_id, student_id, :kind, :target, position * 10 + :place,
           case when student_id % 7 = 0 then 'failed' else 'done' end, now(),
           case when student_id % 7 = 0 then 'E-004' else '' end, case when student_id % 7 = 0 then 'source' else '' end
    from batch_student where batch_id = :batch
"""


async def fill(db: Database, many: int) -> int:
    """A batch of the first so many students."""
    async with db.transaction() as session:
        batch = int(await session.scalar(text(_BATCH), {"many": many}) or 0)
        await session.execute(text(_MEMBERS), {"batch": batch, "many": many})
        kinds = [*STEPS, *(("enrolment", course) for course in COURSES)]
        for place, (kind, target) in enumerate(kinds):
            values = {"kind": kind, "target": target, "place": place, "batch": batch}
            await session.execute(text(_STEPS), values)
    return batch


async def longest_silence(done: asyncio.Event) -> float:
    """How long the event loop did not come round, at most."""
    longest, before = 0.0, time.perf_counter()
    while not done.is_set():
        await asyncio.sleep(TICK_S)
        now = time.perf_counter()
        longest, before = max(longest, now - before - TICK_S), now
    return longest


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(db: Database, many: int) -> None:
    batch = await fill(db, many)
    done = asyncio.Event()
    watch = asyncio.create_task(longest_silence(done))
    before, started = peak_mb(), time.perf_counter()
    async with db.transaction() as session:
        content = await write_batch_sheet(session, batch, house=HOUSE, now=datetime.now(UTC))
    took = time.perf_counter() - started
    done.set()
    silence = await watch
    assert content is not None
    print(f"{many:8} {took:8.2f} {peak_mb() - before:9.1f} {silence * 1000:12.0f} {len(content) / 1024:9.0f}")


async def run(url: str) -> None:
    db = Database(url)
    await migrate(db.engine)
    async with db.transaction() as session:
        await session.execute(text(_STUDENTS), {"many": max(SIZES)})
    print(f"{'students':>8} {'seconds':>8} {'added MB':>9} {'silence ms':>12} {'file KB':>9}")
    for many in itertools.chain(SIZES[:1], SIZES):  # the first warms up
        await measure(db, many)
    await db.close()


def main() -> None:
    with TemporaryDirectory() as folder, PostgresServer(Path(folder), durable=False) as server:
        server.create_database("bench")
        asyncio.run(run(server.url("bench")))


if __name__ == "__main__":
    main()
