"""The oddities of real entries, each as one change to one person.

Source: contracts/sial.md, "Quirks to live with" and "Rules of ingest" 5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sandbox.sial.data import BROKEN_COMMISSION_ID, CAREERS, UNKNOWN_CAREER_ID


@dataclass
class Person:
    """One person in the making: a list entry's body, and the personal record, None for an empty one."""

    entry: dict[str, Any]
    record: dict[str, Any] | None
    changed_at: datetime

    def named(self, **fields: str) -> None:
        if self.record is not None:
            self.record |= fields


Quirk: TypeAlias = Callable[[Person], None]


def bad_email(person: Person) -> None:
    person.named(email="no tiene")


def empty_name(person: Person) -> None:
    person.named(nombre=" ")


def unknown_career(person: Person) -> None:
    person.entry["carreras"][0] |= {"id_carrera": UNKNOWN_CAREER_ID, "nombre_carrera": "CARRERA DESCONOCIDA"}


def empty_record(person: Person) -> None:
    person.record = None


def no_document(person: Person) -> None:
    person.entry["nrodoc"] = None


def broken_commission(person: Person) -> None:
    """Usable, the commission is not."""
    person.entry["carreras"][0]["comisiones"] = [
        {"id_comision": BROKEN_COMMISSION_ID, "nombre_comision": "COMISION INCONSISTENTE"}
    ]


def no_commission(person: Person) -> None:
    person.entry["carreras"][0]["comisiones"] = []


def no_career(person: Person) -> None:
    person.entry["carreras"] = []


def two_careers(person: Person) -> None:
    first = person.entry["carreras"][0]
    other = next(career_id for career_id in CAREERS if career_id != first["id_carrera"])
    person.entry["carreras"].append(
        {**first, "id_carrera": other, "nombre_carrera": CAREERS[other].upper(), "comisiones": []}
    )


def date_alone(person: Person) -> None:
    first = person.entry["carreras"][0]
    first["fecha_inscri"] = first["fecha_inscri"][:10]


def null_cohort(person: Person) -> None:
    person.entry["carreras"][0]["cohorte"] = None


def accents(person: Person) -> None:
    person.named(nombre="Ángela Belén", apellido="Núñez Güiraldes")


def apostrophe(person: Person) -> None:
    person.named(nombre="Chiara", apellido="D'Angelo")


def double_surname(person: Person) -> None:
    person.named(apellido="Pérez de la Fuente")


def stray_blanks(person: Person) -> None:
    person.named(nombre="  Juan   Cruz ", apellido=" Sosa  ")


def all_capitals(person: Person) -> None:
    person.named(nombre="MARÍA DEL CARMEN", apellido="RODRÍGUEZ")


def born_long_ago(person: Person) -> None:
    """The common reading of two-digit years would put this birth in 2058."""
    person.named(fecha_natal="03/09/58")


UNUSABLE: tuple[Quirk, ...] = (bad_email, empty_name, unknown_career, empty_record, no_document)
ODD: tuple[Quirk, ...] = (
    two_careers,
    no_career,
    broken_commission,
    no_commission,
    null_cohort,
    date_alone,
    accents,
    apostrophe,
    double_surname,
    stray_blanks,
    all_capitals,
    born_long_ago,
)
QUIRKS: tuple[Quirk, ...] = (*UNUSABLE, *ODD)
