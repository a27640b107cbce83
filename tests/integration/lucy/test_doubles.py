"""People who may be one are proposed, by what they have in common, and nobody is merged."""

from datetime import date

from lucy.db import doubles
from lucy.db.engine import Database
from lucy.domain.source import Likeness
from lucy.flows.view_report import view_aside
from tests.integration.support.people import students

BORN = date(2005, 3, 9)


async def person(db: Database, number: str, **changes: object) -> None:
    facts = {"first_name": number, "last_name": "Gómez", "personal_email": f"{number}@example.com", "born_on": BORN}
    await students(db, document_number=number, **{**facts, **changes})


async def test_each_likeness_is_told_apart_and_once(db: Database) -> None:
    await person(db, "40000001", document_type="DNI")
    await person(db, "40000001", document_type="LE", personal_email="otra@example.com", first_name="Otra")
    await person(db, "40000002", first_name="José", last_name="Núñez", personal_email="jose@example.com")
    await person(db, "41000002", first_name="JOSE", last_name="NUÑEZ", personal_email="JOSE@example.com")
    await person(db, "40000003", first_name="Ana", personal_email="casa@example.com")
    await person(db, "40000004", first_name="Luz", personal_email="Casa@example.com")
    await person(db, "40000005", first_name="Eva", born_on=None)
    await person(db, "40000006", first_name="Eva", born_on=None, personal_email="")
    await person(db, "40000007", first_name="Ivo", personal_email="")
    async with db.transaction() as session:
        counts, found = await doubles.alike(session, most=20)
        view = await view_aside(session, None)
    assert counts == {Likeness.NUMBER: 1, Likeness.NAME: 1, Likeness.EMAIL: 1}
    assert [(one.likeness, [number for _kind, number in one.people]) for one in found] == [
        (Likeness.NUMBER, ["40000001", "40000001"]),
        (Likeness.NAME, ["40000002", "41000002"]),
        (Likeness.EMAIL, ["40000003", "40000004"]),
    ]
    assert view.alike[0].groups == (("DNI ●●●●0001", "LE ●●●●0001"),)


async def test_nobody_alike_is_nobody_told(db: Database) -> None:
    await person(db, "40000001")
    await person(db, "40000002")
    async with db.transaction() as session:
        assert await doubles.alike(session, most=20) == ({}, [])
