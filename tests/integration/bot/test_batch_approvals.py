"""Deciding as people do it: several approvals, the typed count, what is held, what is parted, the daily reminder."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from cards.as_text import as_text
from lucy.db.tables import ApprovalRow, BatchRow, PostedCardRow
from lucy.domain.batches import BatchState, Relation
from lucy.domain.operations import StepKind
from lucy.domain.roles import Role
from lucy.flows.nudge_approvers import nudge_approvers
from tests.integration.conftest import OpenWorks
from tests.integration.support.channel import Talk, button, buttons, talking
from tests.integration.support.office import Office
from tests.integration.support.people import course_rules, grant, students
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
    assert buttons(await office.looks(talk.ana, 1)) == ["Ver los 2", "Cancelar"]
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


# Held


@pytest.fixture
async def held(office: Office) -> Office:
    """Five students where four are allowed."""
    await office.sets("umbral.activar", "4")
    await students(office.talk.db, 5)
    await office.asks("activar aspirantes moodle:no")
    await office.drain()
    return office


async def test_a_held_card_has_the_numbers_and_who_may_let_it_go(held: Office) -> None:
    talk = held.talk
    card = held.text("L-0001")
    assert "Retenida" in card
    assert "son 5 alumnos y el umbral es 4" in card
    of_bruno, of_ana, of_dario = [await held.looks(who, 1) for who in (talk.bruno, talk.ana, talk.dario)]
    assert buttons(of_bruno) == ["Soltar para aprobar", "Rechazar", "Ver los 5", "Cancelar"]
    assert "Se puede: soltarla para que se apruebe, rechazarla o cancelarla" in as_text(of_bruno)
    assert buttons(of_ana) == ["Ver los 5", "Cancelar"]
    assert buttons(of_dario) == ["Ver los 5"]
    for other in (of_ana, of_dario):
        assert f"La pueden soltar: {talk.bruno.name} o {talk.carla.name}" in as_text(other)
    assert "soltar L-0001" in await held.says(talk.bruno, "aprobar L-0001")
    assert (await held.batch()).state is BatchState.HELD


async def test_released_and_then_approved(held: Office) -> None:
    talk = held.talk
    await grant(talk.db, talk.ana, Role.APROBADOR)
    assert "la tiene que soltar otra persona" in await held.says(talk.ana, "soltar 1")
    (entry,) = held.cards("L-0001")
    assert entry.card is not None
    told = await held.presses(talk.bruno, entry.card, "Soltar", on=entry)
    assert "Espera aprobación" in told.text
    assert buttons(told.card)[0] == "Aprobar"
    assert "no está retenida" in (await held.presses(talk.carla, entry.card, "Soltar", on=entry)).text
    assert "aprobada" in await held.says(talk.bruno, "aprobar 1")
    await held.drain()
    assert (await held.batch()).state is BatchState.FINISHED, "what was let pass is not held again"
    declined, released, late = await held.events("batch.release")
    assert (declined.outcome, released.outcome, late.outcome) == ("declined", "released", "declined")
    assert "umbral es 4" in str(released.detail["held"])


async def test_released_by_text(held: Office) -> None:
    said = await held.says(held.talk.bruno, "soltá el lote 1")
    assert said == "L-0001 ya no está retenida; ahora espera aprobación."


async def test_held_and_rejected_with_a_reason(held: Office) -> None:
    talk = held.talk
    (entry,) = held.cards("L-0001")
    assert entry.card is not None
    await held.presses(talk.bruno, entry.card, "Rechazar L-0001", on=entry, reason="son demasiados")
    await held.drain()
    assert (await held.batch()).state is BatchState.REJECTED
    card = held.text("L-0001")
    assert "Motivo: son demasiados" in card
    assert f"rechazada por {talk.bruno.name}" in card
    assert "[" not in card, "a decided card has no buttons"


async def test_removals_over_their_threshold_are_decided_apart(office: Office) -> None:
    """`matricular bajas:si`: the additions wait for approval, the removals are held, both cards in one thread."""
    talk = office.talk
    await students(talk.db, 6)
    await course_rules(talk.db, "INGRESO-2026")
    await office.asks()
    await office.says(talk.bruno, "aprobar 1")
    await office.drain()
    await course_rules(talk.db, "CONT-1")
    await office.sets("umbral.matricular.bajas", "2")
    told = await talk.says(talk.ana, "matricular aspirantes bajas:si")
    assert "Las bajas quedaron aparte, en L-0003." in told.text
    await office.drain()
    (adds,), (takes,) = office.cards("L-0002"), office.cards("L-0003")
    assert adds.conversation == takes.conversation
    assert adds.card is not None
    assert takes.card is not None
    assert "6 matriculaciones" in as_text(adds.card)
    assert "desmatriculaciones" not in as_text(adds.card)
    assert "Bajas apartadas de L-0002" in as_text(takes.card)
    assert "son 6 alumnos y el umbral es 2" in as_text(takes.card)
    assert "Bajas: 6 desmatriculaciones" in as_text(takes.card)
    await office.says(talk.bruno, "aprobar 2")
    await office.drain()
    assert (await office.batch(2)).state is BatchState.FINISHED
    assert {one.state.value for one in await office.works.steps(3, StepKind.UNENROL)} <= {"due", "waiting"}
    await office.says(talk.bruno, "soltar 3")
    await office.says(talk.bruno, "aprobar 3")
    await office.drain()
    assert "6 desmatriculaciones" in office.text("L-0003")


async def test_a_value_of_bajas_that_is_none(office: Office) -> None:
    assert "bajas:si o bajas:no" in await office.says(office.talk.ana, "matricular aspirantes bajas:quizás")


# Parted


@pytest.fixture
async def short(talk: Talk, open_works: OpenWorks) -> Office:
    """Five students and three seats."""
    office = Office(talk, await open_works(seats=3))
    await students(talk.db, 5)
    await office.asks("activar aspirantes moodle:no")
    await office.drain()
    return office


async def test_parted_by_the_button(short: Office) -> None:
    talk = short.talk
    (entry,) = short.cards("L-0001")
    assert entry.card is not None
    assert "Aprobar" not in buttons(entry.card)
    assert "Alcanza para 3 de 5: faltan 2 licencias" in as_text(entry.card)
    assert "partir L-0001" in await short.says(talk.bruno, "aprobar 1")
    told = await short.presses(talk.ana, entry.card, "Partir en 3 + 2", on=entry)
    assert "L-0001 · Activación sin Moodle · 3 alumnos" in told.text
    assert "Los que no entraban quedaron en L-0002." in told.text
    await short.drain()
    (first,), (rest,) = short.cards("L-0001"), short.cards("L-0002")
    assert first.conversation == rest.conversation
    assert rest.card is not None
    assert "Viene de L-0001: 2 alumnos que quedaron para después al partirla" in as_text(rest.card)
    (child,) = await short.children()
    assert (child.students, child.relation, (await short.batch()).students) == (2, Relation.SPLIT, 3)
    assert "entra entera" in (await short.presses(talk.ana, entry.card, "Partir", on=entry)).text
    assert len(await short.children()) == 1, "a second press parts nothing"


@pytest.mark.parametrize("words", ["partir lote 1", "partí L-0001", "dividir l1", "split L-0001"])
async def test_parted_by_text(short: Office, words: str) -> None:
    said = await short.says(short.talk.ana, words)
    assert said == "L-0001 quedó con los que entran; el resto espera en L-0002."
    await short.drain()
    (first,), (rest,) = short.cards("L-0001"), short.cards("L-0002")
    assert first.conversation == rest.conversation


async def test_another_operator_does_not_part_it(short: Office) -> None:
    talk = short.talk
    await grant(talk.db, talk.eva, Role.OPERADOR)
    assert buttons(await short.looks(talk.eva, 1)) == ["Ver los 5"]
    assert talk.ana.name in await short.says(talk.eva, "partir 1")
    assert await short.children() == []
    assert await short.outcomes("batch.split") == ["declined"]


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
