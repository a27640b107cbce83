"""`lucy config export|import`: careers, course rules and what staff set, as one JSON file without a secret."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lucy.db import audit, rules
from lucy.db import config as config_db
from lucy.db.engine import Database
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.config import key
from lucy.domain.course_rules import CourseRule
from lucy.domain.ingest import KnownCareer
from lucy.domain.rule_texts import read_rule, rule_value
from lucy.errors import RequestError
from lucy.flows.set_config import set_config
from lucy.settings import Settings

config_app = typer.Typer(no_args_is_help=True, help="Careers, course rules and what staff set.")
WHO = Actor("cli", "lucy config import")


@config_app.command("export")
def export(file: Annotated[Path, typer.Argument(help="the file to write")]) -> None:
    """Write careers, course rules and settings to a file."""
    file.write_text(json.dumps(asyncio.run(_export(Settings.load())), ensure_ascii=False, indent=2) + "\n")
    typer.echo(f"Written to {file}.")


@config_app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="a file that export wrote", exists=True)]) -> None:
    """Take careers, course rules and settings from a file; the rules become exactly those of the file."""
    try:
        value = json.loads(file.read_text())
    except ValueError as error:
        raise RequestError(f"{file} is not JSON: {error}") from None
    careers, course_rules = read_config(value)
    values = read_settings(value)
    asyncio.run(_import(Settings.load(), careers, course_rules, values))
    typer.echo(f"{len(careers)} careers, {len(course_rules)} course rules and {len(values)} settings are in force.")


def read_settings(value: Any) -> dict[str, str]:
    """What staff set, by key. Raises RequestError naming the one that is not known or cannot be read."""
    found = value.get("settings", {}) if isinstance(value, dict) else {}
    if not isinstance(found, dict):
        raise RequestError("'settings' must be one object of keys and texts.")
    for name, text in found.items():
        key(name).read(str(text))
    return {key(name).name: str(text) for name, text in found.items()}


def read_config(value: Any) -> tuple[list[KnownCareer], list[CourseRule]]:
    """Raises RequestError naming the entry that cannot be used; then nothing is imported."""
    if not isinstance(value, dict):
        raise RequestError("The file must hold one object with 'careers' and 'course_rules'.")
    careers = [_career(entry, place) for place, entry in enumerate(value.get("careers", []), 1)]
    return careers, [read_rule(entry, place) for place, entry in enumerate(value.get("course_rules", []), 1)]


def _career(entry: Any, place: int) -> KnownCareer:
    try:
        return KnownCareer(int(entry["id"]), str(entry["code"]).upper(), str(entry["name"]))
    except (KeyError, TypeError, ValueError):
        raise RequestError(f"Career {place} needs id (a number), code and name.") from None


async def _export(settings: Settings) -> dict[str, Any]:
    db = Database(settings.database_url)
    async with db.transaction() as session:
        careers = await rules.careers(session)
        course_rules = await rules.every_course_rule(session)
        values = await config_db.values(session)
    await db.close()
    return {
        "careers": [{"id": one.id, "code": one.code, "name": one.name} for one in careers.values()],
        "course_rules": [rule_value(rule) for rule in course_rules],
        "settings": values,
    }


async def _import(
    settings: Settings, careers: list[KnownCareer], course_rules: list[CourseRule], values: dict[str, str]
) -> None:
    db, now = Database(settings.database_url), datetime.now(UTC)
    async with db.transaction() as session:
        for name, value in values.items():
            await set_config(session, name, value, actor=WHO, now=now)
        await rules.put_careers(session, careers)
        await rules.replace_course_rules(session, course_rules)
        detail = {"careers": len(careers), "course_rules": len(course_rules)}
        await audit.record(session, [AuditEvent(WHO, "config.import", "done", detail=detail)], now=now)
    await db.close()
