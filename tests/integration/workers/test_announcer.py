"""Cards in the channel: posted, drawn again in place, never too often, and the last state always shown."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from cards.as_text import as_text
from lucy.db import cards as cards_db
from lucy.db import ingest as ingest_db
from lucy.db.tables import BatchRow, PostedCardRow
from lucy.domain.students import SourceList
from sandbox.teams.transcript import Entry
from tests.integration.support.people import students
from tests.integration.support.works import Works, looked, until
from workers.announcer import EVERY_S, LEASE_S, Announcer


async def put_card(
    works: Works, subject: str, *, shows: str = "batch", where: str = "", new_thread: bool = False
) -> int:
    """A card that waits to be posted; by default in the thread of a person's message."""
    directory = works.states.teams.directory
    async with works.db.transaction() as session:
        return await cards_db.add_card(
            session,
            shows=shows,
            subject=subject,
            service_url=works.addresses.teams_url,
            tenant_id=directory.tenant_id,
            conversation_id=where or f"{directory.team.channels[1].id};messageid=1700000000001",
            new_thread=new_thread,
        )


async def changed(works: Works, subject: str, *, reason: str | None = None, shows: str = "batch") -> None:
    """Something that the card shows is different now."""
    async with works.db.transaction() as session:
        if reason is not None:
            await session.execute(
                update(BatchRow).values(notes=[{"at": datetime.now(UTC).isoformat(), "text": reason}])
            )
        await cards_db.want_redraw(session, shows=shows, subject=subject)


async def its_time_has_come(works: Works) -> None:
    """What was postponed may be tried again, without waiting for it."""
    async with works.db.transaction() as session:
        await session.execute(
            update(PostedCardRow)
            .where(PostedCardRow.lease_until.is_not(None))
            .values(lease_until=datetime.now(UTC) - timedelta(seconds=1))
        )


async def card_row(works: Works, card: int) -> PostedCardRow:
    async with works.db.transaction() as session:
        found = await session.scalar(select(PostedCardRow).where(PostedCardRow.id == card))
    assert found is not None
    return found


def announcer(works: Works, *, lease_s: float = LEASE_S) -> Announcer:
    """Another process's."""
    return Announcer(works.db, works.runtime.channel, works.runtime.house, every_s=0.0, lease_s=lease_s)


def said(works: Works) -> list[Entry]:
    return works.states.teams.transcript.since(0)


@pytest.fixture
async def batch(works: Works) -> str:
    await students(works.db, 2)
    return str(await works.request())


async def test_a_card_is_posted_once_and_then_edited_in_place(works: Works, batch: str) -> None:
    card = await put_card(works, batch)
    await works.announcer.run()
    await works.announcer.run()
    (posted,) = said(works)
    assert (posted.kind, posted.sender) == ("send", "Lucy")
    assert posted.card is not None
    assert "Espera" in as_text(posted.card)
    for state in ("uno", "dos"):
        await changed(works, batch, reason=state)
        await works.announcer.run()
    edits = said(works)[1:]
    assert [(one.kind, one.activity_id, one.conversation) for one in edits] == [
        ("update", posted.activity_id, posted.conversation)
    ] * 2
    assert edits[-1].card is not None
    assert "dos" in as_text(edits[-1].card)
    row = await card_row(works, card)
    assert row.drawn_version == row.wanted_version


async def test_a_card_moves_at_most_once_in_its_interval_and_the_last_state_is_shown(works: Works, batch: str) -> None:
    assert EVERY_S == 3.0
    every_s, changes = 0.25, 40
    paced = Announcer(works.db, works.runtime.channel, works.runtime.house, every_s=every_s)
    await put_card(works, batch)
    await paced.run()
    started = asyncio.get_running_loop().time()
    for number in range(changes):
        await changed(works, batch, reason=f"cambio {number}")
        await paced.run()
        await asyncio.sleep(0.02)
    took_s = asyncio.get_running_loop().time() - started
    edits = [one for one in said(works) if one.kind == "update"]
    assert 1 <= len(edits) <= took_s / every_s + 1 < changes / 2
    moments = [datetime.fromisoformat(one.at) for one in said(works)]
    assert all(later - sooner >= timedelta(seconds=every_s - 0.03) for sooner, later in pairwise(moments))
    await asyncio.sleep(every_s)
    await paced.run()
    last = said(works)[-1]
    assert last.card is not None
    assert f"cambio {changes - 1}" in as_text(last.card)
    before = len(said(works))
    await asyncio.sleep(every_s)
    await paced.run()
    assert len(said(works)) == before, "nothing has changed since"


