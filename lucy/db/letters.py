"""Letters that the mail server took, and what became of them since."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import AccountRow, LetterRow, ReturnMailboxRow, StudentRow
from lucy.domain.batches import BatchId
from lucy.domain.letter_states import WITH_PASSWORD, LetterState, SentLetter, says_no_such_mailbox
from lucy.domain.letters import LetterName
from lucy.domain.steps import StepId
from lucy.domain.students import StudentId
from lucy.ports import MailboxPlace

_OPEN = (LetterState.ACCEPTED, LetterState.UNUSED)


@dataclass(frozen=True, slots=True)
class AcceptedLetter:
    step_id: StepId
    student_id: StudentId
    batch_id: BatchId
    name: LetterName
    address: str


async def add(session: AsyncSession, accepted: Sequence[AcceptedLetter], *, now: datetime) -> None:
    """The server took these. A letter with a password takes the place of those with one before it."""
    for one in accepted:
        if one.name in WITH_PASSWORD:
            await session.execute(
                update(LetterRow)
                .where(LetterRow.student_id == one.student_id, LetterRow.name.in_(WITH_PASSWORD))
                .where(LetterRow.state != LetterState.REISSUED)
                .values(state=LetterState.REISSUED, state_at=now)
            )
        row = {
            "step_id": one.step_id,
            "student_id": one.student_id,
            "batch_id": one.batch_id,
            "name": one.name,
            "address": one.address,
            "state": LetterState.ACCEPTED,
            "accepted_at": now,
            "state_at": now,
        }
        await session.execute(insert(LetterRow).values(**row).on_conflict_do_nothing())


async def of_student(session: AsyncSession, student: StudentId) -> SentLetter | None:
    """Their last letter with a password."""
    row = await session.scalar(
        select(LetterRow)
        .where(LetterRow.student_id == student, LetterRow.name.in_(WITH_PASSWORD))
        .where(LetterRow.state != LetterState.REISSUED)
    )
    return SentLetter(row.state, row.accepted_at, row.state_at, row.detail) if row else None


# What came back


async def bounce_by_step(session: AsyncSession, step: StepId, status: str, *, now: datetime) -> LetterRow | None:
    """The letter of a step came back; None where there is none that could."""
    row = await session.get(LetterRow, step, with_for_update=True)
    return _bounced(row, status, now)


async def bounce_by_address(
    session: AsyncSession, addresses: Collection[str], status: str, *, since: datetime, now: datetime
) -> LetterRow | None:
    """The last letter to one of these addresses came back, if it was taken after `since`."""
    row = await session.scalar(
        select(LetterRow)
        .where(func.lower(LetterRow.address).in_([one.lower() for one in addresses]), LetterRow.accepted_at > since)
        .order_by(LetterRow.accepted_at.desc())
        .limit(1)
        .with_for_update()
    )
    return _bounced(row, status, now)


def _bounced(row: LetterRow | None, status: str, now: datetime) -> LetterRow | None:
    if row is None or row.state not in _OPEN:
        return None
    row.state, row.state_at, row.detail = LetterState.BOUNCED, now, status
    return row


async def mailbox_place(session: AsyncSession, mailbox: str) -> MailboxPlace | None:
    row = await session.get(ReturnMailboxRow, mailbox)
    return MailboxPlace(row.validity, row.uid) if row else None


async def keep_mailbox_place(session: AsyncSession, mailbox: str, place: MailboxPlace, *, now: datetime) -> None:
    values = {"validity": place.validity, "uid": place.uid, "read_at": now}
    statement = insert(ReturnMailboxRow).values(mailbox=mailbox, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=[ReturnMailboxRow.mailbox], set_=values))


async def addresses_that_bounced(session: AsyncSession, students: Sequence[StudentId]) -> dict[StudentId, set[str]]:
    """In lower case, the addresses from which letters came back and would again."""
    found: dict[StudentId, set[str]] = {}
    rows = await session.execute(
        select(LetterRow.student_id, LetterRow.address, LetterRow.detail).where(
            LetterRow.student_id.in_(students), LetterRow.state == LetterState.BOUNCED
        )
    )
    for row in rows:
        if says_no_such_mailbox(row.detail):
            found.setdefault(row.student_id, set()).add(row.address.lower())
    return found


# Whether the password was used


@dataclass(frozen=True, slots=True)
class UnsettledLetter:
    step_id: StepId
    student_id: StudentId
    batch_id: BatchId
    entra_id: str
    accepted_at: datetime
    state: LetterState


async def unsettled(session: AsyncSession, *, before: datetime, after: StepId, size: int) -> Sequence[UnsettledLetter]:
    """Letters with a password taken before a moment, of accounts that may sign in, in pages: those after `after`."""
    rows = await session.execute(
        select(
            LetterRow.step_id,
            LetterRow.student_id,
            LetterRow.batch_id,
            AccountRow.entra_id,
            LetterRow.accepted_at,
            LetterRow.state,
        )
        .join(AccountRow, AccountRow.student_id == LetterRow.student_id)
        .where(
            LetterRow.state.in_(_OPEN),
            LetterRow.name.in_(WITH_PASSWORD),
            LetterRow.accepted_at < before,
            LetterRow.step_id > after,
            AccountRow.enabled,
        )
        .order_by(LetterRow.step_id)
        .limit(size)
    )
    return [UnsettledLetter(*row) for row in rows]


async def settle(session: AsyncSession, steps: Collection[StepId], state: LetterState, *, now: datetime) -> None:
    """What was found out of letters that are still open."""
    if steps:
        await session.execute(
            update(LetterRow)
            .where(LetterRow.step_id.in_(list(steps)), LetterRow.state.in_(_OPEN), LetterRow.state != state)
            .values(state=state, state_at=now)
        )


# How many there are


def with_letter(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of a query over students: whose last letter with a password is such a one."""
    letter = select(LetterRow.step_id).where(
        LetterRow.student_id == StudentRow.id, LetterRow.name.in_(WITH_PASSWORD), *conditions
    )
    return exists(letter)


def same_address() -> ColumnElement[bool]:
    return func.lower(LetterRow.address) == func.lower(StudentRow.personal_email)


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """Students by what became of their last letter with a password.

    `bounced`: it came back, and SIAL has the same address. `mended`: it came back, and the address is another by now.
    """

    unused: int
    bounced: int
    mended: int


async def counts(session: AsyncSession) -> LetterCounts:
    enabled = exists().where(AccountRow.student_id == StudentRow.id, AccountRow.enabled)

    async def count(*conditions: ColumnElement[bool]) -> int:
        statement = select(func.count()).select_from(StudentRow).where(enabled, with_letter(*conditions))
        return int(await session.scalar(statement) or 0)

    bounced = LetterRow.state == LetterState.BOUNCED
    return LetterCounts(
        unused=await count(LetterRow.state == LetterState.UNUSED),
        bounced=await count(bounced, same_address()),
        mended=await count(bounced, ~same_address()),
    )
