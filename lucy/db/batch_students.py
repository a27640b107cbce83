"""The students of a batch: what the approval was of, whose turn has come, who changed meanwhile."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import BatchStudentRow, StudentHoldRow
from lucy.domain.batches import BatchId
from lucy.domain.plans import PlanRow
from lucy.domain.students import StudentId

Pair = tuple[BatchId, StudentId]


async def add(session: AsyncSession, batch: BatchId, rows: Sequence[PlanRow]) -> None:
    """Store what was planned for each student, in the plan's order."""
    values = [
        {
            "batch_id": batch,
            "student_id": row.student_id,
            "position": position,
            "basis": dict(row.basis),
            "basis_hash": row.basis_hash,
            "impossible": [*row.impossible, *row.irreversible, *row.warnings],
        }
        for position, row in enumerate(rows)
    ]
    for start in range(0, len(values), 2000):
        await session.execute(insert(BatchStudentRow), values[start : start + 2000])


async def of_batch(session: AsyncSession, batch: BatchId) -> Sequence[BatchStudentRow]:
    """All students of a batch, in the plan's order."""
    statement = select(BatchStudentRow).where(BatchStudentRow.batch_id == batch).order_by(BatchStudentRow.position)
    return (await session.scalars(statement)).all()


async def ids(session: AsyncSession, batch: BatchId) -> Sequence[StudentId]:
    """The students of a batch alone, in the plan's order."""
    statement = select(BatchStudentRow.student_id).where(BatchStudentRow.batch_id == batch)
    return (await session.scalars(statement.order_by(BatchStudentRow.position))).all()


