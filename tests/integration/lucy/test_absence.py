"""Who is on no list any more, as two whole readings hours apart agree; and the days on which lists are read."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from lucy.db import students as students_db
from lucy.db.tables import IngestRunRow, ListingRow
from lucy.domain.operations import BatchOptions
from lucy.domain.selections import parse_selection
from lucy.domain.students import SourceList
from lucy.flows.run_schedules import bring_forward, run_due_schedules
from lucy.flows.set_config import set_config
from lucy.flows.view_report import view_report
from tests.integration.lucy.test_ingest import ASPIRANTES, INGRESANTES, add, checkpoint, everybody, read
from tests.integration.support.people import actor
from tests.integration.support.works import Works


async def absent(works: Works) -> set[str]:
    """The document numbers of `ausentes`."""
    today = datetime.now(UTC).date()
    async with works.db.transaction() as session:
        ids = await students_db.select_ids(
            session, parse_selection("ausentes", today=today), zone=works.runtime.house.zone
        )
        return {one.document_number for one in (await students_db.load(session, ids)).values()}


async def hours_pass(works: Works, hours: int = 8) -> None:
    async with works.db.transaction() as session:
        earlier = ListingRow.missed_at - timedelta(hours=hours)
        await session.execute(update(ListingRow).where(ListingRow.missed_at.is_not(None)).values(missed_at=earlier))


def leave(works: Works, document: str, where: str = "aspirantes") -> None:
    lists = works.states.sial.data.lists
    lists[where] = [one for one in lists[where] if one.document != document]


async def test_two_whole_readings_hours_apart_make_somebody_absent(works: Works) -> None:
    """FEATURES row 17."""
    gone, here = (add(works, number) for number in (40_123_456, 40_123_457))
    for number in range(40_200_000, 40_200_010):
        add(works, number)
    await read(works, full=True)
    leave(works, gone)
    await read(works, full=True)
    assert await absent(works) == set(), "one witness"
    await read(works, full=True)
    assert await absent(works) == set(), "two readings of one hour are one witness"
    await hours_pass(works)
    await read(works)
    assert await absent(works) == set(), "a window says nothing of who is not in it"
    await read(works, full=True)
    assert await absent(works) == {gone}
    assert here in await everybody(works)
    add(works, int(gone))
    await read(works, full=True)
    assert await absent(works) == set(), "whoever comes back is there at once"


async def test_who_moved_on_to_another_list_is_not_absent(works: Works) -> None:
    mine = add(works)
    await read(works, full=True)
    leave(works, mine)
    add(works, int(mine), where="ingresantes")
    await read(works, INGRESANTES, full=True)
    for number in range(40_200_000, 40_200_010):
        add(works, number)
    for _night in range(3):
        await read(works, full=True)
        await hours_pass(works)
    assert await absent(works) == set()


async def test_a_reading_that_failed_is_no_witness(works: Works) -> None:
    mine = add(works)
    for number in range(40_200_000, 40_200_010):
        add(works, number)
    await read(works, full=True)
    leave(works, mine)
    await read(works, full=True)
    await hours_pass(works)
    works.fault("sial", "listas/aspirantes", "truncate")
    assert (await read(works, full=True)).error_code
    assert await absent(works) == set()


async def test_the_report_counts_those_who_left_with_an_open_account(works: Works) -> None:
    mine = add(works)
    for number in range(40_200_000, 40_200_010):
        add(works, number)
    await read(works, full=True)
    await works.activate(mine, options=BatchOptions(mail=False, moodle=False))
    leave(works, mine)
    for _night in range(2):
        await read(works, full=True)
        await hours_pass(works)
    async with works.db.transaction() as session:
        view = await view_report(session, datetime.now(UTC).date(), house=works.runtime.house)
    assert view.absent == 1


# The days of a list


async def test_a_list_is_read_by_itself_on_its_days_only(works: Works) -> None:
    add(works)
    now, carla = datetime.now(UTC), actor(works.people[2])
    today = now.astimezone(works.runtime.house.zone).date()
    async with works.db.transaction() as session:
        await set_config(session, "lista.preinscriptos", "nunca", actor=carla, now=now)
        tomorrow = f"{(today + timedelta(days=1)).isoformat()}.."
        await set_config(session, "lista.ingresantes", tomorrow, actor=carla, now=now)
        await bring_forward(session, "ingesta-nocturna", actor=carla, now=now)
        await run_due_schedules(session, house=works.runtime.house, now=now)
    async with works.db.transaction() as session:
        lists = (await session.scalars(select(IngestRunRow.source_list))).all()
    assert lists == [SourceList.ASPIRANTES]


async def test_other_days_have_the_whole_list_read_again(works: Works) -> None:
    """FEATURES row 4."""
    add(works)
    await read(works)
    assert await checkpoint(works) is not None
    async with works.db.transaction() as session:
        await set_config(
            session, f"lista.{ASPIRANTES.value}", "2026-01-01..", actor=actor(works.people[2]), now=datetime.now(UTC)
        )
    assert await checkpoint(works) is None
    assert (await read(works)).since is None
