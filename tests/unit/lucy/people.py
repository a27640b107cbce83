"""Students and source entries that the tests of the rules begin from, and how hard hypothesis tries."""

from typing import Any

from hypothesis import settings

from lucy.domain.source import SourceCareer, SourceEntry, SourcePerson
from lucy.domain.students import Career, Modality, Stage, Student, StudentId

THOROUGHLY = settings(max_examples=200, deadline=None, database=None, derandomize=True)


def career(code: str = "CP", modality: Modality | None = Modality.DIST, commissions: tuple[str, ...] = ()) -> Career:
    ids = {"LE": 2, "CP": 3, "LA": 4}
    return Career(ids[code], code, code, modality, 2026, commissions)


def student(number: int = 1, **changes: Any) -> Student:
    """An aspirante of CP at a distance."""
    facts: dict[str, Any] = {
        "id": StudentId(number),
        "document_type": "DNI",
        "document_number": f"4012345{number}",
        "first_name": "Ana",
        "last_name": "Suárez",
        "personal_email": "ana@example.com",
        "stage": Stage.ASPIRANTE,
        "cohort": 2026,
        "careers": (career(),),
    }
    return Student(**{**facts, **changes})


def source_career(**changes: Any) -> SourceCareer:
    facts: dict[str, Any] = {
        "career_id": 3,
        "name": "CONTADOR PÚBLICO",
        "enrolled_on": None,
        "modality": "1",
        "cohort": None,
    }
    return SourceCareer(**{**facts, **changes})


def entry(*careers: SourceCareer, **changes: Any) -> SourceEntry:
    facts: dict[str, Any] = {"document_type": "DNI", "document_number": "27896410", "raw": {}}
    return SourceEntry(**{**facts, "careers": careers, **changes})


def person(**changes: Any) -> SourcePerson:
    facts: dict[str, Any] = {
        "document_number": "27896410",
        "first_name": "Ana",
        "last_name": "Suárez",
        "email": "ana@example.com",
    }
    return SourcePerson(**{**facts, **changes})
