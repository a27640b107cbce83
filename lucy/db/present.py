"""What students have already, as plans need it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import account_groups as groups_db
from lucy.db import letters as letters_db
from lucy.db.tables import AccountRow, EnrolmentRow, FormerEmailRow, MoodleUserRow, StudentRow
from lucy.domain.plans import Present
from lucy.domain.students import StudentId


async def present(
    session: AsyncSession, ids: Sequence[StudentId], *, contact_since: datetime
) -> dict[StudentId, Present]:
    """What Lucy knows that each student has already. An address younger than `contact_since` is a new one."""
    accounts = {
        row.student_id: row
        for row in await session.execute(
            select(AccountRow.student_id, AccountRow.licensed, AccountRow.enabled, AccountRow.mailed_to).where(
                AccountRow.student_id.in_(ids)
            )
        )
    }
    contacts = await _contacts(session, ids)
    former = await _former(session, ids)
    bounced = await letters_db.addresses_that_bounced(session, ids)
    account_groups = await groups_db.of_students(session, ids)
    users: dict[StudentId, set[str]] = {}
    for student, site in await session.execute(
        select(MoodleUserRow.student_id, MoodleUserRow.site).where(
            MoodleUserRow.student_id.in_(ids), ~MoodleUserRow.suspended
        )
    ):
        users.setdefault(student, set()).add(site)
    courses: dict[StudentId, set[str]] = {}
    ours: dict[StudentId, set[str]] = {}
    groups: dict[StudentId, dict[str, frozenset[str]]] = {}
    for row in await session.execute(
        select(
            EnrolmentRow.student_id,
            EnrolmentRow.course,
            EnrolmentRow.made_by_batch,
            EnrolmentRow.was_suspended,
            EnrolmentRow.groups,
        ).where(EnrolmentRow.student_id.in_(ids), ~EnrolmentRow.suspended)
    ):
        courses.setdefault(row.student_id, set()).add(row.course)
        groups.setdefault(row.student_id, {})[row.course] = frozenset(row.groups)
        if row.made_by_batch is not None and not row.was_suspended:  # a suspended one was there before Lucy
            ours.setdefault(row.student_id, set()).add(row.course)
    return {
        id_: Present(
            has_account=id_ in accounts,
            licensed=id_ in accounts and accounts[id_].licensed,
            moodle_users=frozenset(users.get(id_, ())),
            courses=frozenset(courses.get(id_, ())),
            enabled=id_ not in accounts or accounts[id_].enabled,
            ours=frozenset(ours.get(id_, ())),
            groups=groups.get(id_, {}),
            account_groups=account_groups.get(id_, frozenset()),
            contact_changed=_changed(
                contacts[id_].email,
                mailed_to=accounts[id_].mailed_to if id_ in accounts else "",
                replaced_at=former[id_].replaced_at if id_ in former else None,
                since=contact_since,
            ),
            former_contact=id_ in former and former[id_].email.lower() not in bounced.get(id_, ()),
            bounced=contacts[id_].email.lower() in bounced.get(id_, ()),
            welcomed=contacts[id_].welcomed,
            former_stage=contacts[id_].former_stage,
        )
        for id_ in ids
    }


@dataclass(frozen=True, slots=True)
class _Contact:
    email: str
    welcomed: bool
    former_stage: str


async def _contacts(session: AsyncSession, ids: Sequence[StudentId]) -> dict[StudentId, _Contact]:
    rows = await session.scalars(select(StudentRow).where(StudentRow.id.in_(ids)))
    return {
        row.id: _Contact(
            row.personal_email,
            row.welcomed_at is not None,
            "" if row.told_stage == row.stage.value else row.former_stage,
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class _Former:
    email: str
    replaced_at: datetime


async def _former(session: AsyncSession, ids: Sequence[StudentId]) -> dict[StudentId, _Former]:
    """The address that each had before the present one, and until when."""
    rows = await session.scalars(
        select(FormerEmailRow)
        .where(FormerEmailRow.student_id.in_(ids))
        .order_by(FormerEmailRow.replaced_at, FormerEmailRow.id)
    )
    return {row.student_id: _Former(row.email, row.replaced_at) for row in rows}


def _changed(email: str, *, mailed_to: str, replaced_at: datetime | None, since: datetime) -> bool:
    """Whether a password to this address would go where none went before, or where somebody has just moved it."""
    if mailed_to and mailed_to.lower() != email.lower():
        return True
    return replaced_at is not None and replaced_at >= since
