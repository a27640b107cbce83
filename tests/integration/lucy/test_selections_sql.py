"""Each filter of the language of selections against rows in PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, update

from lucy.db import present as present_db
from lucy.db import students as students_db
from lucy.db.engine import Database
from lucy.db.students import career_value
from lucy.db.tables import AccountRow, EnrolmentRow, MoodleUserRow, StudentRow
from lucy.domain.selections import parse_selection
from lucy.domain.students import Modality, Stage
from tests.integration.support.people import Known, career, students

CORDOBA = ZoneInfo("America/Argentina/Cordoba")
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
TODAY = NOW.astimezone(CORDOBA).date()
PRES, DIST = Modality.PRES, Modality.DIST


@pytest.fixture
async def rows(db: Database) -> dict[str, Known]:
    """One student for each thing a filter tells apart, by name."""
    found: dict[str, Known] = {}

    async def put(name: str, **changes: Any) -> None:
        moments = {"first_seen_at": NOW - timedelta(days=30), "changed_at": NOW - timedelta(days=30)}
        (found[name],) = await students(db, 1, last_name=name, **{**moments, **changes})

    await put("pre", stage=Stage.PREINSCRIPTO, document_number="27896410")
    await put("cp_pres_01")
    await put("cp_dist_02", careers=[career_value(career("CP", DIST, ["02"]))])
    await put("le_pres", careers=[career_value(career("LE", PRES, []))], cohort=2025)
    await put("two", careers=[career_value(career("CP", PRES, ["03"])), career_value(career("LA", DIST, ["02"]))])
    await put("none", careers=[], cohort=None, stage=Stage.INGRESANTE)
    await put("alumno", stage=Stage.ALUMNO, cohort=2020)
    await put("town", locality="ALMAFUERTE")
    await put("accent", locality="Villa María")
    await put("capital", locality="RÍO TERCERO")
    await put("unmailable", personal_email="")
    today = datetime(2026, 11, 24, 0, 0, tzinfo=CORDOBA)
    await put("new", first_seen_at=today, changed_at=today)
    await put("yesterday", first_seen_at=today - timedelta(seconds=1), changed_at=today - timedelta(seconds=1))
    await put("account")
    await put("everything")
    await _give(db, found)
    return found


async def _give(db: Database, found: dict[str, Known]) -> None:
    async with db.transaction() as session:
        for name in ("account", "everything"):
            one, whole = found[name], name == "everything"
            account = {"upn": one.upn, "entra_id": name, "enabled": True, "licensed": whole}
            times = {"created_at": NOW, "verified_at": NOW, "mailed_at": NOW if whole else None}
            await session.execute(insert(AccountRow).values(student_id=one.id, **account, **times))
        one = found["everything"]
        await session.execute(
            insert(MoodleUserRow).values(student_id=one.id, moodle_id=9, username="x", created_at=NOW)
        )
        await session.execute(insert(EnrolmentRow).values(student_id=one.id, course="C", course_id=3, created_at=NOW))


async def meant(db: Database, words: str) -> set[str]:
    """Whom the words mean; counting and choosing must agree."""
    selection = parse_selection(words, today=TODAY)
    async with db.transaction() as session:
        ids = await students_db.select_ids(session, selection, zone=CORDOBA)
        assert await students_db.count(session, selection, zone=CORDOBA) == len(ids) == len(set(ids))
        people = await students_db.load(session, ids)
    return {one.last_name for one in people.values()}


PLAIN = {"cp_pres_01", "town", "accent", "capital", "unmailable", "new", "yesterday", "account", "everything"}
WITHOUT = {"pre", "none", "alumno", "le_pres", "two", "cp_dist_02"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("todos", PLAIN | WITHOUT),
        ("preinscriptos", {"pre"}),
        ("ingresantes", {"none"}),
        ("alumnos", {"alumno"}),
        ("preinscriptos alumnos", {"pre", "alumno"}),
        ("aspirantes", PLAIN | {"le_pres", "two", "cp_dist_02"}),
        ("cohorte:2025", {"le_pres"}),
        ("cohorte:2020 cohorte:2025", {"alumno", "le_pres"}),
        ("carrera:LE", {"le_pres"}),
        ("carrera:la", {"two"}),
        ("aspirantes carrera:CP modalidad:dist", {"cp_dist_02"}),
        ("modalidad:dist", {"cp_dist_02", "two"}),
        ("comision:02", {"cp_dist_02", "two"}),
        ("comision:2", {"cp_dist_02", "two"}),
        ("carrera:CP comision:02", {"cp_dist_02"}),
        ("carrera:CP carrera:LA comision:03 comision:02", {"cp_dist_02", "two"}),
        ("carrera:LA modalidad:pres", set()),
        ("carrera:LA modalidad:dist comision:02", {"two"}),
        ("localidad:almafuerte", {"town"}),
        ('localidad:"villa maría"', {"accent"}),
        ('localidad:"VILLA MARÍA"', {"accent"}),
        ('localidad:"río tercero"', {"capital"}),
        ("sin:correo", {"unmailable"}),
        ("con:cuenta", {"account", "everything"}),
        ("con:cuenta sin:licencia", {"account"}),
        ("con:licencia", {"everything"}),
        ("con:carta", {"everything"}),
        ("con:moodle", {"everything"}),
        ("con:matricula", {"everything"}),
        ("con:cuenta sin:moodle", {"account"}),
        ("con:cuenta sin:carta", {"account"}),
        ("con:cuenta sin:matricula", {"account"}),
        ("aspirantes sin:cuenta", (PLAIN | {"le_pres", "two", "cp_dist_02"}) - {"account", "everything"}),
        ("con:cuenta sin:cuenta", set()),
        ("nuevos:hoy", {"new"}),
        ("nuevos", {"new", "yesterday"}),
        ("desde:2026-11-24", {"new"}),
        ("desde:23/11/2026", {"new", "yesterday"}),
        ("27.896.410", {"pre"}),
        ("27896410 99999999", {"pre"}),
        ("99999999", set()),
        ("aspirantes 27896410", set()),
    ],
)
async def test_a_filter_means_exactly_these(
    db: Database, rows: dict[str, Known], words: str, expected: set[str]
) -> None:
    assert await meant(db, words) == expected


async def test_numbers_that_nobody_has_are_told(db: Database, rows: dict[str, Known]) -> None:
    async with db.transaction() as session:
        assert await students_db.unknown_documents(session, ["99999999", "27896410", "88888888"]) == [
            "99999999",
            "88888888",
        ]


async def test_the_order_is_by_surname_then_name(db: Database) -> None:
    await students(db, 3)
    async with db.transaction() as session:
        for number, name in enumerate(("Zárate", "Álvarez", "Núñez")):
            await session.execute(update(StudentRow).where(StudentRow.id == number + 1).values(last_name=name))
    selection = parse_selection("todos", today=TODAY)
    async with db.transaction() as session:
        ids = await students_db.select_ids(session, selection, zone=CORDOBA)
        people = await students_db.load(session, ids)
    assert [people[id_].last_name for id_ in ids] == ["Álvarez", "Núñez", "Zárate"]


async def test_what_is_present_is_told_for_each(db: Database, rows: dict[str, Known]) -> None:
    async with db.transaction() as session:
        ids = [rows[name].id for name in ("none", "account", "everything")]
        present = await present_db.present(session, ids, contact_since=NOW)
    none, account, everything = (present[rows[name].id] for name in ("none", "account", "everything"))
    assert not (none.has_account or none.licensed or none.moodle_users or none.courses)
    assert (account.has_account, account.licensed) == (True, False)
    assert (everything.licensed, everything.moodle_users, everything.courses) == (True, {""}, {"C"})
