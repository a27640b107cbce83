"""A kept answer as people: part by part, everybody with all their entries, however far apart the list has them.

Memory: a number of 8 bytes for each person, one part of entries, and the parts of who is in several.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import cast

from lucy.db import payloads
from lucy.db.engine import Database
from lucy.domain.ingest import person_key
from lucy.domain.source import SourceEntry
from lucy.ports import StudentRecords

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """`parts` in order. `far`: the further parts of who is in more than one; a person belongs to their first part."""

    parts: Sequence[int]
    far: Mapping[int, Sequence[int]]
    first: Mapping[int, int]


@dataclass(slots=True)
class Part:
    """The people who belong to one part, and its entries without a usable number."""

    people: dict[Key, list[SourceEntry]] = field(default_factory=dict)
    unusable: list[SourceEntry] = field(default_factory=list)

    @property
    def entries(self) -> int:
        return sum(map(len, self.people.values())) + len(self.unusable)


def mark(key: Key) -> int:
    """Eight bytes for a person. Two with the same one would only be looked for in one part more."""
    return int.from_bytes(blake2b(":".join(key).encode(), digest_size=8).digest())


class Reading:
    """What one run received. `open` reads it through once."""

    def __init__(self, db: Database, records: StudentRecords, run_id: int, layout: Layout) -> None:
        self._db, self._records, self._run_id = db, records, run_id
        self._layout = layout

    @classmethod
    async def open(cls, db: Database, records: StudentRecords, run_id: int) -> "Reading":
        async with db.transaction() as session:
            parts = await payloads.positions(session, run_id, payloads.ENTRIES)
        reading = cls(db, records, run_id, Layout(parts, {}, {}))
        first: dict[int, int] = {}
        far: dict[int, list[int]] = {}
        for position in parts:
            for person in {mark(key) for entry in await reading._entries(position) if (key := person_key(entry))}:
                if first.setdefault(person, position) != position:
                    far.setdefault(person, []).append(position)
        reading._layout = Layout(parts, far, first)
        return reading

    @property
    def parts(self) -> Sequence[int]:
        return self._layout.parts

    async def part(self, position: int) -> Part:
        part = Part()
        elsewhere: dict[int, set[Key]] = {}
        for entry in await self._entries(position):
            key = person_key(entry)
            if key is None:
                part.unusable.append(entry)
                continue
            person = mark(key)
            if self._layout.first[person] == position:
                part.people.setdefault(key, []).append(entry)
                for other in self._layout.far.get(person, ()):
                    elsewhere.setdefault(other, set()).add(key)
        for other, keys in sorted(elsewhere.items()):
            for entry in await self._entries(other):
                key = person_key(entry)
                if key is not None and key in keys:
                    part.people[key].append(entry)
        return part

    async def _entries(self, position: int) -> list[SourceEntry]:
        async with self._db.transaction() as session:
            kept = await payloads.read(session, self._run_id, payloads.ENTRIES, position)
        return [self._records.read_entry(element) for element in cast("list[object]", kept)]
