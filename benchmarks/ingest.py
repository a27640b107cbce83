"""What reading a list of 50,000 costs, over real HTTP and on an embedded PostgreSQL.

Prints the first reading (everybody new), the second (nobody changed) and one where a tenth changed, the memory that the
process took over idle, and what the same people cost one row and one transaction at a time. The targets: twenty times
faster than row by row, nearly free where nothing changed, memory that a list's length hardly moves (60 MB).
Personal records are made up here: asked for over HTTP they take as long as SIAL's pace lets them.
"""

import asyncio
import json
import multiprocessing
import resource
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from sqlalchemy import text

from benchmarks.sheet import HOUSE
from connectors.http import build_http_client
from connectors.sial.client import SialRecords
from lucy.db import ingest as ingest_db
from lucy.db import rules
from lucy.db.engine import Database
from lucy.domain.ingest import KnownCareer, entry_print, interpret, person_key
from lucy.domain.source import SourceEntry, SourcePerson
from lucy.domain.students import SourceList
from lucy.errors import System
from lucy.flows.ingest_list import ingest_list
from migrations.runner import migrate
from sandbox.control import serve
from sandbox.servers import PostgresServer

PEOPLE = 50_000
ROW_BY_ROW = 2_000
ZONE = ZoneInfo("America/Argentina/Cordoba")
LIST = SourceList.ASPIRANTES
_STUDENT = """
    insert into student (document_type, document_number, first_name, last_name, personal_email, stage, careers, cohort,
                         first_seen_at, last_seen_at, changed_at)
    values (:type, :number, :first, :last, :email, 'aspirante', cast(:careers as jsonb), :cohort, now(), now(), now())
    on conflict (document_type, document_number) do update set last_name = excluded.last_name, last_seen_at = now()
    returning id
"""
_LISTED = """
    insert into listing (student_id, source_list, hash, seen_at) values (:id, 'aspirantes', :hash, now())
    on conflict (student_id, source_list) do update set hash = excluded.hash, seen_at = now()
"""


class NoLimit:
    async def acquire(self, system: System, cost: int = 1) -> None:
        return None

    async def hold_back(self, system: System, seconds: float) -> None:
        return None

    async def held_back_for(self, system: System) -> float:
        return 0.0


class Records(SialRecords):
    """The list over HTTP, the personal records from here."""

    async def person(self, document_number: str) -> SourcePerson | None:
        return SourcePerson(
            document_number, "MARÍA ÑUSTA", "ETCHEGARAY DE LA FUENTE", f"a{document_number}@example.org"
        )


def entry(number: int, cohort: int) -> bytes:
    career = {
        "id_carrera": 3,
        "nombre_carrera": "CONTADOR PÚBLICO",
        "fecha_inscri": "15/02/2026 10:31:00",
        "modalidad": "1",
        "cohorte": cohort,
        "comisiones": [{"id_comision": 41, "nombre_comision": "COMISION 01"}],
    }
    return json.dumps({"tipodoc": "DNI", "nrodoc": 40_000_000 + number, "carreras": [career]}).encode()


def source(pipe: Connection) -> None:
    """A process of its own: the list, streamed; `?changed` is how many have another cohort."""

    async def listas(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        many, changed = int(request.match_info["many"]), int(request.match_info["changed"])
        for start in range(0, many, 500):
            rows = [
                entry(number, 2027 if number < changed else 2026) for number in range(start, min(start + 500, many))
            ]
            await answer.write((b"," if start else b"[") + b",".join(rows))
        await answer.write(b"]")
        return answer

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/{many}/{changed}/webservice/sial/V2/04/aspirantes/listas/", listas)
        _runner, port = await serve(app, port=0)
        pipe.send(port)
        await asyncio.Event().wait()

    asyncio.run(run())


@asynccontextmanager
async def listing_server() -> AsyncIterator[int]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=source, args=(theirs,), daemon=True)
    process.start()
    try:
        yield await asyncio.to_thread(ours.recv)
    finally:
        process.terminate()
        process.join()


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def read(db: Database, records: Records) -> float:
    async with db.transaction() as session:
        run = await ingest_db.request_run(session, LIST, requested_by="benchmark", now=datetime.now(UTC), full=True)
    began = time.perf_counter()
    counts = await ingest_list(db, records, run.id, house=HOUSE)
    took = time.perf_counter() - began
    if counts is None:
        raise SystemExit("the reading waits for a person")
    print(f"  {counts.seen:6} entries: {counts.new:6} new, {counts.changed:6} changed in {took:6.2f} s")
    return took


async def row_by_row(
    db: Database, entries: list[SourceEntry], records: Records, careers: Mapping[int, KnownCareer]
) -> float:
    """As a program without sets would: one look-up, one insert and one commit for each person."""
    began = time.perf_counter()
    for one in entries:
        key = person_key(one)
        person = await records.person(one.document_number)
        facts, _held = interpret([one], person, careers)
        if key is None or facts is None:
            continue
        async with db.transaction() as session:
            await session.execute(
                text("select id, stage from student where document_type = :type and document_number = :number"),
                {"type": key[0], "number": key[1]},
            )
            values = {
                "type": key[0],
                "number": key[1],
                "first": facts.first_name,
                "last": facts.last_name,
                "email": facts.personal_email,
                "careers": "[]",
                "cohort": facts.cohort,
            }
            student = await session.scalar(text(_STUDENT), values)
            await session.execute(text(_LISTED), {"id": student, "hash": entry_print(one.raw)})
    return time.perf_counter() - began


async def run(url: str) -> None:
    db = Database(url)
    await migrate(db.engine)
    async with db.transaction() as session:
        await session.execute(
            text(
                "insert into config_entry (key, value, version, changed_by, changed_by_name, changed_at) "
                "values ('ingesta.proporcion', '\"100%\"', 1, 'b', 'b', now())"
            )
        )
    async with listing_server() as port, build_http_client() as http:

        def records(many: int, changed: int = 0) -> Records:
            address = f"http://127.0.0.1:{port}/{many}/{changed}"
            return Records(
                base_url=address,
                user="u",
                password="p",
                http=http,
                limiter=NoLimit(),
                zone=ZONE,
                today=lambda: datetime.now(ZONE).date(),
            )

        print("warm up")
        await read(db, records(500))
        idle = peak_mb()
        print(f"{PEOPLE} people, idle at {idle:.0f} MB")
        first = await read(db, records(PEOPLE))
        same = await read(db, records(PEOPLE))
        await read(db, records(PEOPLE, PEOPLE // 10))
        print(f"  memory over idle: {peak_mb() - idle:.0f} MB (target: at most 60)")
        print(f"  nothing changed costs {same / first:.0%} of everybody new")
        some = records(ROW_BY_ROW)
        entries = [some.read_entry(one) async for one in some.entries(LIST)]
        async with db.transaction() as session:
            careers = await rules.careers(session)
            await session.execute(text("truncate student cascade"))
        slow = await row_by_row(db, entries, records(0), careers)
    per_row, per_set = slow / ROW_BY_ROW, first / PEOPLE
    print(f"row by row: {per_row * 1e3:.2f} ms a person; in sets: {per_set * 1e3:.3f} ms")
    print(f"  {per_row / per_set:.0f} times faster (target: 20)")
    await db.close()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with TemporaryDirectory() as folder, PostgresServer(Path(folder)) as server:
        server.create_database("bench")
        asyncio.run(run(server.url("bench")))


if __name__ == "__main__":
    main()
