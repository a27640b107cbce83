"""Hold a kept answer against what is known: who is new, who changed, who is as before. Nothing is written."""

from dataclasses import dataclass, field, replace

from lucy.db import listings
from lucy.db import students as students_db
from lucy.db.engine import Database
from lucy.db.students import KnownStudent
from lucy.domain.ingest_guard import Comparison
from lucy.domain.students import SourceList, StudentId, forward
from lucy.flows.reading import Reading, hash_of, mark


@dataclass(slots=True)
class Findings:
    """`fresh`: marks of who has to be read, by part. `seen`: entries. `aside`: parts with entries nobody can use."""

    comparison: Comparison
    seen: int = 0
    fresh: dict[int, set[int]] = field(default_factory=dict)
    aside: set[int] = field(default_factory=set)
    unchanged: list[StudentId] = field(default_factory=list)


async def compare_list(db: Database, reading: Reading, source_list: SourceList, *, whole: bool) -> Findings:
    async with db.transaction() as session:
        on_list = await listings.count(session, source_list)
    found = Findings(Comparison(whole, on_list, new=0, changed=0, unchanged=0))
    new = changed = unchanged = 0
    for position in reading.parts:
        part = await reading.part(position)
        found.seen += part.entries
        if part.unusable:
            found.aside.add(position)
        async with db.transaction() as session:
            known = await students_db.known(session, list(part.people), source_list)
        for key, refs in part.people.items():
            person = known.get(key)
            same = person is not None and person.hash == hash_of(refs)
            new += person is None or not person.hash
            changed += person is not None and bool(person.hash) and not same
            unchanged += same
            if person is not None and same and not _steps_forward(person, source_list):
                found.unchanged.append(person.id)
            else:
                found.fresh.setdefault(position, set()).add(mark(key))
    found.comparison = replace(found.comparison, new=new, changed=changed, unchanged=unchanged)
    return found


def _steps_forward(person: KnownStudent, source_list: SourceList) -> bool:
    return forward(person.stage, source_list.stage) is not person.stage
