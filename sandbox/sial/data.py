"""What the simulated SIAL holds, and which entries a reader can use.

Source: contracts/sial.md, "Dialect v2" (shapes) and "Rules of ingest" 5 (what cannot be used).
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

UNIVERSITY_TIME = ZoneInfo("America/Argentina/Cordoba")
LISTS = ("preinscriptos", "aspirantes", "ingresantes")

CAREERS = {
    2: "Licenciatura en Economía",
    3: "Contador Público",
    4: "Licenciatura en Administración",
    7: "Tecnicatura en Gestión Agropecuaria",
    8: "Tecnicatura en Gestión Empresarial",
}
COMMISSIONS = {41: "COMISION 01", 42: "COMISION 02", 43: "COMISION 03", 44: "COMISION 04", 45: "COMISION 05"}
UNKNOWN_CAREER_ID = 99
BROKEN_COMMISSION_ID = 9999999

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class SialEntry:
    """One row of a list as SIAL sends it; `changed_at` is aware and never shown, the windows go by it."""

    body: dict[str, Any]
    changed_at: datetime

    @property
    def document(self) -> str | None:
        number = self.body.get("nrodoc")
        return None if number in (None, "", 0) else str(number)


@dataclass(frozen=True)
class Unusable:
    """Why one entry cannot be used: `document`, `record`, `name`, `email` or `career`."""

    document: str | None
    reason: str


@dataclass
class SialData:
    """`lists` by list name in SIAL's order; `records` by document number, None for an empty personal record."""

    lists: dict[str, list[SialEntry]] = field(default_factory=lambda: {name: [] for name in LISTS})
    records: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def usable(self, list_name: str) -> int:
        """How many different people on the list can be used."""
        return len(self.usable_documents(list_name))

    def usable_documents(self, list_name: str) -> set[str]:
        """Their document numbers."""
        return {
            entry.document
            for entry in self.lists[list_name]
            if entry.document is not None and why_unusable(entry, self.records.get(entry.document)) is None
        }

    def unusable(self, list_name: str) -> list[Unusable]:
        """The entries to be kept aside, in the list's order, with the first reason of each."""
        found: list[Unusable] = []
        for entry in self.lists[list_name]:
            reason = why_unusable(entry, self.records.get(entry.document or ""))
            if reason is not None:
                found.append(Unusable(document=entry.document, reason=reason))
        return found


def why_unusable(entry: SialEntry, record: dict[str, Any] | None) -> str | None:
    """The first reason, None when the entry is good.

    A career is unknown only where one is given: a person without any is good, as is one with a broken commission.
    """
    if entry.document is None:
        return "document"
    if record is None:
        return "record"
    if not str(record.get("nombre") or "").strip() or not str(record.get("apellido") or "").strip():
        return "name"
    if _EMAIL.fullmatch(str(record.get("email") or "").strip()) is None:
        return "email"
    if any(career["id_carrera"] not in CAREERS for career in entry.body["carreras"]):
        return "career"
    return None
