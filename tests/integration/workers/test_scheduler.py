"""The scheduler: one is active, nothing runs twice, and what was lost comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text, update

from lucy.db import audit
from lucy.db import ingest as ingest_db
from lucy.db.engine import Database
from lucy.db.tables import (
    BatchRow,
    IngestRunRow,
    PostedCardRow,
    ScheduleRow,
    ScheduleRunRow,
    SealedSecretRow,
    StepRow,
)
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.batches import BatchState
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.domain.students import SourceList
from lucy.flows.run_schedules import bring_forward, next_run, plan_schedules, run_due_schedules
from lucy.flows.send_nudges import send_nudges
from lucy.ports import Nudger
from sandbox.servers import ValkeyServer
from tests.integration.support.people import students
from tests.integration.support.queue import Queue
from tests.integration.support.works import CollectedNudges, Works, audit_events, looked, until
from workers.scheduler import Scheduler
from workers.sweeper import sweep, tidy

CORDOBA = ZoneInfo("America/Argentina/Cordoba")
HOUSE = House(
    environment="SIMULADOR",
    zone=CORDOBA,
    admins=frozenset(),
    account_prefix="a",
    account_domain="eco.unrc.edu.ar",
    licence_sku="",
    mail_domain="eco.unrc.edu.ar",
    approval_expires_h=72,
    batch_size=20,
    lease_s=60,
    graph_per_s=10,
    mail_per_s=0.5,
)
NIGHTLY = "ingesta-nocturna"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with ValkeyServer(tmp_path / "own") as server, Queue(server) as opened:
        yield opened


@asynccontextmanager
async def scheduling(url: str, nudger: Nudger) -> AsyncIterator[asyncio.Event]:
    """A scheduler as a process of its own has it; setting the event ends it. Its failure is the test's."""
    db, stop = Database(url, pool_size=3), asyncio.Event()
    running = asyncio.ensure_future(Scheduler(db, nudger, HOUSE, tick_s=0.03).run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await running
        await db.close()


async def runs(db: Database, name: str = NIGHTLY) -> int:
    async with db.transaction() as session:
        found = await session.scalars(select(ScheduleRunRow.id).where(ScheduleRunRow.schedule == name))
        return len(found.all())


async def due_now(db: Database, name: str = NIGHTLY) -> None:
    async with db.transaction() as session:
        await bring_forward(session, name, actor=LUCY, now=datetime.now(UTC))


async def holder(db: Database) -> int | None:
    """The database process of the active scheduler."""
    async with db.transaction() as session:
        found: int | None = await session.scalar(
            text(
                "select pid from pg_locks where locktype = 'advisory' and granted"
                " and database = (select oid from pg_database where datname = current_database())"
            )
        )
    return found


# One active


async def test_one_is_active_and_the_other_takes_over(db: Database, database_url: str) -> None:
    nudger = CollectedNudges()
    async with scheduling(database_url, nudger) as first:
        await until(lambda: holder(db))
        active = await holder(db)
        async with scheduling(database_url, nudger):
            await due_now(db)
            await until(lambda: runs(db))
            await asyncio.sleep(0.15)
            assert await holder(db) == active
            assert await runs(db) == 1
            first.set()
            await until(lambda: _changed(db, active))
            await due_now(db)

            async def again() -> bool:
                return await runs(db) == 2

            await until(again)


async def _changed(db: Database, before: int | None) -> bool:
    return await holder(db) not in {None, before}


async def test_one_whose_connection_is_cut_comes_back(db: Database, database_url: str) -> None:
    """A restart of PostgreSQL, or its administrator, ends every session."""
    async with scheduling(database_url, CollectedNudges()):
        await until(lambda: holder(db))
        active = await holder(db)
        async with db.transaction() as session:
            await session.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
            )
        await until(lambda: _changed(db, active))
        await due_now(db)
        await until(lambda: runs(db))


async def test_a_queue_that_is_away_does_not_end_it(db: Database, database_url: str, queue: Queue) -> None:
    queue.server.stop()
    async with scheduling(database_url, queue.nudger):
        await due_now(db)
        await until(lambda: runs(db))
        await asyncio.sleep(0.1)
        queue.server.restart()
        await until(looked(lambda: queue.messages()[("ingest_list", (1,))]))


# Once


