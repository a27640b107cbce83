"""The simulated source: its people, its credentials, and what a test may seed."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.control import Control
from sandbox.sial.data import LISTS, UNIVERSITY_TIME, SialData, SialEntry

_STAMPS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y")


@dataclass
class SialState:
    """`user` and `password` are the only credentials accepted; `data` starts empty unless given."""

    user: str = "sandbox-sial"
    password: str = "sandbox-sial-password"
    control: Control = field(default_factory=Control)
    data: SialData = field(default_factory=SialData)

    def reset(self) -> None:
        self.data = SialData()

    def seed(self, wanted: Any) -> None:
        """Add entries and personal records.

        Shape: `{"lists": {"aspirantes": [{"changed_at": "2026-02-15T10:31:00-03:00", "entry": {…}}]},
        "records": {"40123456": {…} or null}, "replace": true}`. Without `changed_at` it is the newest `fecha_inscri`
        of the entry, else now; a naive one is university time. `replace` empties what was there. A list is checked
        first: an unknown name is a ValueError.
        """
        lists = wanted.get("lists", {})
        unknown = set(lists) - set(LISTS)
        if unknown:
            raise ValueError(f"no such list: {sorted(unknown)}")
        if wanted.get("replace", False):
            self.reset()
        for name, rows in lists.items():
            self.data.lists[name].extend(_entry(row) for row in rows)
        self.data.records.update(wanted.get("records", {}))

    def snapshot(self) -> dict[str, Any]:
        """What is there, and how much of each list can be used."""
        return {
            "lists": {name: self._summary(name) for name in LISTS},
            "records": dict(self.data.records),
        }

    def _summary(self, list_name: str) -> dict[str, Any]:
        entries = self.data.lists[list_name]
        unusable = self.data.unusable(list_name)
        return {
            "entries": len(entries),
            "people": len({entry.document for entry in entries if entry.document is not None}),
            "usable": self.data.usable(list_name),
            "unusable": [asdict(one) for one in unusable],
            "unusable_by_reason": dict(Counter(one.reason for one in unusable)),
            "rows": [{"changed_at": entry.changed_at.isoformat(), "entry": entry.body} for entry in entries],
        }


def _entry(row: dict[str, Any]) -> SialEntry:
    body = row["entry"]
    stamp = row.get("changed_at")
    changed_at = _newest_enrolment(body) if stamp is None else datetime.fromisoformat(stamp)
    if changed_at.tzinfo is None:
        changed_at = changed_at.replace(tzinfo=UNIVERSITY_TIME)
    return SialEntry(body=body, changed_at=changed_at)


def _newest_enrolment(body: dict[str, Any]) -> datetime:
    read = [_read_stamp(career["fecha_inscri"]) for career in body.get("carreras", []) if career.get("fecha_inscri")]
    return max(read, default=datetime.now(UTC))


def _read_stamp(text: str) -> datetime:
    for shape in _STAMPS:
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UNIVERSITY_TIME)
        except ValueError:
            continue
    return datetime.now(UTC)
