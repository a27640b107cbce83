"""What must come out of the demo, worked out from what SIAL holds and by other code than Lucy's own."""

from dataclasses import dataclass
from typing import Any

from sandbox.sial.data import SialData

MODALITIES = {"1": "PRES", "2": "DIST"}
CODES = {2: "LE", 3: "CP", 4: "LA", 7: "TGA", 8: "TGE"}

# The course rules of the demo, as `lucy config import` takes them. None names a commission, so every match counts.
COURSE_RULES: list[dict[str, Any]] = [
    {"course": "INGRESO-2026", "careers": [], "modalities": []},
    {"course": "CONT-1", "careers": ["CP"], "modalities": ["PRES", "DIST"]},
    {"course": "ADM-1", "careers": ["LA", "CP"], "modalities": ["PRES"]},
    {"course": "ECON-1", "careers": ["LE"], "modalities": ["PRES", "DIST"]},
    {"course": "TGA-1", "careers": ["TGA"], "modalities": ["PRES", "DIST"]},
    {"course": "TGE-1", "careers": ["TGE"], "modalities": ["PRES", "DIST"]},
]


@dataclass(frozen=True)
class Wanted:
    """One student: what must exist at the end."""

    document: str
    email: str
    courses: frozenset[str]


def wanted_aspirantes(data: SialData) -> dict[str, Wanted]:
    """The usable people who are aspirantes and on no later list, by document number."""
    documents = data.usable_documents("aspirantes") - data.usable_documents("ingresantes")
    found: dict[str, Wanted] = {}
    for document in documents:
        record = data.records[document] or {}
        careers = [
            career
            for entry in data.lists["aspirantes"]
            if entry.document == document
            for career in entry.body["carreras"]
        ]
        found[document] = Wanted(document, str(record["email"]).strip(), _courses(careers))
    return found


def _courses(careers: list[dict[str, Any]]) -> frozenset[str]:
    found: set[str] = set()
    for career in careers:
        code, modality = CODES[career["id_carrera"]], MODALITIES.get(str(career["modalidad"]).strip(), "")
        for rule in COURSE_RULES:
            of_career = not rule["careers"] or code in rule["careers"]
            of_modality = not rule["modalities"] or modality in rule["modalities"]
            if of_career and of_modality:
                found.add(rule["course"])
    return frozenset(found)