async def test_a_planned_time_runs_once_however_many_try(db: Database) -> None:
    await due_now(db)

    async def attempt() -> list[str]:
        async with db.transaction() as session:
            return await run_due_schedules(session, house=HOUSE, now=datetime.now(UTC))

    started = await asyncio.gather(*(attempt() for _ in range(6)))
    assert sorted(started) == [[]] * 5 + [[NIGHTLY]]
    async with db.transaction() as session:
        asked = (await session.scalars(select(IngestRunRow.source_list))).all()
    assert sorted(asked) == sorted(SourceList)
    assert len(await audit_events(db, f"schedule.{NIGHTLY}")) == 2, "brought forward, started"


async def test_a_time_that_was_missed_is_made_up_for_once(db: Database) -> None:
    now = datetime.now(UTC)
    async with db.transaction() as session:
        await session.execute(
            update(ScheduleRow).where(ScheduleRow.name == NIGHTLY).values(next_run_at=now - timedelta(days=3))
        )
    for _ in range(3):
        async with db.transaction() as session:
            await run_due_schedules(session, house=HOUSE, now=now)
    assert await runs(db) == 1
    async with db.transaction() as session:
        schedule = await session.get(ScheduleRow, NIGHTLY)
    assert schedule is not None
    assert schedule.times_run == 1
    assert schedule.next_run_at is not None
    local = schedule.next_run_at.astimezone(CORDOBA)
    assert (local.hour, local.minute) == (2, 0)
    assert timedelta(0) < schedule.next_run_at - now <= timedelta(days=1)


def test_the_next_time_is_the_facultys_and_never_the_same_again() -> None:
    at_two = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
    assert next_run("0 2 * * *", CORDOBA, after=at_two - timedelta(seconds=1)) == at_two
    assert next_run("0 2 * * *", CORDOBA, after=at_two) == at_two + timedelta(days=1)


async def test_what_is_brought_forward_while_a_scheduler_begins_is_not_lost(db: Database) -> None:
    """It gives a next run to those that have none, at the same moment as `lucy run-now` gives another."""

    async def plan() -> None:
        async with db.transaction() as session:
            await plan_schedules(session, house=HOUSE, now=datetime.now(UTC))

    for _ in range(25):
        async with db.transaction() as session:
            await session.execute(update(ScheduleRow).values(next_run_at=None))
        await asyncio.gather(plan(), due_now(db), plan())
        async with db.transaction() as session:
            next_run_at = await session.scalar(select(ScheduleRow.next_run_at).where(ScheduleRow.name == NIGHTLY))
        assert next_run_at is not None
        assert next_run_at <= datetime.now(UTC)


async def test_a_schedule_that_is_off_does_not_run(db: Database) -> None:
    await due_now(db)
    async with db.transaction() as session:
        await session.execute(update(ScheduleRow).values(enabled=False))
        assert await run_due_schedules(session, house=HOUSE, now=datetime.now(UTC)) == []


async def test_the_report_goes_to_each_channel_as_a_thread(works: Works) -> None:
    directory = works.states.teams.directory
    async with works.db.transaction() as session:
        for channel in directory.team.channels:
            await session.execute(
                text(
                    "insert into conversation (conversation_id, kind, service_url, tenant_id, updated_at)"
                    " values (:id, 'channel', :url, :tenant, now())"
                ),
                {"id": channel.id, "url": works.addresses.teams_url, "tenant": directory.tenant_id},
            )
    await due_now(works.db, "informe")
    async with works.db.transaction() as session:
        await run_due_schedules(session, house=works.runtime.house, now=datetime.now(UTC))
    await works.drain()
    posted = works.states.teams.transcript.since(0)
    assert [one.kind for one in posted] == ["create", "create"]
    assert all("Informe de la noche" in one.summary for one in posted)


# What was lost


async def test_lost_nudges_are_sent_again_after_the_queue_was_emptied(works: Works, queue: Queue) -> None:
    await students(works.db, 2)
    queued, running = await works.request(), await works.running("cohorte:2026")
    async with works.db.transaction() as session:
        await session.execute(update(BatchRow).where(BatchRow.id == queued).values(state=BatchState.QUEUED))
        run = await ingest_db.request_run(
            session,
            SourceList.ASPIRANTES,
            requested_by="Ana",
            now=datetime.now(UTC) - timedelta(minutes=1),
        )
    await send_nudges(works.db, queue.nudger)
    queue.server.restart_empty()
    assert not queue.messages()
    await queue.nudger.send(await sweep(works.db))
    assert set(queue.messages()) >= {
        ("start_batch", (queued,)),
        ("run_lane", ("account",)),
        ("ingest_list", (run.id,)),
    }
    assert ("start_batch", (running,)) not in queue.messages()


