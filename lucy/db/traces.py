"""What a batch left with its students, and what happened to them since: what an undo is planned from."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import moodle as moodle_db
from lucy.db.tables import AccountRow, EnrolmentRow, MoodleUserRow, StepRow
from lucy.domain.batches import BatchId, batch_code
from lucy.domain.operations import StepKind
from lucy.domain.plans_undo import Traces
from lucy.domain.steps import StepState
from lucy.domain.students import StudentId, is_test_name

_LATER = text(
    """
    select mine.student_id, other.batch_id
    from (select student_id, max(closed_at) as closed_at from step
          where batch_id = :batch and student_id = any(:students) and state = 'done' group by student_id) as mine
    join step as other on other.student_id = mine.student_id
    where other.batch_id <> :batch and other.state = 'done' and other.closed_at > mine.closed_at
    group by mine.student_id, other.batch_id
    """
)


async def traces(
    session: AsyncSession, batch: BatchId, students: Sequence[StudentId], *, of_tests: bool
) -> list[Traces]:
    """One for each student, in the order given. `of_tests`: elsewhere no account may be deleted."""
    done = await _done(session, batch, students)
    later = await _later(session, batch, students)
    accounts = await accounts_db.accounts(session, students)
    users = await moodle_db.users_by_site(session, students)
    enrolments = await _enrolments(session, students)
    return [
        _traces(
            one,
            batch,
            done=frozenset(done.get(one, ())),
            later=frozenset(later.get(one, ())),
            account=accounts.get(one),
            users=users.get(one, {}),
            enrolments=enrolments.get(one, ()),
            of_tests=of_tests,
        )
        for one in students
    ]


async def done_students(session: AsyncSession, batch: BatchId) -> list[StudentId]:
    """The students for whom the batch did something, in the plan's order."""
    rows = await session.execute(
        text(
            """
            select student_id from step where batch_id = :batch and state = 'done'
            group by student_id order by min(position)
            """
        ),
        {"batch": batch},
    )
    return [StudentId(row.student_id) for row in rows]


async def _done(
    session: AsyncSession, batch: BatchId, students: Collection[StudentId]
) -> dict[StudentId, set[tuple[StepKind, str]]]:
    rows = await session.execute(
        select(StepRow.student_id, StepRow.kind, StepRow.target).where(
            StepRow.batch_id == batch, StepRow.student_id.in_(list(students)), StepRow.state == StepState.DONE
        )
    )
    found: dict[StudentId, set[tuple[StepKind, str]]] = {}
    for row in rows:
        found.setdefault(row.student_id, set()).add((row.kind, row.target))
    return found


async def _later(session: AsyncSession, batch: BatchId, students: Collection[StudentId]) -> dict[StudentId, set[str]]:
    found: dict[StudentId, set[str]] = {}
    for row in await session.execute(_LATER, {"batch": batch, "students": list(students)}):
        found.setdefault(row.student_id, set()).add(batch_code(row.batch_id))
    return found


async def _enrolments(session: AsyncSession, students: Collection[StudentId]) -> dict[StudentId, list[EnrolmentRow]]:
    found: dict[StudentId, list[EnrolmentRow]] = {}
    statement = select(EnrolmentRow).where(EnrolmentRow.student_id.in_(list(students)))
    for row in (await session.scalars(statement)).all():
        found.setdefault(row.student_id, []).append(row)
    return found


def _traces(
    student: StudentId,
    batch: BatchId,
    *,
    done: frozenset[tuple[StepKind, str]],
    later: frozenset[str],
    account: AccountRow | None,
    users: Mapping[str, MoodleUserRow],
    enrolments: Sequence[EnrolmentRow],
    of_tests: bool,
) -> Traces:
    mine = [row for row in enrolments if row.made_by_batch == batch and not row.suspended]
    return Traces(
        student_id=student,
        done=done,
        later=later,
        has_account=account is not None,
        account_made=account is not None and account.made_by_batch == batch,
        enabled=account is not None and account.enabled,
        deletable=of_tests and account is not None and is_test_name(account.upn),
        licence_given=account is not None and account.licensed and account.licensed_by_batch == batch,
        users=frozenset(users),
        users_made=frozenset(site for site, user in users.items() if user.made_by_batch == batch),
        users_suspended=frozenset(site for site, user in users.items() if user.suspended),
        courses=frozenset(row.course for row in enrolments if not row.suspended),
        made=frozenset(row.course for row in mine if not row.was_suspended),
        revived=frozenset(row.course for row in mine if row.was_suspended)
        | frozenset(
            row.course for row in enrolments if (StepKind.ENROLMENT, row.course) in done and _let_in(row, batch)
        ),
    )


def _let_in(row: EnrolmentRow, batch: BatchId) -> bool:
    """Whether the batch, having done the enrolment, found one that Lucy had suspended."""
    return not row.suspended and row.made_by_batch not in (None, batch)
