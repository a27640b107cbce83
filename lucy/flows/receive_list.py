"""Receive a list of SIAL: the whole answer is kept before anything of it is used.

A cut or broken answer is noticed here, before a student is touched; and a process that dies later, a person's decision
or a replay begin from what is kept, without asking the source again.
"""

from datetime import datetime

from lucy.db import payloads
from lucy.db.engine import Database
from lucy.domain.ingest import entry_print, key_of
from lucy.domain.students import SourceList
from lucy.flows.reading import IndexLine
from lucy.ports import StudentRecords

PART = 500  # entries, about 200 KB before they are compressed


async def receive_list(
    db: Database,
    records: StudentRecords,
    run_id: int,
    source_list: SourceList,
    *,
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Raises RemoteError: then what is kept is no answer, and the next attempt begins anew."""
    async with db.transaction() as session:
        await payloads.forget(session, run_id)
    part: list[object] = []
    position = 0
    async for element in records.entries(source_list, since=since, until=until):
        part.append(element)
        if len(part) == PART:
            await _keep(db, records, run_id, position, part)
            part, position = [], position + 1
    if part:
        await _keep(db, records, run_id, position, part)


async def _keep(db: Database, records: StudentRecords, run_id: int, position: int, part: list[object]) -> None:
    """The entries, and an index of them: whose they are and their prints."""
    index: list[IndexLine] = [
        (*(key_of(*records.identity(element)) or ("", "")), entry_print(element)) for element in part
    ]
    async with db.transaction() as session:
        await payloads.keep(session, run_id, payloads.INDEX, position, index)
        await payloads.keep(session, run_id, payloads.ENTRIES, position, part)