async def test_a_whole_batch_survives_the_loss_of_every_message(works: Works) -> None:
    known = await students(works.db, 5)
    number = await works.request()
    await works.approve(number)
    async with asyncio.timeout(20):
        while (await works.batch(number)).state not in {BatchState.FINISHED, BatchState.FINISHED_WITH_FAILURES}:
            await send_nudges(works.db, works.nudges)
            works.nudges.take()  # lost, all of them
            for nudge in await sweep(works.db):
                await works.obey(nudge)
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert len(works.states.inbox.messages) == len(known)


async def test_an_idle_house_sends_no_nudges(works: Works) -> None:
    await students(works.db, 2)
    await works.activate()
    assert await sweep(works.db) == []


@pytest.mark.parametrize("held", [True, False])
async def test_a_reading_in_hand_is_left_alone_and_a_dropped_one_is_taken_up(db: Database, held: bool) -> None:
    now = datetime.now(UTC)
    async with db.transaction() as session:
        run = await ingest_db.request_run(session, SourceList.ASPIRANTES, requested_by="Ana", now=now)
        assert await ingest_db.begin_run(session, run.id, now=now, lease_s=60 if held else -60)
    nudges = await sweep(db)
    assert (Nudge("ingest_list", (run.id,)) in nudges) is not held


# Approvals that never came


@pytest.mark.parametrize("state", [BatchState.AWAITING_APPROVAL, BatchState.HELD])
async def test_an_approval_that_did_not_come_expires(works: Works, state: BatchState) -> None:
    await students(works.db, 2)
    number, other = await works.request(), await works.request("cohorte:2026")
    past = datetime.now(UTC) - timedelta(seconds=1)
    async with works.db.transaction() as session:
        await session.execute(update(BatchRow).where(BatchRow.id == number).values(state=state, expires_at=past))
        await session.execute(
            text(
                "insert into posted_card (shows, subject, service_url, conversation_id, drawn_version)"
                " values ('batch', :subject, :url, '19:campus-altas@thread.tacv2', 1)"
            ),
            {"subject": str(number), "url": works.addresses.teams_url},
        )
    for _ in range(2):
        await sweep(works.db)
    batch = await works.batch(number)
    assert batch.state is BatchState.EXPIRED
    assert batch.finished_at is not None
    assert (await works.batch(other)).state is BatchState.AWAITING_APPROVAL
    assert {one.state for one in await works.steps(number)} == {StepState.CANCELLED}
    (event,) = await works.audit("batch.expire")
    assert (event.batch_id, event.actor_id) == (number, "lucy")
    async with works.db.transaction() as session:
        card = await session.scalar(select(PostedCardRow))
    assert card is not None
    assert card.wanted_version > card.drawn_version
    await works.drain()
    assert works.states.graph.users == {}


async def test_a_batch_that_was_approved_in_time_does_not_expire(works: Works) -> None:
    await students(works.db, 1)
    number = await works.running()
    async with works.db.transaction() as session:
        await session.execute(update(BatchRow).values(expires_at=datetime.now(UTC) - timedelta(hours=1)))
    await sweep(works.db)
    assert (await works.batch(number)).state is BatchState.RUNNING


# Tidying


async def test_passwords_that_no_letter_took_are_purged(works: Works) -> None:
    await students(works.db, 2)
    await works.running()
    await works.lanes().run(StepKind.ACCOUNT)
    async with works.db.transaction() as session:
        one = (await session.scalars(select(SealedSecretRow.step_id).order_by(SealedSecretRow.step_id))).first()
        await session.execute(
            update(SealedSecretRow)
            .where(SealedSecretRow.step_id == one)
            .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )
    await tidy(works.db)
    async with works.db.transaction() as session:
        left = (await session.scalars(select(SealedSecretRow.step_id))).all()
    assert len(left) == 1
    assert one not in left
    await works.drain()
    async with works.db.transaction() as session:
        codes = (
            await session.scalars(select(StepRow.error_code).where(StepRow.kind == StepKind.CREDENTIALS_MAIL))
        ).all()
    assert sorted(codes) == ["", "E-008"]


async def test_the_active_one_seals_the_audit(db: Database, database_url: str) -> None:
    async with db.transaction() as session:
        await audit.record(session, [AuditEvent(LUCY, "test", "done")], now=datetime.now(UTC))
    async with scheduling(database_url, CollectedNudges()):

        async def sealed() -> bool:
            async with db.transaction() as session:
                return (await audit.verify(session)).events > 0

        await until(sealed)
