"""`desmatricular`, `cuenta`, `licencia`, `reglas` and `deriva` as people type them in the channel."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from lucy.db.tables import AccountRow, BatchRow, DriftRow, EnrolmentRow, OutboxRow
from lucy.domain.operations import BatchKind, options_from
from lucy.domain.roles import Role
from lucy.domain.students import mask_document_number
from tests.integration.support.channel import Talk, talking
from tests.integration.support.people import Known, course_rules, grant, students

NOW = datetime.now(UTC)


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        await grant(opened.db, opened.ana, Role.OPERADOR)
        await grant(opened.db, opened.dario, Role.CONSULTA)
        yield opened


async def known(talk: Talk, number: str = "40999001") -> Known:
    """A student with an account and two courses of Lucy's."""
    (one,) = await students(talk.db, document_number=number)
    await course_rules(talk.db, "CONT-1")
    async with talk.db.transaction() as session:
        account = {"student_id": one.id, "upn": one.upn, "entra_id": f"e-{number}", "enabled": True, "licensed": True}
        await session.execute(insert(AccountRow).values(**account, made_by_batch=1, created_at=NOW, verified_at=NOW))
        rows = [
            {"student_id": one.id, "course": course, "course_id": place, "made_by_batch": 1, "created_at": NOW}
            for place, course in enumerate(("CONT-1", "Taller Ñandú"), 3)
        ]
        await session.execute(insert(EnrolmentRow), rows)
    return one


async def asked(talk: Talk) -> list[tuple[BatchKind, tuple[str, ...]]]:
    async with talk.db.transaction() as session:
        rows = (await session.scalars(select(BatchRow).order_by(BatchRow.id))).all()
    return [(row.kind, options_from(row.options).courses) for row in rows]


async def nudges(talk: Talk) -> list[tuple[str, list[object]]]:
    async with talk.db.transaction() as session:
        rows = (await session.scalars(select(OutboxRow).order_by(OutboxRow.id))).all()
    return [(row.actor, list(row.args)) for row in rows] + [(one.actor, list(one.args)) for one in talk.nudges.sent]


@pytest.mark.parametrize(
    ("words", "kind", "courses"),
    [
        ("desmatricular 40.999.001", BatchKind.UNENROL, ()),
        ("desmatricular 40.999.001 curso:cont-1", BatchKind.UNENROL, ("CONT-1",)),
        ("unenrol 40999001 course:CONT-1", BatchKind.UNENROL, ("CONT-1",)),
        ("cuenta actualizar 40999001", BatchKind.UPDATE, ()),
        ("cuenta restaurar 40999001", BatchKind.RESTORE, ()),
        ("cuenta deshabilitar 40999001", BatchKind.DISABLE, ()),
        ("account enable 40999001", BatchKind.ENABLE, ()),
        ("cuenta crear 40999001", BatchKind.ACTIVATE, ()),
        ("licencia 40999001", BatchKind.LICENSE, ()),
        ("licencia quitar 40999001", BatchKind.UNLICENSE, ()),
        ("licence remove 40999001", BatchKind.UNLICENSE, ()),
    ],
)
async def test_what_people_type_becomes_a_batch(
    talk: Talk, words: str, kind: BatchKind, courses: tuple[str, ...]
) -> None:
    await known(talk)
    told = await talk.says(talk.ana, words)
    assert await asked(talk) == [(kind, courses)], told.text


async def test_a_course_that_is_not_known_is_named_with_those_that_are(talk: Talk) -> None:
    await known(talk)
    told = await talk.says(talk.ana, "desmatricular 40999001 curso:CONTA-1")
    assert "No conozco el curso «conta-1»" in told.text
    assert "CONT-1" in told.text
    assert await asked(talk) == []


@pytest.mark.parametrize("words", ["cuenta", "cuenta aspirantes", "cuenta volar 40999001"])
async def test_an_account_needs_a_deed(talk: Talk, words: str) -> None:
    told = await talk.says(talk.ana, words)
    assert "¿Qué hago con las cuentas?" in told.text
    assert "restaurar" in told.text


async def test_the_rules_and_who_they_are_for(talk: Talk) -> None:
    await course_rules(talk.db, "CONT-1", "INGRESO-2026")
    told = await talk.says(talk.dario, "reglas")
    assert "CONT-1: todos" in told.text
    assert "todavía no se revisaron" in told.text


async def test_the_tester_says_what_somebody_gets_and_hides_the_number_in_the_channel(talk: Talk) -> None:
    one = await known(talk)
    for words in ("reglas probar 40.999.001", "regla 40999001"):
        told = await talk.says(talk.dario, words)
        assert "Le tocan" in told.text
        assert "CONT-1: por CP presencial, comisión 01" in told.text
        assert mask_document_number(one.document) in told.text
        assert "40.999.001" not in told.text
    assert "No conozco a nadie" in (await talk.says(talk.dario, "reglas probar 20.111.222")).text
    assert "¿Con quién pruebo?" in (await talk.says(talk.dario, "reglas probar")).text
    assert "no se entiende" in (await talk.says(talk.dario, "reglas borrar")).text


async def test_who_may_have_moodle_and_entra_asked(talk: Talk) -> None:
    for words, nudge in (("reglas verificar", "check_courses"), ("deriva verificar", "check_accounts")):
        assert "hace falta el rol operador" in (await talk.says(talk.dario, words)).text
        assert nudge not in [actor for actor, _args in await nudges(talk)]
        assert "Preguntando a" in (await talk.says(talk.ana, words)).text
        assert nudge in [actor for actor, _args in await nudges(talk)]
    await talk.says(talk.ana, "deriva verificar todo")
    assert ("check_accounts", [1]) in await nudges(talk)
    assert "no se entiende" in (await talk.says(talk.ana, "deriva borrar")).text


async def test_drift_is_shown_without_whole_numbers(talk: Talk) -> None:
    one = await known(talk)
    assert "Todavía no se revisó" in (await talk.says(talk.dario, "deriva")).text
    async with talk.db.transaction() as session:
        row = {"student_id": one.id, "entra_id": "e-40999001", "kind": "disabled"}
        await session.execute(insert(DriftRow).values(**row, first_seen_at=NOW, last_seen_at=NOW))
    told = await talk.says(talk.dario, "deriva")
    assert "1 cuenta: están deshabilitadas y Lucy no lo hizo" in told.text
    assert mask_document_number(one.document) in told.text
    assert one.document not in told.text
