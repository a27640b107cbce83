"""Held and parted: what a card asks before anything runs."""

from collections.abc import AsyncIterator

import pytest

from cards.as_text import as_text
from lucy.domain.batches import BatchState, Relation
from lucy.domain.operations import StepKind
from lucy.domain.roles import Role
from tests.integration.conftest import OpenWorks
from tests.integration.support.channel import Talk, buttons, talking
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
    assert buttons(of_bruno) == ["Soltar para aprobar", "Rechazar", "Ver los 5", "Cancelar", "Bajar planilla"]
    assert "Se puede: soltarla para que se apruebe, rechazarla o cancelarla" in as_text(of_bruno)
    assert buttons(of_ana) == ["Ver los 5", "Cancelar", "Bajar planilla"]
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
