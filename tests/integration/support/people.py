"""Students in the database, and staff: the rows that the tests begin from."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from lucy.db import members, rules
from lucy.db.engine import Database
from lucy.db.students import career_value
from lucy.db.tables import StudentRow
from lucy.domain.audit import Actor
from lucy.domain.course_rules import CourseRule
from lucy.domain.roles import Role
from lucy.domain.students import Career, Modality, Stage, StudentId
from sandbox.teams.directory import Person

# Surnames keep the order in which students were made, whatever their number.
SURNAMES = ("Abad", "Barrios", "Castro", "Díaz", "Estévez", "Funes", "Gómez", "Heredia", "Ibarra", "Juárez")
_documents = itertools.count(40_123_001)


@dataclass(frozen=True)
class Known:
    """A student as stored: what tests ask the simulators for."""

    id: StudentId
    document: str
    email: str

    @property
    def upn(self) -> str:
        return f"a{self.document}@eco.unrc.edu.ar"


def career(code: str = "CP", modality: Modality | None = Modality.PRES, commissions: Sequence[str] = ("01",)) -> Career:
    ids = {"LE": 2, "CP": 3, "LA": 4, "TGA": 7, "TGE": 8}
    return Career(ids[code], code, code, modality, 2026, tuple(commissions), "2026-02-01")


async def students(db: Database, many: int = 1, **changes: Any) -> list[Known]:
    """Store aspirantes of CP on site; `changes` are columns of `student`. Stable order: that of the selection."""
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    for place in range(many):
        document = changes.get("document_number") or str(next(_documents))
        row = {
            "document_type": "DNI",
            "document_number": document,
            "first_name": "Ana",
            "last_name": f"{SURNAMES[place % len(SURNAMES)]} {_letters(place)}",
            "personal_email": f"ana.{document}@example.com",
            "locality": "Río Cuarto",
            "stage": Stage.ASPIRANTE,
            "cohort": 2026,
            "careers": [career_value(career())],
            "first_seen_at": now,
            "last_seen_at": now,
            "changed_at": now,
        }
        rows.append({**row, **changes})
    async with db.transaction() as session:
        stored = await session.execute(
            insert(StudentRow).returning(StudentRow.id, StudentRow.document_number, StudentRow.personal_email), rows
        )
        return [Known(row.id, row.document_number, row.personal_email) for row in stored]


def _letters(place: int) -> str:
    """A name part without digits: Aa, Ab …"""
    return chr(65 + place // 26 % 26) + chr(97 + place % 26)


async def course_rules(db: Database, *courses: str) -> None:
    """Everybody belongs in these courses."""
    async with db.transaction() as session:
        await rules.replace_course_rules(
            session, [CourseRule(0, course, frozenset(), frozenset(), frozenset()) for course in courses]
        )


def actor(person: Person) -> Actor:
    return Actor(person.aad_object_id, person.name)


async def grant(db: Database, person: Person, role: Role | None, *, name: str | None = None) -> None:
    """Give a person a role, as if they had spoken to Lucy before."""
    async with db.transaction() as session:
        await members.meet(
            session, entra_id=person.aad_object_id, name=person.name if name is None else name, teams_id=person.id
        )
        await members.grant(
            session, entra_id=person.aad_object_id, role=role, granted_by="tests", now=datetime.now(UTC)
        )