async def test_a_change_while_a_card_is_being_drawn_is_not_lost(works: Works, batch: str) -> None:
    await put_card(works, batch)
    await works.announcer.run()
    works.states.teams.switches = replace(works.states.teams.switches, latency_s=0.2)
    await changed(works, batch, reason="viejo")
    drawing = asyncio.ensure_future(works.announcer.run())
    await until(looked(lambda: works.states.teams.control.calls("update")))
    await changed(works, batch, reason="nuevo")
    await works.announcer.run()
    await drawing
    await works.announcer.run()
    last = said(works)[-1]
    assert last.card is not None
    assert "nuevo" in as_text(last.card)


async def test_several_announcers_never_draw_a_card_twice(works: Works, batch: str) -> None:
    rivals = [announcer(works) for _ in range(4)]
    directory = works.states.teams.directory
    for root in range(6):
        await put_card(works, batch, where=f"{directory.team.channels[1].id};messageid=170000000000{root}")
    await asyncio.gather(*(rival.run() for rival in rivals))
    assert Counter(one.kind for one in said(works)) == {"send": 6}
    await changed(works, batch, reason="otra vez")
    await asyncio.gather(*(rival.run() for rival in rivals))
    assert Counter(one.kind for one in said(works)) == {"send": 6, "update": 6}
    assert Counter(one.activity_id for one in said(works)).most_common()[-1][1] == 2, "each drawn twice in all"


async def test_a_card_whose_announcer_is_killed_moves_on_soon(works: Works, batch: str) -> None:
    assert LEASE_S <= 10
    card = await put_card(works, batch)
    await works.announcer.run()
    works.states.teams.switches = replace(works.states.teams.switches, latency_s=0.2)
    await changed(works, batch, reason="uno")
    killed = asyncio.ensure_future(announcer(works, lease_s=0.3).run())
    await until(looked(lambda: works.states.teams.control.calls("update")))
    killed.cancel()
    await asyncio.wait([killed])
    await changed(works, batch, reason="dos")
    await works.announcer.run()
    assert len(works.states.teams.control.calls("update")) == 1, "still in the dead one's hand"

    async def up_to_date() -> bool:
        await works.announcer.run()
        row = await card_row(works, card)
        return row.drawn_version == row.wanted_version

    await until(up_to_date)
    last = said(works)[-1]
    assert last.card is not None
    assert "dos" in as_text(last.card)


async def test_a_card_that_is_sent_slowly_stays_in_its_announcers_hand(works: Works, batch: str) -> None:
    await put_card(works, batch)
    works.states.teams.switches = replace(works.states.teams.switches, latency_s=0.9)
    sending = asyncio.ensure_future(announcer(works, lease_s=0.3).run())
    await until(looked(lambda: works.states.teams.control.calls("send")))
    while not sending.done():
        await announcer(works, lease_s=0.3).run()
        await asyncio.sleep(0.05)
    await sending
    assert Counter(one.kind for one in said(works)) == {"send": 1}


async def test_a_conversation_is_spoken_to_by_one_announcer_at_a_time(works: Works, batch: str) -> None:
    """Teams answers 412 to two operations at once."""
    works.states.teams.switches = replace(works.states.teams.switches, refuse_overlap=True, latency_s=0.05)
    for _ in range(4):
        await put_card(works, batch)
    rivals = [announcer(works) for _ in range(3)]
    for _ in range(8):
        await asyncio.gather(*(rival.run() for rival in rivals))
        await its_time_has_come(works)
    assert Counter(one.kind for one in said(works)) == {"send": 4}


