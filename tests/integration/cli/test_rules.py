"""Course rules go out as a sheet and come back the same; a row that cannot be used is named and changes nothing."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli import rules as rules_cli
from lucy import workbook
from lucy.db import rules as rules_db
from lucy.db.engine import Database
from lucy.domain.course_rules import CourseRule
from lucy.domain.students import Stage
from lucy.errors import RequestError
from lucy.settings import Settings
from lucy.workbook import read_sheet
from tests.integration.support.works import audit_events

RULES = [
    CourseRule(0, "CONT-1", frozenset({"CP", "LA"}), frozenset({"DIST"}), frozenset({"01", "02"})),
    CourseRule(0, "INGRESO", frozenset(), frozenset(), frozenset(), frozenset({Stage.ASPIRANTE, Stage.INGRESANTE})),
    CourseRule(0, "posgrado:=TALLER", frozenset({"CP"}), frozenset(), active=False),
]


async def stored(db: Database) -> list[CourseRule]:
    async with db.transaction() as session:
        found = await rules_db.every_course_rule(session)
    return [CourseRule(0, *(getattr(one, name) for name in NAMES)) for one in found]


NAMES = ("course", "careers", "modalities", "commissions", "stages", "active")


@pytest.mark.parametrize("kind", ["xlsx", "csv", "json"])
async def test_what_goes_out_comes_back(db: Database, database_url: str, kind: str, tmp_path: Path) -> None:
    settings = Settings(mode="sandbox", database_url=database_url, redis_url="redis://127.0.0.1:1/0", secret_keys="x")  # type: ignore[arg-type]
    async with db.transaction() as session:
        await rules_db.replace_course_rules(session, RULES)
    file = tmp_path / f"rules.{kind}"
    rules_cli.write_file(file, await rules_cli._read(settings), zone=ZoneInfo("UTC"))
    assert rules_cli.read_file(file) == RULES
    async with db.transaction() as session:
        await rules_db.replace_course_rules(session, [])
    await rules_cli._store(settings, rules_cli.read_file(file))
    assert await stored(db) == RULES
    (event,) = await audit_events(db, "rules.import")
    assert event.detail == {"before": 0, "after": 3}


def csv(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "rules.csv"
    file.write_text("\n".join(lines))
    return file


def test_a_sheet_of_a_spreadsheet_in_spanish_is_read(tmp_path: Path) -> None:
    file = csv(tmp_path, "course;careers;modalities", "CONT-1;cp, la;dist", ";;", "ADM-1;;")
    found = [(rule.course, sorted(rule.careers), sorted(rule.modalities)) for rule in rules_cli.read_file(file)]
    assert found == [("CONT-1", ["CP", "LA"], ["DIST"]), ("ADM-1", [], [])]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([""], "The sheet is empty"),
        (["course,colour", "CONT-1,red"], "unknown: colour"),
        (["course,careers", ",CP"], "Course rule 2 needs course"),
        (["course,modalities", "CONT-1,NIGHT"], "«NIGHT» is no modality"),
        (["course,stages", "CONT-1,egresado"], "«egresado» is no stage"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, lines: list[str], says: str) -> None:
    with pytest.raises(RequestError, match=says):
        rules_cli.read_file(csv(tmp_path, *lines))


@pytest.mark.parametrize(
    ("name", "content"),
    [("rules.xlsx", b"no workbook"), ("rules.json", b"{"), ("rules.json", b'{"a": 1}'), ("rules.csv", b"\xff\xfe\x00")],
)
def test_a_file_that_is_something_else_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(RequestError):
        rules_cli.read_file(file)


def test_a_name_that_says_no_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"\.xlsx, \.csv, \.json"):
        rules_cli.read_file(tmp_path / "rules.ods")


def test_a_workbook_with_too_many_rows_is_refused() -> None:
    with workbook.Workbook(ZoneInfo("UTC")) as book:
        sheet: Any = book.sheet("x", widths=(8,))
        sheet.add([["a"]] * (workbook.MOST_ROWS + 1))
        content = book.content()
    with pytest.raises(ValueError, match="more than"):
        read_sheet(content)
