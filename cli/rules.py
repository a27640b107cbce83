"""`lucy rules export|import`: the course rules as a sheet (XLSX or CSV) or JSON, whichever the file's name says."""

import asyncio
import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from lucy.db import audit, rules
from lucy.db.engine import Database
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.course_rules import CourseRule
from lucy.domain.rule_texts import COLUMNS, read_rows, read_rule, rule_row, rule_value
from lucy.errors import RequestError
from lucy.settings import Settings
from lucy.workbook import Workbook, read_sheet

rules_app = typer.Typer(no_args_is_help=True, help="Course rules as a sheet: XLSX, CSV or JSON.")
WHO = Actor("cli", "lucy rules import")
WIDTHS = (28, 16, 16, 20, 24, 8)
KINDS = (".xlsx", ".csv", ".json")


@rules_app.command("export")
def export(file: Annotated[Path, typer.Argument(help="the file to write: .xlsx, .csv or .json")]) -> None:
    """Write every rule, also those switched off."""
    settings = Settings.load()
    found = asyncio.run(_read(settings))
    write_file(file, found, zone=settings.house().zone)
    typer.echo(f"{len(found)} course rules written to {file}.")


@rules_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="a file that export wrote, or one like it", exists=True)],
) -> None:
    """The rules become exactly those of the file; a row that cannot be used is named and nothing is changed."""
    found = read_file(file)
    asyncio.run(_store(Settings.load(), found))
    typer.echo(f"{len(found)} course rules are in force.")


def write_file(file: Path, found: Sequence[CourseRule], *, zone: ZoneInfo) -> None:
    """Raises RequestError for a name that says no kind."""
    kind = _kind(file)
    if kind == ".json":
        file.write_text(json.dumps([rule_value(one) for one in found], ensure_ascii=False, indent=2) + "\n")
    elif kind == ".csv":
        with file.open("w", newline="", encoding="utf-8-sig") as opened:  # a spreadsheet takes it for UTF-8
            csv.writer(opened).writerows([COLUMNS, *map(rule_row, found)])
    else:
        with Workbook(zone) as book:
            book.sheet("rules", widths=WIDTHS, heading=COLUMNS).add([rule_row(one) for one in found])
            file.write_bytes(book.content())


def read_file(file: Path) -> list[CourseRule]:
    """Raises RequestError naming the row, or what the file is not."""
    kind = _kind(file)
    try:
        if kind == ".xlsx":
            return read_rows(read_sheet(file.read_bytes()))
        text = file.read_text(encoding="utf-8-sig")
        if kind == ".csv":
            return read_rows(list(csv.reader(text.splitlines(), delimiter=_delimiter(text))))
        value = json.loads(text)
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise RequestError(f"{file} cannot be read as {kind.removeprefix('.').upper()}: {error}") from None
    if not isinstance(value, list):
        raise RequestError(f"{file} must hold a list of rules.")
    return [read_rule(entry, place) for place, entry in enumerate(value, 1)]


def _kind(file: Path) -> str:
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise RequestError(f"{file.name}: the name must end in {', '.join(KINDS)}.")
    return kind


def _delimiter(text: str) -> str:
    """A spreadsheet in Spanish writes semicolons."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


async def _read(settings: Settings) -> list[CourseRule]:
    db = Database(settings.database_url)
    try:
        async with db.transaction() as session:
            return await rules.every_course_rule(session)
    finally:
        await db.close()


async def _store(settings: Settings, wanted: list[CourseRule]) -> None:
    db, now = Database(settings.database_url), datetime.now(UTC)
    try:
        async with db.transaction() as session:
            before = await rules.every_course_rule(session)
            await rules.replace_course_rules(session, wanted)
            detail = {"before": len(before), "after": len(wanted)}
            await audit.record(session, [AuditEvent(WHO, "rules.import", "done", detail=detail)], now=now)
    finally:
        await db.close()
