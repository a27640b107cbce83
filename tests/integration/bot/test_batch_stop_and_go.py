"""A moving batch in people's hands: pause, resume, cancel, try again, take back, and what becomes of who changed."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select, update

from cards.as_text import as_text
from lucy.db.tables import StepRow, StudentRow
from lucy.domain.batches import BatchState, Relation
from lucy.domain.operations import StepKind
from lucy.domain.roles import Role
from sandbox.teams.transcript import Entry
from tests.integration.conftest import OpenWorks
from tests.integration.support.channel import Talk, buttons, talking
from tests.integration.support.office import Office
from tests.integration.support.people import Known, grant, students
from tests.integration.support.works import Works

ADDRESS_OR_NUMBER = re.compile(r"@example\.com|40\.?123\.?\d{3}")


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


def the_card(office: Office, code: str = "L-0001") -> tuple[Entry, dict[str, Any]]:
    (entry,) = office.cards(code)
    assert entry.card is not None
    return entry, entry.card


async def done(office: Office, number: int = 1) -> Counter[str]:
    return Counter(step.state.value for step in await office.works.steps(number))


def dotted(one: Known) -> str:
    return f"{one.document[:2]}.{one.document[2:5]}.{one.document[5:]}"


# Pause and resume


async def test_paused_by_who_asked_and_resumed_by_who_approves(moving: Office) -> None:
    talk = moving.talk
    entry, card = the_card(moving)
    assert buttons(card) == ["Pausar", "Ver los 30", "Cancelar lo que falta"]
    told = await moving.presses(talk.ana, card, "Pausar", on=entry)
    assert "En pausa · SIMULADOR" in told.text
    assert buttons(told.card) == ["Reanudar", "Ver los 30", "Cancelar lo que falta"]
    assert "ya está en pausa" in (await moving.presses(talk.bruno, card, "Pausar", on=entry)).text
    await moving.drain()
    assert (await moving.batch()).state is BatchState.PAUSED
    assert set(await done(moving)) == {"done", "due", "waiting"}, "everybody is whole"
    entry, card = the_card(moving)
    assert "lo que falta espera a que alguien la reanude" in as_text(card)
    told = await moving.presses(talk.bruno, card, "Reanudar", on=entry)
    assert "En marcha" in told.text
    await moving.drain()
    assert (await moving.batch()).state is BatchState.FINISHED
    assert await done(moving) == {"done": 90}
    assert await moving.outcomes("batch.pause") == ["paused", "declined"]
    assert await moving.outcomes("batch.resume") == ["running"]


@pytest.mark.parametrize("words", ["pausá L-0001", "pausar el lote 1", "pause l1", "lote 1 pausar"])
async def test_paused_by_text(moving: Office, words: str) -> None:
    said = await moving.says(moving.talk.ana, words)
    assert said == ("L-0001 en pausa: se terminan los alumnos que estaban en la mano. Sigue con: reanudar L-0001.")
    assert "L-0001 sigue donde había quedado." in await moving.says(moving.talk.ana, "reanudá l1")
    assert (await moving.batch()).state is BatchState.RUNNING


async def test_paused_before_it_began(office: Office) -> None:
    talk = office.talk
    await students(talk.db, 2)
    await office.asks("activar aspirantes moodle:no")
    assert "todavía espera aprobación" in await office.says(talk.ana, "pausar 1")
    await office.says(talk.bruno, "aprobar 1")
    assert await office.says(talk.ana, "pausar 1") == "L-0001 en pausa, antes de empezar. Sigue con: reanudar L-0001."
    card = await office.looks(talk.ana, 1)
    assert "En pausa desde antes de empezar: no se hizo nada" in as_text(card)
    assert buttons(card) == ["Reanudar", "Ver los 2", "Cancelar"]
    assert (await office.batch()).state is BatchState.PAUSED
    await office.says(talk.ana, "resume L-0001")
    await office.drain()
    assert (await office.batch()).state is BatchState.FINISHED


@pytest.mark.parametrize("word", ["pausar", "cancelar"])
async def test_another_operator_is_told_who_may(moving: Office, word: str) -> None:
    talk = moving.talk
    entry, card = the_card(moving)
    assert buttons(await moving.looks(talk.eva, 1)) == ["Ver los 30"]
    title = {"pausar": "Pausar", "cancelar": "Cancelar"}[word]
    for said in (
        await moving.says(talk.eva, f"{word} L-0001"),
        (await moving.presses(talk.eva, card, title, on=entry)).text,
    ):
        assert f"L-0001 la pidió {talk.ana.name}" in said
        assert "quien aprueba" in said
    assert (await moving.batch()).state is BatchState.RUNNING
    await moving.says(talk.ana, "pausar 1")
    assert talk.ana.name in await moving.says(talk.eva, "reanudar 1")
    assert (await moving.batch()).state is BatchState.PAUSED


# Cancel


@pytest.mark.parametrize("who", ["ana", "bruno"])
async def test_cancelled_with_students_in_hand(moving: Office, who: str) -> None:
    talk = moving.talk
    person = getattr(talk, who)
    entry, card = the_card(moving)
    told = await moving.presses(person, card, "Cancelar", on=entry)
    assert f"cancelada por {person.name}" in told.text
    assert "Se terminan los alumnos que estaban en la mano" in told.text
    assert buttons(told.card) == [], "nothing can be done with it until they are"
    assert "reintentar" not in told.text
    assert "está terminando con quienes ya había empezado" in await moving.says(talk.ana, "reintentar 1")
    assert "está terminando con quienes ya había empezado" in await moving.says(talk.ana, "deshacer 1")
    assert "está cancelada" in (await moving.presses(person, card, "Cancelar", on=entry)).text
    assert "está cancelada" in (await moving.presses(person, card, "Pausar", on=entry)).text
    assert len(await moving.children()) == 0
    await moving.drain()
    counts = await done(moving)
    assert set(counts) == {"done", "cancelled"}
    _entry, card = the_card(moving)
    text = as_text(card)
    assert buttons(card) == []
    assert "Lo que no se hizo se pide de nuevo con: reintentar L-0001." in text
    assert "Lo que se hizo se deshace con: deshacer L-0001." in text
    assert f"aprobada por {talk.bruno.name}" in text


async def test_what_a_cancelled_one_left_is_asked_for_once(moving: Office) -> None:
    talk = moving.talk
    said = await moving.says(talk.ana, "cancelar lote 1")
    assert said == "L-0001 cancelada: se terminan los alumnos que estaban en la mano, nadie más."
    await moving.drain()
    assert "se pide de nuevo en L-0002" in await moving.says(talk.ana, "reintentar L-0001")
    assert "ya se pidió en L-0002" in await moving.says(talk.ana, "retry L-0001")
    await moving.drain()
    (rest,) = await moving.children()
    assert (rest.relation, rest.state) == (Relation.REST, BatchState.AWAITING_APPROVAL)
    entry, card = the_card(moving, "L-0002")
    assert "Viene de L-0001" in as_text(card)
    assert entry.conversation == the_card(moving)[0].conversation
    assert "Los que no se habían empezado quedaron en L-0002." in moving.text("L-0001")
    assert "reintentar" not in moving.text("L-0001")
    await moving.says(talk.bruno, "rechazar 2 mañana")
    await moving.drain()
    assert "reintentar L-0001" in moving.text("L-0001"), "it may be asked for again"


async def test_cancelled_before_it_began(office: Office) -> None:
    talk = office.talk
    await students(talk.db, 2)
    await office.asks()
    said = await office.says(talk.ana, "cancelá l-1")
    assert said == "L-0001 cancelada: no había empezado, no se hace nada."
    assert "No se hizo nada." in await office.reads(talk.dario, 1)


# Try again


@pytest.fixture
async def failed(office: Office) -> tuple[Office, list[Known], list[Known]]:
    """Four students of whom two failed; those who did and those who did not."""
    known = await students(office.talk.db, 4)
    office.works.fault("graph", "POST /users", "status", status=403, times=2)
    await office.asks("activar aspirantes moodle:no")
    await office.says(office.talk.bruno, "aprobar 1")
    await office.drain()
    async with office.talk.db.transaction() as session:
        ids = set((await session.scalars(select(StepRow.student_id).where(StepRow.state == "failed"))).all())
    return office, [one for one in known if one.id in ids], [one for one in known if one.id not in ids]


async def test_one_student_is_tried_again(failed: tuple[Office, list[Known], list[Known]]) -> None:
    office, bad, good = failed
    talk = office.talk
    assert "Terminada con 2 pendientes" in office.text("L-0001")
    assert "[Reintentar 2]" in office.text("L-0001")
    said = await office.says(talk.ana, f"reintentar L-0001 {dotted(bad[0])}")
    assert said == "L-0001: se reintenta lo que falló de ese alumno."
    await office.drain()
    assert await done(office) == {"done": 9, "failed": 1, "skipped": 2}
    assert "[Reintentar 1]" in office.text("L-0001")
    for words, told in (
        (f"reintentar L-0001 {dotted(good[0])}", "De ese alumno no hay nada para reintentar en L-0001."),
        ("reintentar L-0001 40.999.001", "No conozco a nadie con el documento «●●●●9001»."),
        ("reintentar L-0001 mañana", "¿Quisiste decir «reintentar»?"),
        ("reintentar L-0099", "No hay ningún lote L-0099"),
        ("reintentar", "¿Qué lote?"),
    ):
        assert told in await office.says(talk.ana, words)
    assert (await office.batch()).state is BatchState.FINISHED_WITH_FAILURES


async def test_all_that_failed_by_the_button(failed: tuple[Office, list[Known], list[Known]]) -> None:
    office, _bad, _good = failed
    talk = office.talk
    entry, card = the_card(office)
    told = await office.presses(talk.ana, card, "Reintentar", on=entry)
    assert "En marcha" in told.text
    assert "lo pasajero se reintenta solo" in (await office.presses(talk.ana, card, "Reintentar", on=entry)).text
    await office.drain()
    assert await done(office) == {"done": 12}
    _entry, card = the_card(office)
    assert buttons(card) == ["Ver los 4", "Deshacer", "Bajar planilla"]
    assert "no quedó nada para reintentar" in await office.says(talk.ana, "reintentar L-0001")


async def test_the_sheet_is_for_operators_and_of_what_has_ended(
    failed: tuple[Office, list[Known], list[Known]],
) -> None:
    office, _bad, _good = failed
    talk = office.talk
    entry, card = the_card(office)
    of_dario = buttons(await office.looks(talk.dario, 1))
    assert of_dario == ["Ver los 4"]
    for person in (talk.eva, talk.bruno, talk.carla):
        assert "Bajar planilla" in buttons(await office.looks(person, 1))
    told = await office.presses(talk.eva, card, "Bajar", on=entry)
    assert told.entries == [], "told to the presser alone"
    assert told.card["actions"][0]["url"].startswith("https://lucy.example/descargas/")
    assert "hace falta el rol operador" in (await office.presses(talk.dario, card, "Bajar", on=entry)).text
    assert len(await office.events("batch.download.offer")) == 1


async def test_no_sheet_before_the_end(moving: Office) -> None:
    for person in (moving.talk.ana, moving.talk.bruno):
        assert "Bajar planilla" not in buttons(await moving.looks(person, 1))


# Who changed


async def test_who_changed_is_asked_for_anew_in_the_same_thread(office: Office) -> None:
    talk = office.talk
    known = await students(talk.db, 5)
    await office.asks("activar aspirantes moodle:no")
    await office.says(talk.bruno, "aprobar 1")
    async with talk.db.transaction() as session:
        changed = update(StudentRow).where(StudentRow.id == known[2].id)
        await session.execute(changed.values(personal_email="otra@example.com"))
    before = len(talk.teams.transcript.entries)
    await office.drain()
    first, card = the_card(office)
    assert "Terminada con 1 pendiente" in as_text(card)
    assert "El que cambió se pide de nuevo en L-0002." in as_text(card)
    again, card = the_card(office, "L-0002")
    assert again.conversation == first.conversation
    text = as_text(card)
    assert "Viene de L-0001: 1 alumno cambió después de la aprobación" in text
    assert f"cambió el correo (●●●●{known[2].document[-4:]})" in text
    for entry in talk.teams.transcript.since(before):
        assert not ADDRESS_OR_NUMBER.search(str(entry.to_json())), entry.text
        assert "<at>" not in str(entry.to_json()), "nobody is called by name for it"
    assert (await office.batch(2)).requested_by == talk.ana.aad_object_id
    assert "no quedó nada para reintentar" in await office.says(talk.ana, "reintentar 1")
    await office.says(talk.bruno, "aprobar 2")
    await office.drain()
    assert (await office.batch(2)).state is BatchState.FINISHED
