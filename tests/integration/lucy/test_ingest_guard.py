"""Rule 6: what is unusual stops before it is written; what was received is kept."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lucy.db import cards as cards_db
from lucy.db import ingest as ingest_db
from lucy.db.tables import IngestPayloadRow, IngestRunRow, ListingRow, PostedCardRow
from lucy.domain.audit import Actor
from lucy.domain.ingest_guard import HeldRun
from lucy.errors import RequestError
from lucy.flows.hold_run import discard_run, release_run, run_to_decide
from lucy.flows.replay_run import look_again, replay_run
from lucy.flows.set_config import set_config
from tests.integration.conftest import OpenWorks
from tests.integration.lucy.test_ingest import (
    add,
    checkpoint,
    everybody,
    held,
    read,
    touch,
)
from tests.integration.lucy.test_ingest_rules import again, ask, entries
from tests.integration.support.works import Works

# Rule 6


async def many(works: Works, count: int = 60) -> list[str]:
    documents = [add(works, 40_000_000 + number) for number in range(count)]
    await read(works, full=True)
    return documents


async def written(works: Works) -> object:
    """All that a reading might have written."""
    async with works.db.transaction() as session:
        listings = (await session.execute(select(ListingRow.student_id, ListingRow.hash, ListingRow.seen_at))).all()
    return {k: (v.changed_at, v.last_seen_at) for k, v in (await everybody(works)).items()}, sorted(listings)


@pytest.mark.parametrize(
    ("left", "why"), [(0, HeldRun.EMPTY), (45, HeldRun.SHORT), (48, None), (60, None)], ids=["0", "45", "48", "60"]
)
async def test_rule_6_a_whole_list_that_is_short_or_empty_stops_before_it_writes(
    works: Works, left: int, why: HeldRun | None
) -> None:
    await many(works)
    before, where, aside = await written(works), await checkpoint(works), await held(works)
    del entries(works)[left:]
    run = await ask(works, full=True)
    assert run.waits_for == (why or "")
    assert (run.finished_at is None) == (why is not None)
    if why is not None:
        assert await written(works) == before
        assert (await checkpoint(works), await held(works)) == (where, aside)


@pytest.mark.parametrize(("changed", "why"), [(12, None), (13, HeldRun.CHANGED)])
async def test_rule_6_more_changes_than_usual_stop_before_they_are_written(
    works: Works, changed: int, why: HeldRun | None
) -> None:
    documents = await many(works)
    before = await written(works)
    for document in documents[:changed]:
        touch(works, document)
    run = await ask(works)
    assert run.waits_for == (why or "")
    assert run.changed == (0 if why else changed)
    assert (await written(works) == before) == (why is not None)


async def test_rule_6_new_people_and_short_lists_are_never_unusual(works: Works) -> None:
    few = await many(works, 9)
    for document in few:
        touch(works, document)
    assert (await ask(works)).changed == 9
    for number in range(500):
        add(works, 41_000_000 + number)
    assert (await ask(works)).new == 500


async def test_rule_6_the_share_is_a_setting(works: Works) -> None:
    documents = await many(works)
    for document in documents[:30]:
        touch(works, document)
    async with works.db.transaction() as session:
        await set_config(session, "ingesta.proporcion", "60%", actor=Actor("x", "Carla"), now=datetime.now(UTC))
    assert (await ask(works)).changed == 30


async def test_rule_6_what_waits_is_written_from_what_was_received_then(works: Works) -> None:
    await many(works)
    kept = entries(works)[:]
    del entries(works)[10:]
    run = await ask(works, full=True)
    entries(works)[:] = kept  # the source is whole again; what was received is not
    calls = len(works.states.sial.control.calls("listas/aspirantes"))
    async with works.db.transaction() as session:
        waiting = await run_to_decide(session, run.id)
        await release_run(session, waiting, Actor("x", "Carla"), now=datetime.now(UTC))
    await works.actors.ingest_list(run.id)
    done = await again(works, run.id)
    assert done.finished_at is not None
    assert (done.seen, done.released_by, done.waits_for) == (10, "Carla", "")
    assert len(works.states.sial.control.calls("listas/aspirantes")) == calls
    async with works.db.transaction() as session:
        missing = (await session.scalars(select(ListingRow.student_id).where(ListingRow.missing == 1))).all()
    assert len(missing) == 50
    async with works.db.transaction() as session:
        with pytest.raises(RequestError, match="ya no espera"):
            await discard_run(session, await run_to_decide(session, run.id), Actor("x", "x"), now=datetime.now(UTC))


async def test_rule_6_a_later_reading_that_is_as_usual_replaces_what_waits(works: Works) -> None:
    await many(works)
    kept = entries(works)[:]
    entries(works).clear()
    first = await ask(works, full=True)
    second = await ask(works, full=True)
    assert (await again(works, first.id)).error_code == "U-006"
    entries(works)[:] = kept
    await read(works, full=True)
    assert (await again(works, second.id)).error_code == "U-006"
    assert (await again(works, second.id)).waits_for == ""


async def test_rule_6_a_run_that_waits_is_left_alone_by_the_sweeper(works: Works) -> None:
    await many(works)
    entries(works).clear()
    run = await ask(works, full=True)
    async with works.db.transaction() as session:
        assert await ingest_db.unattended_runs(session, now=datetime.now(UTC) + timedelta(days=1)) == []
    await works.actors.ingest_list(run.id)
    assert (await again(works, run.id)).waits_for == HeldRun.EMPTY


# What is kept


async def test_a_reading_is_kept_compressed_and_read_again_offline(works: Works) -> None:
    documents = await many(works, 30)
    async with works.db.transaction() as session:
        run = (await session.scalars(select(IngestRunRow))).one()
        kept = (await session.scalars(select(IngestPayloadRow.body))).all()
    assert sum(map(len, kept)) < 30 * 400 / 4
    assert all(b"nrodoc" not in body for body in kept)
    works.states.sial.data.lists["aspirantes"].clear()
    works.states.sial.data.records.clear()
    calls = len(works.states.sial.control.calls())
    async with works.db.transaction() as session:
        row = (await session.scalars(select(ListingRow).limit(1))).one()
        row.hash = "another"
    before = await written(works)
    seen = await look_again(works.db, works.runtime.records, run.id)
    assert (seen.seen, seen.comparison.changed, seen.comparison.unchanged) == (30, 1, 29)
    assert await written(works) == before
    done = await replay_run(works.db, works.runtime.records, run.id, requested_by="tests", house=works.runtime.house)
    assert done is not None
    assert (done.changed, done.unanswered) == (1, 0)
    assert set(await everybody(works)) == set(documents)
    assert len(works.states.sial.control.calls()) == calls


async def test_only_the_newest_readings_are_kept(open_works: OpenWorks) -> None:
    works = await open_works(payload_runs_kept=2)
    add(works)
    for _ in range(4):
        last = await read(works, full=True)
    async with works.db.transaction() as session:
        kept = set((await session.scalars(select(IngestPayloadRow.run_id))).all())
    assert kept == {last.id - 1, last.id}
    with pytest.raises(RequestError, match="Nothing is kept"):
        await look_again(works.db, works.runtime.records, last.id - 3)


async def test_a_card_asks_in_every_staff_channel(works: Works) -> None:
    await many(works)
    async with works.db.transaction() as session:
        await cards_db.remember_conversation(
            session,
            {
                "conversation_id": "19:staff",
                "kind": "channel",
                "service_url": "http://127.0.0.1/",
                "tenant_id": "t",
                "team_id": "t",
                "channel_id": "19:staff",
                "updated_at": datetime.now(UTC),
            },
        )
    entries(works).clear()
    run = await ask(works, full=True)
    async with works.db.transaction() as session:
        rows = (await session.scalars(select(PostedCardRow).where(PostedCardRow.shows == "ingest"))).all()
    assert [(row.subject, row.conversation_id, row.new_thread) for row in rows] == [(str(run.id), "19:staff", True)]
