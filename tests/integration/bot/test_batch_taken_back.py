"""Taken back, and accounts closed and opened."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from cards.as_text import as_text
from lucy.db.tables import PostedCardRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, StepKind
from lucy.domain.roles import Role
from tests.integration.bot.test_batch_stop_and_go import ADDRESS_OR_NUMBER, the_card
from tests.integration.conftest import OpenWorks
from tests.integration.support.channel import Talk, buttons, talking
from tests.integration.support.office import Office
from tests.integration.support.people import grant, students
from tests.integration.support.works import Works


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url, public_url="https://lucy.example") as opened:
        await grant(opened.db, opened.carla, None)  # known by name
        await grant(opened.db, opened.eva, Role.OPERADOR)  # another operator
        yield opened


@pytest.fixture
def office(talk: Talk, works: Works) -> Office:
    return Office(talk, works)


@pytest.fixture
async def moving(talk: Talk, open_works: OpenWorks) -> Office:
    """Thirty students, of whom a claim's worth has an account and is in hand."""
    office = Office(talk, await open_works(in_hand=10))
    await students(talk.db, 30)
    await office.asks("activar aspirantes moodle:no")
    await office.says(talk.bruno, "aprobar 1")
    await office.works.start(1)
    await office.works.lanes().run(StepKind.ACCOUNT)
    await office.draw()
    return office


# Take back


@pytest.fixture
async def finished(office: Office) -> Office:
    await students(office.talk.db, 3)
    await office.asks("activar aspirantes moodle:no")
    await office.says(office.talk.bruno, "aprobar 1")
    await office.drain()
    return office


async def test_undone_by_the_button(finished: Office) -> None:
    talk = finished.talk
    entry, card = the_card(finished)
    told = await finished.presses(talk.ana, card, "Deshacer", on=entry)
    assert "Se deshace en L-0002." in told.text
    assert "Deshacer" not in buttons(told.card)
    again = await finished.presses(talk.ana, card, "Deshacer", on=entry)
    assert again.text == "L-0001 ya se pidió deshacer, en L-0002."
    await finished.drain()
    undo, card = the_card(finished, "L-0002")
    assert undo.conversation == entry.conversation
    text = as_text(card)
    assert "Deshace L-0001" in text
    assert "No se puede deshacer:" in text
    assert "la carta con credenciales ya fue aceptada; a cambio: contraseña nueva y carta de rectificación" in text
    assert not ADDRESS_OR_NUMBER.search(text)
    assert (await finished.batch(2)).kind is BatchKind.UNDO


async def test_an_undo_is_approved_by_another_with_the_count(finished: Office) -> None:
    talk = finished.talk
    told = await talk.says(talk.bruno, "deshacer el lote 1")
    assert "L-0002 · Deshacer · 3 alumnos" in told.text
    assert "la pediste vos" in await finished.says(talk.bruno, "aprobar 2 3")
    assert "escribí cuántos alumnos son" in await finished.says(talk.carla, "aprobar 2")
    assert "aprobada" in await finished.says(talk.carla, "aprobar 2 3")
    await finished.drain()
    assert (await finished.batch(2)).state is BatchState.FINISHED
    assert "3 cuentas deshabilitadas" in finished.text_anywhere("L-0002")
    assert "Se deshace en L-0002." in finished.text("L-0001")


async def test_one_card_for_each_place(finished: Office) -> None:
    """Typed into the thread of the first card: one card there, not two."""
    talk = finished.talk
    entry, _card = the_card(finished)
    thread = entry.conversation.partition(";messageid=")[2]
    await talk.send(talk.scene.channel_message(talk.ana, "undo L-0001", thread=thread))
    await finished.drain()
    (undo,) = finished.cards("L-0002")
    assert undo.conversation == entry.conversation
    async with talk.db.transaction() as session:
        cards = (await session.scalars(select(PostedCardRow).where(PostedCardRow.subject == "2"))).all()
    assert len(cards) == 1


async def test_asked_for_in_private_it_is_shown_beside_the_first_and_to_the_asker(finished: Office) -> None:
    talk = finished.talk
    told = await talk.says(talk.ana, "deshacer L-0001", personal=True)
    assert "Deshace L-0001" in told.text
    await finished.drain()
    places = Counter(one.conversation for one in finished.cards("L-0002"))
    assert places == {talk.ana.personal_conversation_id: 1, the_card(finished)[0].conversation: 1}


async def test_a_rejected_undo_may_be_asked_for_again(finished: Office) -> None:
    talk = finished.talk
    await finished.says(talk.ana, "deshacer 1")
    await finished.says(talk.bruno, "rechazar 2 todavía no")
    await finished.drain()
    _entry, card = the_card(finished)
    assert "Se deshace en" not in as_text(card)
    assert "Deshacer" in buttons(card)
    assert "L-0003 · Deshacer" in await finished.says(talk.ana, "deshacer 1")


async def test_what_runs_is_not_undone(moving: Office) -> None:
    said = await moving.says(moving.talk.ana, "deshacer L-0001")
    assert said == "L-0001 todavía no terminó. Cuando termine, o si la cancelás, se puede deshacer."
    assert await moving.children() == []


async def test_what_was_undone_is_not_undone_twice(finished: Office) -> None:
    talk = finished.talk
    await finished.says(talk.ana, "deshacer 1")
    await finished.says(talk.bruno, "aprobar 2 3")
    await finished.drain()
    assert await finished.says(talk.ana, "deshacer 1") == "L-0001 ya se pidió deshacer, en L-0002."
    _entry, card = the_card(finished)
    assert buttons(card) == ["Ver los 3", "Bajar planilla"], "no button that would do nothing"


# Accounts closed and opened


async def test_accounts_are_disabled_and_enabled(finished: Office) -> None:
    talk = finished.talk
    told = await talk.says(talk.ana, "disable aspirantes")
    assert "L-0002 · Deshabilitar cuentas · 3 alumnos" in told.text
    assert "Bajas: 3 deshabilitaciones de cuenta" in told.text
    await finished.says(talk.bruno, "aprobar 2")
    await finished.drain()
    assert [one.properties["accountEnabled"] for one in finished.works.states.graph.users.values()] == [False] * 3
    assert "3 cuentas deshabilitadas" in finished.text("L-0002")
    told = await talk.says(talk.ana, "habilitar aspirantes")
    assert "3 habilitaciones de cuenta" in told.text
    await finished.says(talk.bruno, "aprobar 3")
    await finished.drain()
    assert [one.properties["accountEnabled"] for one in finished.works.states.graph.users.values()] == [True] * 3
    assert "3 cuentas habilitadas" in finished.text("L-0003")
    told = await talk.says(talk.ana, "enable todos")
    assert "No había nada por hacer: todo estaba hecho de antes." in told.text
