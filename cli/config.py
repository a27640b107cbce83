"""`lucy config export|import`: careers and course rules as one JSON file."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lucy.db import audit, rules
from lucy.db.engine import Database
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.course_rules import CourseRule
from lucy.domain.ingest import KnownCareer
from lucy.errors import RequestError
from lucy.settings import Settings

config_app = typer.Typer(no_args_is_help=True, help="Careers and course rules.")
WHO = Actor("cli", "lucy config import")


@config_app.command("export")
def export(file: Annotated[Path, typer.Argument(help="the file to write")]) -> None:
    """Write careers and course rules to a file."""
    file.write_text(json.dumps(asyncio.run(_export(Settings.load())), ensure_ascii=False, indent=2) + "\n")
    typer.echo(f"Written to {file}.")


@config_app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="a file that export wrote", exists=True)]) -> None:
    """Take careers and course rules from a file; the rules become exactly those of the file."""
    try:
        careers, course_rules = read_config(json.loads(file.read_text()))
    except ValueError as error:
        raise RequestError(f"{file} is not JSON: {error}") from None
    asyncio.run(_import(Settings.load(), careers, course_rules))
    typer.echo(f"{len(careers)} careers and {len(course_rules)} course rules are in force.")


def read_config(value: Any) -> tuple[list[KnownCareer], list[CourseRule]]:
    """Raises RequestError naming the entry that cannot be used; then nothing is imported."""
    if not isinstance(value, dict):
        raise RequestError("The file must hold one object with 'careers' and 'course_rules'.")
    careers = [_career(entry, place) for place, entry in enumerate(value.get("careers", []), 1)]
    return careers, [_rule(entry, place) for place, entry in enumerate(value.get("course_rules", []), 1)]


def _career(entry: Any, place: int) -> KnownCareer:
    try:
        return KnownCareer(int(entry["id"]), str(entry["code"]).upper(), str(entry["name"]))
    except (KeyError, TypeError, ValueError):
        raise RequestError(f"Career {place} needs id (a number), code and name.") from None


def _rule(entry: Any, place: int) -> CourseRule:
    try:
        lists = {
            name: frozenset(str(one).upper() for one in entry.get(name, []))
            for name in ("careers", "modalities", "commissions")
        }
        return CourseRule(0, str(entry["course"]), **lists)
    except (KeyError, TypeError, AttributeError):
        raise RequestError(
            f"Course rule {place} needs course (a Moodle shortname); careers, modalities and commissions are lists."
        ) from None


async def _export(settings: Settings) -> dict[str, Any]:
    db = Database(settings.database_url)
    async with db.transaction() as session:
        careers = await rules.careers(session)
        course_rules = await rules.course_rules(session)
    await db.close()
    return {
        "careers": [{"id": one.id, "code": one.code, "name": one.name} for one in careers.values()],
        "course_rules": [
            {
                "course": rule.course,
                "careers": sorted(rule.careers),
                "modalities": sorted(rule.modalities),
                "commissions": sorted(rule.commissions),
            }
            for rule in course_rules
        ],
    }


async def _import(settings: Settings, careers: list[KnownCareer], course_rules: list[CourseRule]) -> None:
    db = Database(settings.database_url)
    async with db.transaction() as session:
        await rules.put_careers(session, careers)
        await rules.replace_course_rules(session, course_rules)
        detail = {"careers": len(careers), "course_rules": len(course_rules)}
        await audit.record(session, [AuditEvent(WHO, "config.import", "done", detail=detail)], now=datetime.now(UTC))
    await db.close()
