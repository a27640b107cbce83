"""What readings received, kept as compressed JSON in parts: read again without asking the source."""

import json
import zlib
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import IngestPayloadRow, IngestRunRow
from lucy.domain.students import SourceList

INDEX, ENTRIES, RECORDS = "index", "entries", "records"


async def keep(session: AsyncSession, run_id: int, kind: str, position: int, content: object) -> None:
    """One part; the same position again replaces it."""
    body = zlib.compress(json.dumps(content, separators=(",", ":")).encode("ascii"))
    statement = insert(IngestPayloadRow).values(run_id=run_id, kind=kind, position=position, body=body)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[IngestPayloadRow.run_id, IngestPayloadRow.kind, IngestPayloadRow.position],
            set_={"body": statement.excluded.body},
        )
    )


async def read(session: AsyncSession, run_id: int, kind: str, position: int) -> object:
    """Raises LookupError where there is no such part."""
    row = await session.get(IngestPayloadRow, (run_id, kind, position))
    if row is None:
        raise LookupError(f"reading {run_id} has no part {position} of {kind}")
    content: object = json.loads(zlib.decompress(row.body))
    session.expunge(row)
    return content


async def positions(session: AsyncSession, run_id: int, kind: str) -> Sequence[int]:
    statement = select(IngestPayloadRow.position).where(
        IngestPayloadRow.run_id == run_id, IngestPayloadRow.kind == kind
    )
    return (await session.scalars(statement.order_by(IngestPayloadRow.position))).all()


async def forget(session: AsyncSession, run_id: int) -> None:
    await session.execute(delete(IngestPayloadRow).where(IngestPayloadRow.run_id == run_id))


async def keep_newest(session: AsyncSession, source_list: SourceList, runs: int) -> None:
    """Forget what all but the newest finished readings of a list received."""
    newest = (
        select(IngestRunRow.id)
        .where(IngestRunRow.source_list == source_list, IngestRunRow.finished_at.is_not(None))
        .order_by(IngestRunRow.id.desc())
        .limit(runs)
    )
    finished = select(IngestRunRow.id).where(
        IngestRunRow.source_list == source_list, IngestRunRow.finished_at.is_not(None), IngestRunRow.id.not_in(newest)
    )
    await session.execute(delete(IngestPayloadRow).where(IngestPayloadRow.run_id.in_(finished)))


async def sizes(session: AsyncSession) -> dict[int, int]:
    """Bytes kept of each reading."""
    rows = await session.execute(
        select(IngestPayloadRow.run_id, func.sum(func.length(IngestPayloadRow.body)).label("bytes")).group_by(
            IngestPayloadRow.run_id
        )
    )
    return {row.run_id: int(row.bytes) for row in rows}
