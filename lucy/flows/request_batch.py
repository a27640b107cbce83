"""Ask for a batch: freeze the selection, plan every step, and leave it for a second person."""

from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit
from lucy.db import students as students_db
from lucy.db.tables import BatchRow
from lucy.domain.audit import AuditEvent
from lucy.domain.house import House
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.domain.selections import Selection
from lucy.flows.plan_rows import What, plan_rows
from lucy.flows.store_batch import Requester, Wish, store_batch

__all__ = ["NobodyMatches", "Requester", "request_batch"]


@dataclass(frozen=True, slots=True)
class NobodyMatches:
    """The selection means nobody; nothing was created. `similar` are selections near it that mean somebody."""

    selection: str
    similar: tuple[tuple[str, int], ...]


async def request_batch(
    session: AsyncSession,
    kind: BatchKind,
    selection: Selection,
    *,
    options: BatchOptions,
    requester: Requester,
    house: House,
    now: datetime,
) -> BatchRow | NobodyMatches:
    """Plan a batch and store it, waiting for approval; `nothing_done` when there is nothing to do, held when it is
    more at once than the thresholds allow."""
    ids = await students_db.select_ids(session, selection, zone=house.zone)
    unknown = await students_db.unknown_documents(session, selection.documents)
    if not ids:
        similar = await _similar(session, selection, house)
        event = AuditEvent(
            requester.actor, f"batch.request.{kind.value}", "nobody", detail={"filters": _shape(selection)}
        )
        await audit.record(session, [event], now=now)
        return NobodyMatches(str(selection), similar)

    what = What(kind, options)
    plan = await plan_rows(session, what, ids, house=house)
    wish = Wish(what, requester, str(selection), _shape(selection), unknown)
    return await store_batch(session, wish, plan, house=house, now=now)


def _shape(selection: Selection) -> str:
    """The selection for the audit: document numbers are counted, not written."""
    if not selection.documents:
        return str(selection)
    rest = replace(selection, documents=())
    return f"{len(selection.documents)} documentos" + ("" if rest == Selection() else f" {rest}")


async def _similar(session: AsyncSession, selection: Selection, house: House) -> tuple[tuple[str, int], ...]:
    """Selections with one filter less that mean somebody; the smallest first."""
    empty = Selection()
    found: list[tuple[str, int]] = []
    for field in fields(Selection):
        if field.name == "documents" or getattr(selection, field.name) == getattr(empty, field.name):
            continue
        looser = replace(selection, **{field.name: getattr(empty, field.name)})
        if looser == empty:
            continue
        count = await students_db.count(session, looser, zone=house.zone)
        if count:
            found.append((str(looser), count))
    return tuple(sorted(found, key=lambda pair: pair[1])[:3])