async def lock_not_begun(session: AsyncSession, pairs: Collection[Pair]) -> Sequence[BatchStudentRow]:
    """Of these students those whose first step this is; held, so that two lanes judge them one after the other."""
    if not pairs:
        return []
    statement = (
        select(BatchStudentRow)
        .where(
            tuple_(BatchStudentRow.batch_id, BatchStudentRow.student_id).in_(list(pairs)),
            BatchStudentRow.begun_at.is_(None),
        )
        .order_by(BatchStudentRow.batch_id, BatchStudentRow.student_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def begin(session: AsyncSession, pairs: Collection[Pair], *, now: datetime) -> None:
    """Their turn has come: from now on they are finished, whatever happens to the batch."""
    if pairs:
        await session.execute(
            update(BatchStudentRow)
            .where(tuple_(BatchStudentRow.batch_id, BatchStudentRow.student_id).in_(list(pairs)))
            .values(begun_at=now)
        )


async def note_changed(session: AsyncSession, changed: Mapping[Pair, Sequence[str]]) -> None:
    """Keep what differed from what was approved."""
    if changed:
        rows = [{"batch": pair[0], "student": pair[1], "changed": list(what)} for pair, what in changed.items()]
        await session.execute(_NOTE_CHANGED, {"rows": rows})


_NOTE_CHANGED = text(
    """
    update batch_student set changed = new.changed
    from jsonb_to_recordset(:rows) as new (batch bigint, student bigint, changed jsonb)
    where batch_student.batch_id = new.batch and batch_student.student_id = new.student
    """
).bindparams(bindparam("rows", type_=JSONB()))


async def to_ask_again(session: AsyncSession, batch: BatchId) -> Sequence[BatchStudentRow]:
    """Students that were dropped and that no batch has asked for anew."""
    statement = (
        select(BatchStudentRow)
        .where(
            BatchStudentRow.batch_id == batch,
            BatchStudentRow.changed != text("'[]'"),
            BatchStudentRow.asked_again_in.is_(None),
        )
        .order_by(BatchStudentRow.position)
    )
    return (await session.scalars(statement)).all()


async def asked_again(
    session: AsyncSession, batch: BatchId, students: Collection[StudentId], *, in_batch: BatchId
) -> None:
    await session.execute(
        update(BatchStudentRow)
        .where(BatchStudentRow.batch_id == batch, BatchStudentRow.student_id.in_(list(students)))
        .values(asked_again_in=in_batch)
    )


async def move(session: AsyncSession, frm: BatchId, to: BatchId, students: Collection[StudentId]) -> None:
    """Students and their steps become another batch's; none of them has begun."""
    for table in ("batch_student", "step"):
        await session.execute(
            text(f"update {table} set batch_id = :to where batch_id = :frm and student_id = any(:students)"),  # noqa: S608
            {"to": to, "frm": frm, "students": list(students)},
        )


@dataclass(frozen=True, slots=True)
class Dropped:
    """A student who was no longer as approved, with what differed and the batch that asks for them anew."""

    student_id: StudentId
    changed: tuple[str, ...]
    asked_again_in: int | None


async def dropped(session: AsyncSession, batch: BatchId) -> list[Dropped]:
    statement = (
        select(BatchStudentRow.student_id, BatchStudentRow.changed, BatchStudentRow.asked_again_in)
        .where(BatchStudentRow.batch_id == batch, BatchStudentRow.changed != text("'[]'"))
        .order_by(BatchStudentRow.position)
    )
    rows = await session.execute(statement)
    return [Dropped(row.student_id, tuple(row.changed), row.asked_again_in) for row in rows]


async def page(session: AsyncSession, batch: BatchId, *, first: int, size: int) -> Sequence[BatchStudentRow]:
    """Students of a batch in the plan's order; `first` counts from 1."""
    statement = (
        select(BatchStudentRow)
        .where(BatchStudentRow.batch_id == batch)
        .order_by(BatchStudentRow.position)
        .offset(first - 1)
        .limit(size)
    )
    return (await session.scalars(statement)).all()


# Holds: one batch at a time touches a student


async def hold(session: AsyncSession, pairs: Collection[Pair], *, now: datetime) -> set[Pair]:
    """Take students in hand for their batches; returns the pairs that are held now, by this claim or one before.

    Whoever comes second waits here for the first to commit, and then does not get the student.
    """
    if not pairs:
        return set()
    by_student = sorted(pairs, key=lambda pair: pair[1])
    await session.execute(
        text(
            """
            insert into student_hold (student_id, batch_id, since)
            select * from unnest(cast(:students as bigint[]), cast(:batches as bigint[]), array_fill(
                cast(:now as timestamptz), array[cardinality(cast(:students as bigint[]))]))
            on conflict (student_id) do nothing
            """
        ),
        {"students": [one for _, one in by_student], "batches": [one for one, _ in by_student], "now": now},
    )
    rows = await session.execute(
        select(StudentHoldRow.batch_id, StudentHoldRow.student_id).where(
            tuple_(StudentHoldRow.batch_id, StudentHoldRow.student_id).in_(by_student)
        )
    )
    return {(row.batch_id, row.student_id) for row in rows}


async def let_go(session: AsyncSession, pairs: Collection[Pair]) -> int:
    """Of these students those with whom their batch has finished are free for the next one; returns how many."""
    if not pairs:
        return 0
    freed = await session.execute(
        text(
            """
            delete from student_hold hold
            using unnest(cast(:batches as bigint[]), cast(:students as bigint[])) as ended (batch_id, student_id)
            where hold.batch_id = ended.batch_id and hold.student_id = ended.student_id
              and not exists (select from step where step.batch_id = hold.batch_id
                                and step.student_id = hold.student_id
                                and step.state in ('waiting', 'due', 'running'))
            """
        ),
        {"batches": [one for one, _ in pairs], "students": [one for _, one in pairs]},
    )
    return int(freed.rowcount)  # type: ignore[attr-defined]


async def waits_for(session: AsyncSession, batch: BatchId) -> list[tuple[BatchId, int]]:
    """The batches that have students of this one in hand, and how many of them wait therefore."""
    rows = await session.execute(
        text(
            """
            select hold.batch_id, count(*) as n
            from batch_student mine join student_hold hold on hold.student_id = mine.student_id
            where mine.batch_id = :batch and hold.batch_id <> :batch
              and exists (select from step where step.batch_id = mine.batch_id and step.student_id = mine.student_id
                                             and step.state in ('waiting', 'due', 'running'))
            group by hold.batch_id order by hold.batch_id
            """
        ),
        {"batch": batch},
    )
    return [(BatchId(row.batch_id), row.n) for row in rows]
