"""A search for passwords and tokens where none may be: `lucy check --canaries`, and each night by itself.

Searched for are the temporary passwords that are sealed now, and the secrets of the settings. What is read comes here
to be compared: a secret that travelled in a query would be in the server's logs.
"""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, Column, Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit
from lucy.db.engine import Database
from lucy.db.tables import AuditEventRow, Base, SealedSecretRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.sealing import Sealer

SHORTEST = 8  # what is shorter stands in ordinary words
ROWS_AT_ONCE = 1000
SEALED = (SealedSecretRow.__tablename__, "ciphertext")


@dataclass(frozen=True, slots=True)
class Leak:
    """What kind of secret stands where; never the secret, nor what stands around it."""

    what: str
    where: str


class Search:
    """The secrets, each in the ways it may be written: as it is, and inside JSON."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._spellings = {
            spelling: what
            for secret, what in secrets.items()
            if len(secret) >= SHORTEST
            for spelling in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        }

    @property
    def size(self) -> int:
        return len(set(self._spellings.values()))

    def look(self, where: str, text: str) -> list[Leak]:
        return [Leak(what, where) for spelling, what in self._spellings.items() if spelling in text]


async def secrets_of(session: AsyncSession, sealer: Sealer) -> dict[str, str]:
    """The temporary passwords on their way to a letter. Raises SealBroken."""
    rows = await session.scalars(select(SealedSecretRow.ciphertext))
    return {sealer.open(one): "temporary password" for one in rows.all()}


async def search_database(db: Database, search: Search) -> list[Leak]:
    """Every column of every table that can hold text, but the sealed one."""
    found: set[Leak] = set()
    async with db.transaction() as session:
        for table in Base.metadata.sorted_tables:
            columns = [one for one in table.columns if holds_text(one) and (table.name, one.name) != SEALED]
            if not columns:
                continue
            statement = select(*(cast(one, Text).label(one.name) for one in columns))
            rows = await session.stream(statement.execution_options(yield_per=ROWS_AT_ONCE))
            async for row in rows:
                for column, text in zip(columns, row, strict=True):
                    if text:
                        found.update(search.look(f"{table.name}.{column.name}", text))
    return sorted(found, key=lambda one: (one.where, one.what))


async def search_texts(texts: AsyncIterator[tuple[str, str]], search: Search) -> list[Leak]:
    """Texts by the place they stand in."""
    found: set[Leak] = set()
    async for where, text in texts:
        found.update(search.look(where, text))
    return sorted(found, key=lambda one: (one.where, one.what))


def search_environment(environment: Mapping[str, str], search: Search) -> list[Leak]:
    """`search` is of temporary passwords alone: the secrets of the settings belong there."""
    return [leak for name, value in environment.items() for leak in search.look(f"environment {name}", value)]


async def record_search(session: AsyncSession, leaks: Iterable[Leak], *, searched: int, now: datetime) -> None:
    """The audit keeps that it was looked for, and where something was found."""
    places = sorted({f"{one.what}: {one.where}" for one in leaks})
    outcome = f"found {len(places)}" if places else "clean"
    detail: dict[str, object] = {"searched": searched, "places": places}
    await audit.record(session, [AuditEvent(LUCY, "secrets.search", outcome, detail=detail)], now=now)


async def leaks_found(session: AsyncSession, *, since: datetime) -> int:
    """In how many places the last search since then found a secret."""
    statement = (
        select(AuditEventRow.detail)
        .where(AuditEventRow.action == "secrets.search", AuditEventRow.at >= since)
        .order_by(AuditEventRow.id.desc())
        .limit(1)
    )
    return len((await session.scalar(statement) or {}).get("places", ()))


def holds_text(column: Column[object]) -> bool:
    """Numbers, moments and closed lists of words cannot; nor what SIAL sent, which is kept compressed as it came."""
    return isinstance(column.type, JSON) or column.type.python_type in {str, list}
