"""Accounts in Entra, and passwords on their way to a letter."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import drifts
from lucy.db.tables import AccountGroupRow, AccountRow, SealedSecretRow
from lucy.domain.batches import BatchId
from lucy.domain.drift import Drift
from lucy.domain.steps import StepId
from lucy.domain.students import StudentId


async def accounts(session: AsyncSession, students: Collection[StudentId]) -> dict[StudentId, AccountRow]:
    rows = (await session.scalars(select(AccountRow).where(AccountRow.student_id.in_(list(students))))).all()
    return {row.student_id: row for row in rows}


async def store_accounts(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store accounts; one that is known keeps who made it."""
    if not rows:
        return
    statement = insert(AccountRow)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[AccountRow.student_id],
            set_={
                "upn": new.upn,
                "entra_id": new.entra_id,
                "enabled": new.enabled,
                "licensed": AccountRow.licensed | new.licensed,
                "verified_at": new.verified_at,
            },
        ),
        [dict(row) for row in rows],
    )
    await drifts.settle(session, [row["student_id"] for row in rows], {Drift.MISSING, Drift.UNKNOWN})


async def mark_licensed(
    session: AsyncSession, students: Sequence[tuple[StudentId, BatchId | None]], *, now: datetime
) -> None:
    """Note who has a licence now, and the batch that gave it (None: it was there)."""
    for student, batch in students:
        await session.execute(
            update(AccountRow)
            .where(AccountRow.student_id == student)
            .values(
                licensed=True, licensed_by_batch=func.coalesce(AccountRow.licensed_by_batch, batch), verified_at=now
            )
        )
    await drifts.settle(session, [student for student, _batch in students], {Drift.UNLICENSED})


async def mark_unlicensed(session: AsyncSession, students: Sequence[StudentId], *, now: datetime) -> None:
    """Their licence is gone, whoever had given it."""
    if students:
        await session.execute(
            update(AccountRow)
            .where(AccountRow.student_id.in_(students))
            .values(licensed=False, licensed_by_batch=None, verified_at=now)
        )
        await drifts.settle(session, students, {Drift.UNLICENSED})


async def store_enabled(session: AsyncSession, students: Mapping[StudentId, bool], *, now: datetime) -> None:
    """Note whose account may sign in, as it was read back or set."""
    for enabled in (True, False):
        some = [student for student, value in students.items() if value is enabled]
        if some:
            await session.execute(
                update(AccountRow).where(AccountRow.student_id.in_(some)).values(enabled=enabled, verified_at=now)
            )
    await drifts.settle(session, students, {Drift.DISABLED})


async def store_fingerprints(session: AsyncSession, students: Mapping[StudentId, str], *, now: datetime) -> None:
    """Note the print of the last password that Lucy set."""
    for student, fingerprint in students.items():
        await session.execute(
            update(AccountRow)
            .where(AccountRow.student_id == student)
            .values(secret_fingerprint=fingerprint, verified_at=now)
        )


async def store_prints(session: AsyncSession, students: Mapping[StudentId, str], *, now: datetime) -> None:
    """Note what accounts that Lucy made look like after she changed them; those she adopted have no print."""
    for student, made_print in students.items():
        await session.execute(
            update(AccountRow)
            .where(AccountRow.student_id == student, AccountRow.made_print != "")
            .values(made_print=made_print, verified_at=now)
        )
    await drifts.settle(session, students, {Drift.NAME})


async def forget_accounts(session: AsyncSession, students: Sequence[StudentId]) -> None:
    """Their accounts were deleted: the passwords sealed for them open nothing, and no group holds them."""
    if students:
        await session.execute(delete(AccountRow).where(AccountRow.student_id.in_(students)))
        await session.execute(delete(SealedSecretRow).where(SealedSecretRow.student_id.in_(students)))
        await session.execute(delete(AccountGroupRow).where(AccountGroupRow.student_id.in_(students)))
        await drifts.settle(session, students, set(Drift))


async def mark_mailed(session: AsyncSession, students: Mapping[StudentId, str], *, now: datetime) -> None:
    """Note when a letter with a password was accepted, and the address it went to."""
    for student, address in students.items():
        await session.execute(
            update(AccountRow).where(AccountRow.student_id == student).values(mailed_at=now, mailed_to=address)
        )


# Sealed passwords


async def seal_if_absent(
    session: AsyncSession, rows: Sequence[Mapping[str, Any]], *, now: datetime, keep_h: float
) -> dict[StepId, SealedSecretRow]:
    """Store a sealed password for each step that has none; returns the ones in force.

    The password is stored before the account is asked for, and every attempt of the step uses the same one: whatever
    attempt had its effect, the sealed password opens the account.
    """
    if not rows:
        return {}
    values = [{**row, "created_at": now, "expires_at": now + timedelta(hours=keep_h)} for row in rows]
    await session.execute(insert(SealedSecretRow).on_conflict_do_nothing(), values)
    found = await session.scalars(
        select(SealedSecretRow).where(SealedSecretRow.step_id.in_([row["step_id"] for row in rows]))
    )
    return {row.step_id: row for row in found.all()}


async def secrets_for(
    session: AsyncSession, students: Collection[tuple[BatchId, StudentId]]
) -> dict[tuple[BatchId, StudentId], SealedSecretRow]:
    """The sealed passwords that batches hold for students."""
    rows = await session.scalars(
        select(SealedSecretRow).where(SealedSecretRow.student_id.in_([student for _, student in students]))
    )
    wanted = set(students)
    return {(row.batch_id, row.student_id): row for row in rows.all() if (row.batch_id, row.student_id) in wanted}


async def destroy_secrets(session: AsyncSession, steps: Sequence[StepId]) -> None:
    if steps:
        await session.execute(delete(SealedSecretRow).where(SealedSecretRow.step_id.in_(steps)))


async def destroy_expired_secrets(session: AsyncSession, *, now: datetime) -> int:
    """Purge what no letter took in time; returns how many."""
    result = await session.execute(delete(SealedSecretRow).where(SealedSecretRow.expires_at < now))
    return int(result.rowcount)  # type: ignore[attr-defined]
