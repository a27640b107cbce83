"""What differs between Entra and what Lucy knows, and how far the directory was read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import AccountRow, DirectoryCursorRow, DriftRow
from lucy.domain.drift import Drift
from lucy.domain.students import StudentId


@dataclass(frozen=True, slots=True)
class Found:
    """One difference. `student` is None where Lucy knows nobody by that document."""

    entra_id: str
    drift: Drift
    student: StudentId | None


async def cursor(session: AsyncSession) -> DirectoryCursorRow | None:
    return await session.get(DirectoryCursorRow, 1)


async def keep_cursor(session: AsyncSession, *, link: str, whole: bool, now: datetime) -> None:
    statement = insert(DirectoryCursorRow).values(id=1, link=link, read_at=now, whole_at=now if whole else None)
    changed = {"link": link, "read_at": now} | ({"whole_at": now} if whole else {})
    await session.execute(statement.on_conflict_do_update(index_elements=[DirectoryCursorRow.id], set_=changed))


async def accounts_of(session: AsyncSession, entra_ids: Collection[str]) -> dict[str, AccountRow]:
    """Lucy's accounts by their ids in Entra."""
    rows = await session.scalars(select(AccountRow).where(AccountRow.entra_id.in_(list(entra_ids))))
    return {row.entra_id: row for row in rows.all()}


async def unseen_since(session: AsyncSession, moment: datetime, *, after: str, size: int) -> list[str]:
    """Ids of accounts that no reading since `moment` has shown, in pages: those after `after`."""
    statement = (
        select(AccountRow.entra_id)
        .where(AccountRow.verified_at < moment, AccountRow.entra_id > after)
        .order_by(AccountRow.entra_id)
        .limit(size)
    )
    return list((await session.scalars(statement)).all())


async def of_accounts(session: AsyncSession, entra_ids: Collection[str]) -> dict[str, frozenset[Drift]]:
    """What is told of each account until now."""
    found: dict[str, set[Drift]] = {}
    rows = await session.execute(select(DriftRow.entra_id, DriftRow.kind).where(DriftRow.entra_id.in_(list(entra_ids))))
    for entra_id, kind in rows:
        found.setdefault(entra_id, set()).add(Drift(kind))
    return {entra_id: frozenset(kinds) for entra_id, kinds in found.items()}


async def of_student(session: AsyncSession, student: StudentId) -> list[Drift]:
    """What is told of their account now."""
    rows = await session.scalars(select(DriftRow.kind).where(DriftRow.student_id == student).order_by(DriftRow.kind))
    return [Drift(kind) for kind in rows]


async def replace(session: AsyncSession, entra_ids: Collection[str], found: Sequence[Found], *, now: datetime) -> None:
    """What is told of these accounts becomes exactly this; what was told already keeps since when."""
    wanted = {(one.entra_id, one.drift.value) for one in found}
    known = {
        (row.entra_id, row.kind): row.id
        for row in await session.execute(
            select(DriftRow.id, DriftRow.entra_id, DriftRow.kind).where(DriftRow.entra_id.in_(list(entra_ids)))
        )
    }
    gone = [id_ for place, id_ in known.items() if place not in wanted]
    if gone:
        await session.execute(delete(DriftRow).where(DriftRow.id.in_(gone)))
    if found:
        statement = insert(DriftRow)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[DriftRow.entra_id, DriftRow.kind],
                set_={"last_seen_at": statement.excluded.last_seen_at},
            ),
            [
                {
                    "entra_id": one.entra_id,
                    "kind": one.drift.value,
                    "student_id": one.student,
                    "first_seen_at": now,
                    "last_seen_at": now,
                }
                for one in found
            ],
        )


async def missing(session: AsyncSession) -> dict[str, datetime]:
    """Ids of the accounts that were not there the last time, and since when."""
    rows = await session.execute(
        select(DriftRow.entra_id, DriftRow.first_seen_at).where(DriftRow.kind == Drift.MISSING.value)
    )
    return {row.entra_id: row.first_seen_at for row in rows}


async def settle(session: AsyncSession, students: Iterable[StudentId], drifts: Collection[Drift]) -> None:
    """Staff had it put right, or had it so: it is not told any more."""
    kinds = [drift.value for drift in drifts]
    await session.execute(delete(DriftRow).where(DriftRow.student_id.in_(list(students)), DriftRow.kind.in_(kinds)))


async def counts(session: AsyncSession) -> dict[Drift, int]:
    rows = await session.execute(select(DriftRow.kind, func.count()).group_by(DriftRow.kind))
    return {Drift(kind): count for kind, count in rows}


async def oldest(session: AsyncSession, drift: Drift, *, size: int) -> Sequence[DriftRow]:
    statement = select(DriftRow).where(DriftRow.kind == drift.value).order_by(DriftRow.first_seen_at, DriftRow.id)
    return (await session.scalars(statement.limit(size))).all()


async def follow(session: AsyncSession, seen: Mapping[StudentId, tuple[bool, bool]], *, now: datetime) -> None:
    """Note what accounts are like now: whether they may sign in, and have the licence."""
    alike: dict[tuple[bool, bool], list[StudentId]] = {}
    for student, state in seen.items():
        alike.setdefault(state, []).append(student)
    for (enabled, licensed), students in alike.items():
        await session.execute(
            update(AccountRow)
            .where(AccountRow.student_id.in_(students))
            .values(enabled=enabled, licensed=licensed, verified_at=now)
        )
