"""A kept answer as people: part by part, everybody with all their entries, however far apart the list has them.

Who is in it and whether they changed is told by the index alone: the entries themselves are read only for those who are
to be stored. Memory: a number of 8 bytes for each person, one part, and the parts of who is in several.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple, cast

from lucy.db import payloads
from lucy.db.engine import Database
from lucy.domain.ingest import join_prints
from lucy.domain.source import SourceEntry
from lucy.ports import StudentRecords

Key = tuple[str, str]
IndexLine = tuple[str, str, str]  # document type and number, both empty where there is no usable one; print


class Ref(NamedTuple):
    """Where an entry is, and its print."""

    position: int
    offset: int
    print: str


@dataclass(frozen=True, slots=True)
class Layout:
    """`parts` in order. `far`: the further parts of who is in more than one; a person belongs to their first part."""

    parts: Sequence[int]
    far: Mapping[int, Sequence[int]]
    first: Mapping[int, int]


@dataclass(slots=True)
class Part:
    """The people who belong to one part, and its entries without a usable number."""

    people: dict[Key, list[Ref]] = field(default_factory=dict)
    unusable: list[Ref] = field(default_factory=list)

    @property
    def entries(self) -> int:
        return sum(map(len, self.people.values())) + len(self.unusable)


def mark(key: Key) -> int:
    """Eight bytes for a person. Two with the same one would only be looked for in one part more."""
    return int.from_bytes(blake2b(":".join(key).encode(), digest_size=8).digest())


def hash_of(refs: Iterable[Ref]) -> str:
    """The print of all that the list says of one person."""
    return join_prints(ref.print for ref in refs)


class Reading:
    """What one run received. `open` reads its index through once."""

    def __init__(self, db: Database, records: StudentRecords, run_id: int, layout: Layout) -> None:
        self._db, self._records, self._run_id = db, records, run_id
        self._layout = layout

    @classmethod
    async def open(cls, db: Database, records: StudentRecords, run_id: int) -> "Reading":
        async with db.transaction() as session:
            parts = await payloads.positions(session, run_id, payloads.INDEX)
        reading = cls(db, records, run_id, Layout(parts, {}, {}))
        first: dict[int, int] = {}
        far: dict[int, list[int]] = {}
        for position in parts:
            for person in {mark((kind, number)) for kind, number, _ in await reading._index(position) if number}:
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
        for key, ref in await self._refs(position):
            if not key[1]:
                part.unusable.append(ref)
                continue
            person = mark(key)
            if self._layout.first[person] == position:
                part.people.setdefault(key, []).append(ref)
                for other in self._layout.far.get(person, ()):
                    elsewhere.setdefault(other, set()).add(key)
        for other, keys in sorted(elsewhere.items()):
            for key, ref in await self._refs(other):
                if key in keys:
                    part.people[key].append(ref)
        return part

    async def entries(self, refs: Iterable[Ref]) -> dict[Ref, SourceEntry]:
        """The entries themselves."""
        wanted: dict[int, list[Ref]] = {}
        for ref in refs:
            wanted.setdefault(ref.position, []).append(ref)
        found: dict[Ref, SourceEntry] = {}
        for position, some in wanted.items():
            async with self._db.transaction() as session:
                kept = cast("list[object]", await payloads.read(session, self._run_id, payloads.ENTRIES, position))
            found |= {ref: self._records.read_entry(kept[ref.offset]) for ref in some}
        return found

    async def _refs(self, position: int) -> list[tuple[Key, Ref]]:
        return [
            ((kind, number), Ref(position, offset, print_))
            for offset, (kind, number, print_) in enumerate(await self._index(position))
        ]

    async def _index(self, position: int) -> list[IndexLine]:
        async with self._db.transaction() as session:
            return cast("list[IndexLine]", await payloads.read(session, self._run_id, payloads.INDEX, position))