@pytest.mark.parametrize("new_thread", [False, True])
async def test_a_deleted_card_is_posted_anew(works: Works, batch: str, new_thread: bool) -> None:
    """In a person's thread, and where the card itself began the thread."""
    where = works.states.teams.directory.team.channels[1].id if new_thread else ""
    await put_card(works, batch, where=where, new_thread=new_thread)
    await works.announcer.run()
    (first,) = said(works)
    works.states.teams.delete(first.conversation, first.activity_id)
    await changed(works, batch, reason="después")
    for _ in range(3):
        await works.announcer.run()
        await its_time_has_come(works)
    again = said(works)[-1]
    assert again.kind == ("create" if new_thread else "send")
    assert again.activity_id != first.activity_id
    await changed(works, batch, reason="y sigue")
    await works.announcer.run()
    last = said(works)[-1]
    assert (last.kind, last.activity_id) == ("update", again.activity_id)
    assert await works.audit("card.post") == []


@pytest.mark.parametrize("status", [412, 429, 503])
async def test_what_teams_puts_off_is_tried_again(works: Works, batch: str, status: int) -> None:
    card = await put_card(works, batch)
    await works.announcer.run()
    works.fault("teams", "update", "status", status=status, times=2)
    await changed(works, batch, reason="tarde")
    before = datetime.now(UTC)
    await works.announcer.run()
    row = await card_row(works, card)
    assert row.drawn_version < row.wanted_version
    assert row.lease_until is not None
    assert row.lease_until > before + timedelta(seconds=1), "not at once"
    await works.announcer.run()
    assert len(works.states.teams.control.calls("update")) == 1
    for _ in range(2):
        await its_time_has_come(works)
        await works.announcer.run()
    row = await card_row(works, card)
    assert row.drawn_version == row.wanted_version
    last = said(works)[-1]
    assert last.card is not None
    assert "tarde" in as_text(last.card)


async def test_a_wait_that_teams_names_is_kept(works: Works, batch: str) -> None:
    card = await put_card(works, batch)
    works.fault("teams", "send", "status", status=429, retry_after_s=40)
    before = datetime.now(UTC)
    await works.announcer.run()
    row = await card_row(works, card)
    assert row.lease_until is not None
    assert timedelta(seconds=39) < row.lease_until - before < timedelta(seconds=45)


async def test_what_teams_will_never_take_is_given_up_and_kept_in_the_audit(works: Works, batch: str) -> None:
    directory = works.states.teams.directory
    gone = await put_card(works, batch, where="19:gone@thread.tacv2")
    good = await put_card(works, batch)
    await works.announcer.run()
    await its_time_has_come(works)
    await works.announcer.run()
    assert [one.conversation.partition(";")[0] for one in said(works)] == [directory.team.channels[1].id]
    assert (await card_row(works, good)).activity_id
    row = await card_row(works, gone)
    assert row.drawn_version == row.wanted_version
    (event,) = await works.audit("card.post")
    assert event.outcome.startswith("failed T-")
    assert len(works.states.teams.control.calls("send")) == 2, "one for each"


@pytest.mark.parametrize("same_conversation", [True, False])
async def test_a_card_that_cannot_be_drawn_does_not_stand_in_the_way(
    works: Works, batch: str, same_conversation: bool
) -> None:
    elsewhere = f"{works.states.teams.directory.team.channels[1].id};messageid=1700000000009"
    await put_card(works, "no es un número", where="" if same_conversation else elsewhere)
    good = [await put_card(works, batch) for _ in range(3)]
    await works.announcer.run()
    assert len(said(works)) == 3
    assert all([(await card_row(works, one)).activity_id for one in good])
    await changed(works, batch, reason="sigue")
    await works.announcer.run()
    assert Counter(one.kind for one in said(works)) == {"send": 3, "update": 3}


async def test_cards_of_readings_and_reports_are_drawn_too(works: Works) -> None:
    async with works.db.transaction() as session:
        run = await ingest_db.request_run(session, SourceList.ASPIRANTES, requested_by="Ana", now=datetime.now(UTC))
    channel = works.states.teams.directory.team.channels[1].id
    await put_card(works, str(run.id), shows="ingest")
    await put_card(works, "2026-11-24", shows="report", where=channel, new_thread=True)
    await works.announcer.run()
    kinds = {one.kind: one for one in said(works)}
    assert set(kinds) == {"send", "create"}
    assert "Informe de la noche" in kinds["create"].summary
    assert kinds["create"].conversation.startswith(f"{channel};messageid=")


async def test_a_card_whose_subject_is_gone_is_let_be(works: Works) -> None:
    card = await put_card(works, "4711")
    await works.announcer.run()
    row = await card_row(works, card)
    assert row.drawn_version == row.wanted_version
    assert said(works) == []
