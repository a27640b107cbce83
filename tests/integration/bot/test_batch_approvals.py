"""Deciding as people do it: several approvals, the typed count, what is held, what is parted, the daily reminder."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from cards.as_text import as_text
from lucy.db.tables import ApprovalRow, BatchRow, PostedCardRow
from lucy.domain.batches import BatchState
from lucy.domain.roles import Role
from lucy.flows.nudge_approvers import nudge_approvers
from tests.integration.support.channel import Talk, button, buttons, talking
from tests.integration.support.office import Office
from tests.integration.support.people import grant, students
from tests.integration.support.works import Works


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        await grant(opened.db, opened.carla, None)  # known by name
        yield opened


@pytest.fixture
def office(talk: Talk, works: Works) -> Office:
    return Office(talk, works)


async def approvers(talk: Talk, number: int) -> list[str]:
    async with talk.db.transaction() as session:
        found = select(ApprovalRow.approver_name).where(ApprovalRow.batch_id == number).order_by(ApprovalRow.at)
        return list((await session.scalars(found)).all())


# Several approvals


async def test_two_people_approve_one_by_card_one_by_text(office: Office) -> None:
    talk = office.talk
    await office.sets("aprobaciones.activar", "2:1 2")
    await students(talk.db, 3)
    number, told = await office.asks("activar aspirantes moodle:no")
    assert "Aprobaciones que necesita: 2" in told.text
    (entry,) = office.cards("L-0001")
    first = await office.presses(talk.bruno, told.card, "Aprobar", on=entry)
    assert f"Aprobó 1 de 2: {talk.bruno.name}" in first.text
    assert f"Espera a: {talk.carla.name} (aprobación por otra persona)" in first.text
    assert "Aprobar" not in buttons(first.card), "they said it already"
    await office.draw()
    assert f"Espera a: {talk.carla.name}" in office.text("L-0001")
    assert (await office.batch()).state is BatchState.AWAITING_APPROVAL
    assert "L-0001 aprobada. Empieza ahora." in await office.says(talk.carla, "aprobar l-1")
    await office.drain()
    assert (await office.batch()).state is BatchState.FINISHED
    card = office.text("L-0001")
    assert f"aprobada por {talk.bruno.name} (" in card
    assert f"), {talk.carla.name} (" in card
    assert await approvers(talk, number) == [talk.bruno.name, talk.carla.name]
    assert await office.outcomes("batch.approve") == ["counted", "approved"]


async def test_the_first_of_two_by_text_hears_who_is_missing(office: Office) -> None:
    talk = office.talk
    await office.sets("aprobaciones.activar", "2")
    await students(talk.db, 2)
    await office.asks()
    said = await office.says(talk.bruno, "aprobá el lote 1")
    assert said == f"Anoté tu aprobación de L-0001; falta 1 más ({talk.carla.name})."


async def test_the_same_person_counts_once_by_card_and_by_text(office: Office) -> None:
    talk = office.talk
    await office.sets("aprobaciones.activar", "2")
    await students(talk.db, 2)
    _number, told = await office.asks()
    await office.says(talk.bruno, "aprobar L-0001")
    for said in (
        (await office.presses(talk.bruno, told.card, "Aprobar")).text,
        await office.says(talk.bruno, "approve L-0001"),
    ):
        assert said == "L-0001 ya la aprobaste; falta que la apruebe otra persona."
    assert await approvers(talk, 1) == [talk.bruno.name]
    assert await office.outcomes("batch.approve") == ["counted", "declined", "declined"]


async def test_who_asked_does_not_count_even_with_the_role(office: Office) -> None:
    talk = office.talk
    await office.sets("aprobaciones.activar", "2")
    await students(talk.db, 2)
    await grant(talk.db, talk.ana, Role.APROBADOR)
    _number, told = await office.asks()
    assert "otra persona" in (await office.presses(talk.ana, told.card, "Aprobar")).text
    assert "otra persona" in await office.says(talk.ana, "aprobar 1")
    assert buttons(await office.looks(talk.ana, 1)) == ["Ver los 2", "Cancelar", "Bajar planilla"]
    assert await approvers(talk, 1) == []


async def test_a_card_of_before_the_split_approves_nothing(office: Office) -> None:
    talk = office.talk
    await students(talk.db, 2)
    _number, told = await office.asks()
    async with talk.db.transaction() as session:
        await session.execute(update(BatchRow).values(version=BatchRow.version + 1))
    assert "era de antes" in (await office.presses(talk.bruno, told.card, "Aprobar")).text
    assert await approvers(talk, 1) == []
    await office.presses(talk.bruno, await office.looks(talk.bruno, 1), "Aprobar")
    assert (await office.batch()).state is BatchState.QUEUED


@pytest.mark.parametrize("end", ["cancelar L-0001", "rechazar L-0001 falta la comisión"])
async def test_half_approved_is_not_approved(office: Office, end: str) -> None:
    """One of two said yes, then it ended: the card does not tell of an approval that there was not."""
    talk = office.talk
    await office.sets("aprobaciones.activar", "2")
    await students(talk.db, 2)
    await office.asks()
    await office.says(talk.bruno, "aprobar 1")
    await office.says(talk.carla, end)
    card = await office.reads(talk.ana, 1)
    assert f"aprobó 1 de 2: {talk.bruno.name}" in card
    assert "aprobada por" not in card
    assert f"por {talk.carla.name}" in card


async def test_a_size_that_needs_nobody_starts_at_once(office: Office) -> None:
    talk = office.talk
    await office.sets("aprobaciones.activar", "1:0 1")
    await students(talk.db, 1)
    _number, told = await office.asks("activar aspirantes moodle:no")
    assert "no necesitaba aprobación" in told.text
    assert "Aprobar" not in buttons(told.card)
    await office.drain()
    assert (await office.batch()).state is BatchState.FINISHED
    assert "no necesitaba aprobación" in office.text("L-0001")


# The typed count


async def undo_waits(office: Office, many: int = 3) -> int:
    """An undo of letters that went out: what it does cannot be undone, so the count is typed."""
    await students(office.talk.db, many)
    number, _told = await office.asks("activar aspirantes moodle:no")
    await office.says(office.talk.bruno, f"aprobar {number}")
    await office.drain()
    await office.says(office.talk.ana, f"deshacer {number}")
    await office.drain()
    return number + 1


async def test_the_card_asks_for_the_count_where_it_is_approved(office: Office) -> None:
    talk = office.talk
    undo = await undo_waits(office)
    card = await office.looks(talk.bruno, undo)
    unfolds = card["actions"][0]
    assert (unfolds["type"], unfolds["title"]) == ("Action.ShowCard", "Aprobar")
    (field,) = unfolds["card"]["body"]
    assert (field["id"], field["type"], field["isRequired"]) == ("confirm", "Input.Text", True)
    assert "Escribí 3" in field["label"]
    assert unfolds["card"]["actions"][0]["verb"] == "batch.approve"
    for typed, said in (
        ("", "escribí cuántos alumnos son: aprobar L-0002 <cantidad>"),
        ("4", "4 no es la cantidad de alumnos de L-0002: no se aprobó"),
        ("tres", "tres no es la cantidad"),
    ):
        told = await office.presses(talk.bruno, card, "Aprobar L-0002", confirm=typed)
        assert said in told.text
        assert told.entries == [], "told to the presser alone"
    assert (await office.batch(undo)).state is BatchState.AWAITING_APPROVAL
    assert await approvers(talk, undo) == []
    await office.presses(talk.bruno, card, "Aprobar L-0002", confirm=" 3 ")
    assert (await office.batch(undo)).state is BatchState.QUEUED


async def test_the_count_by_text(office: Office) -> None:
    talk = office.talk
    undo = await undo_waits(office)
    for words, said in (
        ("aprobar L-0002", "escribí cuántos alumnos son"),
        ("aprobar L-0002 30", "30 no es la cantidad"),
        ("aprobar L-0002 tres", "¿Quisiste decir «aprobar»?"),
        ("aprobar L-0002 3, pero mañana", "¿Quisiste decir «aprobar»?"),
    ):
        assert said in await office.says(talk.bruno, words)
    assert (await office.batch(undo)).state is BatchState.AWAITING_APPROVAL
    assert "L-0002 aprobada" in await office.says(talk.bruno, "aprobar lote 2 3 alumnos")
    assert (await office.batch(undo)).state is BatchState.QUEUED


async def test_the_count_with_the_point_of_thousands(office: Office) -> None:
    talk = office.talk
    undo = await undo_waits(office)
    async with talk.db.transaction() as session:
        await session.execute(update(BatchRow).where(BatchRow.id == undo).values(students=1203))
    assert "1.203 alumnos" in await office.reads(talk.bruno, undo)
    assert "1.230 no es la cantidad" in await office.says(talk.bruno, "aprobar L-0002 1.230")
    assert "aprobada" in await office.says(talk.bruno, "aprobar L-0002 1.203")


async def test_a_count_that_nobody_asked_for_does_no_harm(office: Office) -> None:
    await students(office.talk.db, 2)
    await office.asks()
    assert "aprobada" in await office.says(office.talk.bruno, "aprobar L-0001 2")


# The reminder


async def test_the_daily_reminder_is_posted_in_its_thread_with_mentions(office: Office) -> None:
    talk = office.talk
    await students(talk.db, 2)
    await office.asks()
    async with talk.db.transaction() as session:
        await session.execute(update(BatchRow).values(requested_at=datetime.now(UTC) - timedelta(hours=49)))
        assert await nudge_approvers(session, now=datetime.now(UTC)) == [1]
        assert await nudge_approvers(session, now=datetime.now(UTC)) == [], "once a day"
    before = len(talk.teams.transcript.entries)
    await office.draw()
    (nudge,) = [one for one in talk.teams.transcript.since(before) if one.summary.startswith("L-0001 espera")]
    (card,) = office.cards("L-0001")
    assert nudge.conversation == card.conversation
    assert nudge.card is not None
    said = as_text(nudge.card)
    assert "Espera aprobación hace 2 días" in said
    assert f"Para decidir: @{talk.bruno.name}, @{talk.carla.name}" in said
    mentioned = {one["mentioned"]["id"] for one in nudge.card["msteams"]["entities"]}
    assert mentioned == {talk.bruno.id, talk.carla.id}
    assert talk.dario.name not in said
    shown = await talk.presses(talk.bruno, "batch.view", button(nudge.card, "Ver L-0001")["data"])
    assert "Aprobar" in buttons(shown.card)
    assert "hace 2 días" in await office.says(talk.dario, "lotes"), "the list shows how long it has waited"


async def test_who_has_approved_is_not_reminded(office: Office) -> None:
    talk = office.talk
    await office.sets("aprobaciones.activar", "2")
    await students(talk.db, 2)
    await office.asks()
    await office.says(talk.bruno, "aprobar 1")
    await office.draw()
    async with talk.db.transaction() as session:
        await nudge_approvers(session, now=datetime.now(UTC) + timedelta(hours=25))
    before = len(talk.teams.transcript.entries)
    await office.draw()
    (nudge,) = [one for one in talk.teams.transcript.since(before) if one.card]
    assert nudge.card is not None
    assert f"Para decidir: @{talk.carla.name}\n" in as_text(nudge.card)


async def test_a_reminder_that_came_too_late_is_not_posted(office: Office) -> None:
    talk = office.talk
    await students(talk.db, 2)
    await office.asks()
    async with talk.db.transaction() as session:
        await nudge_approvers(session, now=datetime.now(UTC) + timedelta(hours=25))
    await office.says(talk.bruno, "rechazar 1 no")
    await office.draw()
    async with talk.db.transaction() as session:
        waiting = (await session.scalars(select(PostedCardRow).where(PostedCardRow.shows == "waiting"))).one()
    assert waiting.activity_id == ""
