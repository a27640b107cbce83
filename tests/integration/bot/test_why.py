"""`por que`, and the buttons of a student's card: over what really happened to them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from lucy.db import rules
from lucy.domain.batches import BatchState
from lucy.domain.course_rules import CourseRule
from lucy.domain.operations import BatchKind
from lucy.domain.students import Stage
from lucy.flows.set_config import set_config
from tests.integration.support.channel import Talk, Told, talking
from tests.integration.support.office import Office
from tests.integration.support.outcomes import in_entra
from tests.integration.support.people import actor, course_rules, students
from tests.integration.support.works import Works


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        yield opened


@pytest.fixture
def office(talk: Talk, works: Works) -> Office:
    return Office(talk, works)


def titles(card: Any) -> list[str]:
    return [str(one["title"]) for one in card.get("actions", [])]


async def ask(office: Office, words: str, *, personal: bool = True) -> Told:
    return await office.talk.says(office.talk.dario, words, personal=personal)


def about(text: str, thing: str) -> str:
    """What a card says of one thing."""
    after = text.partition(f"\n\n{thing}: ")[2]
    return after.partition("\n\n")[0]


async def test_what_was_done_names_who_wanted_it_and_what_was_answered(office: Office) -> None:
    (known,) = await students(office.talk.db)
    await course_rules(office.talk.db, "CONT-1")
    await office.works.activate()
    text = (await ask(office, f"por qué {known.document}")).text
    for thing in ("Cuenta", "Licencia", "Carta", "Usuario de Moodle", "CONT-1"):
        assert about(text, thing).startswith("sí"), (thing, text)
        assert "lo hizo L-0001" in about(text, thing)
    asked, approved = office.works.people[0].name, office.works.people[1].name
    assert f"la pidió {asked}" in about(text, "Cuenta")
    assert f"aprobó {approved}" in about(text, "Cuenta")
    assert "message_id <lucy.1." in about(text, "Carta")
    assert "le toca por CP presencial, comisión 01" in about(text, "CONT-1")


async def test_what_is_not_says_what_is_missing(office: Office) -> None:
    (known,) = await students(office.talk.db)
    text = (await ask(office, f"por que {known.document}")).text
    assert "nadie la pidió todavía: activar" in about(text, "Cuenta")
    assert "aspirante 2026: CP presencial, comisión 01" in text
    (other,) = await students(office.talk.db, stage=Stage.PREINSCRIPTO)
    assert "es preinscripto: no lleva cuenta" in (await ask(office, f"por que {other.document}")).text


async def test_a_near_rule_says_on_which_field_it_fails(office: Office) -> None:
    (known,) = await students(office.talk.db)
    other = CourseRule(0, "ADM-1", frozenset({"CP", "LA"}), frozenset({"DIST"}), frozenset())
    async with office.talk.db.transaction() as session:
        await rules.replace_course_rules(session, [other])
    for words in (f"por que {known.document} no está en ADM-1", f"por que no está en adm-1 {known.document}"):
        text = (await ask(office, words)).text
        assert "ADM-1: no" in text
        assert "es a distancia" in about(text, "ADM-1")
        assert "Licencia:" not in text.partition("Qué dice SIAL")[2], "only what was asked about"


async def test_what_failed_and_what_drifted_is_told(office: Office) -> None:
    works = office.works
    one, other = await students(works.db, 2)
    works.fault("inbox", f"RCPT {one.email}", "reply", status=550, times=None)
    await works.activate()
    text = (await ask(office, f"por que {one.document}")).text
    assert "L-0001 lo intentó y no se pudo: La casilla no existe" in about(text, "Carta")
    assert "(E-004)" in about(text, "Carta")
    in_entra(works, other).properties["accountEnabled"] = False
    await works.actors.check_accounts(1)
    text = (await ask(office, f"por que {other.document}")).text
    assert about(text, "Cuenta").startswith("no")
    assert "hoy está entre las cuentas que están deshabilitadas y Lucy no lo hizo" in about(text, "Cuenta")


async def test_what_waits_for_a_decision_is_told(office: Office) -> None:
    (known,) = await students(office.talk.db)
    await office.talk.says(office.talk.ana, "activar aspirantes")
    text = (await ask(office, f"por que {known.document}")).text
    assert "lo pide L-0001, que espera aprobación" in about(text, "Cuenta")


async def test_what_was_done_is_told_though_a_later_request_came_to_nothing(office: Office) -> None:
    (known,) = await students(office.talk.db)
    await office.works.activate()
    shown = await office.talk.says(office.talk.ana, "resetear aspirantes")
    await office.presses(office.talk.ana, shown.card, "Cancelar")
    letter = about((await ask(office, f"por que {known.document}")).text, "Carta")
    assert "lo hizo L-0001" in letter
    assert "L-0002" not in letter


async def test_in_the_channel_no_whole_number_is_shown(office: Office) -> None:
    (known,) = await students(office.talk.db)
    told = await ask(office, f"por que {known.document}", personal=False)
    assert known.document not in told.text
    assert "●●●●" in told.text
    assert known.document not in str(told.card)


@pytest.mark.parametrize("words", ["por que", "por que nadie", "por que 99.999.999"])
async def test_nobody_is_answered_politely(office: Office, words: str) -> None:
    text = (await ask(office, words)).text
    assert "¿De quién?" in text or "No conozco a nadie" in text


# The buttons of a student's card


async def test_a_reader_may_ask_why_and_an_operator_for_more(office: Office) -> None:
    (known,) = await students(office.talk.db)
    await course_rules(office.talk.db, "CONT-1")
    reads = await ask(office, f"alumno {known.document}")
    assert titles(reads.card) == ["Por qué"]
    works = await office.talk.says(office.talk.ana, f"alumno {known.document}", personal=True)
    assert titles(works.card) == ["Por qué", "Activar"]
    assert known.document not in str(works.card["actions"])
    why = await office.presses(office.talk.dario, reads.card, "Por qué")
    assert "nadie la pidió todavía" in why.text
    asked = await office.presses(office.talk.ana, works.card, "Activar")
    assert "L-0001" in asked.text
    assert (await office.works.batch(1)).state is BatchState.AWAITING_APPROVAL


async def test_what_can_be_asked_for_follows_what_there_is(office: Office) -> None:
    works, ana = office.works, office.talk.ana
    (known,) = await students(works.db)
    await works.activate()
    shown = await office.talk.says(ana, f"alumno {known.document}", personal=True)
    assert titles(shown.card) == ["Por qué", "Resetear contraseña", "Deshabilitar", "Historial"]
    await course_rules(works.db, "CONT-1")
    shown = await office.talk.says(ana, f"alumno {known.document}", personal=True)
    assert "Matricular" in titles(shown.card)
    async with works.db.transaction() as session:
        who, now = actor(works.people[2]), (await works.batch(1)).requested_at
        await set_config(session, "aprobaciones.resetear", "1:0 1", actor=who, now=now)
    reset = await office.presses(ana, shown.card, "Resetear contraseña")
    assert "Contraseñas nuevas" in reset.text
    await office.drain()
    assert (await works.batch(2)).kind is BatchKind.RESET
    assert (await works.batch(2)).state is BatchState.FINISHED
    assert len(works.states.inbox.sent_to(known.email)) == 2


async def test_a_press_without_the_role_does_nothing(office: Office) -> None:
    (known,) = await students(office.talk.db)
    shown = await office.talk.says(office.talk.ana, f"alumno {known.document}")
    told = await office.presses(office.talk.dario, shown.card, "Activar")
    assert "hace falta el rol operador" in told.text
    for data in ({}, {"student": "x"}, {"student": 10**8}, {"student": int(known.id), "kind": "undo"}):
        told = await office.talk.presses(office.talk.ana, "student.request", data)
        assert "no se entiende" in told.text
