"""Students: stored from the source in bulk, found by selection, read with what they have."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Text,
    and_,
    any_,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.letters import same_address, with_letter
from lucy.db.listings import WITNESSES
from lucy.db.tables import (
    AccountRow,
    EnrolmentRow,
    FormerEmailRow,
    LetterRow,
    ListingRow,
    MoodleUserRow,
    StudentRow,
)
from lucy.db.unsent import waits_for_a_password
from lucy.domain.letter_states import LetterState
from lucy.domain.selections import LetterFate, Selection, Thing, fold
from lucy.domain.students import Career, Modality, SourceList, Stage, Student, StudentId


@dataclass(frozen=True, slots=True)
class KnownStudent:
    """What ingest compares a source entry with. `hash`: the print of their entries on that list, empty for none."""

    id: StudentId
    stage: Stage
    hash: str
    personal_email: str


def career_from(value: Mapping[str, Any]) -> Career:
    """A stored career."""
    modality = value.get("modality")
    return Career(
        career_id=value["career_id"],
        code=value["code"],
        name=value["name"],
        modality=Modality(modality) if modality else None,
        cohort=value.get("cohort"),
        commissions=tuple(value.get("commissions", ())),
        enrolled_on=value.get("enrolled_on", ""),
    )


def career_value(career: Career) -> dict[str, Any]:
    """A career as it is stored."""
    return {
        "career_id": career.career_id,
        "code": career.code,
        "name": career.name,
        "modality": career.modality.value if career.modality else None,
        "cohort": career.cohort,
        "commissions": list(career.commissions),
        "enrolled_on": career.enrolled_on,
    }


def student_from(row: StudentRow) -> Student:
    return Student(
        id=row.id,
        document_type=row.document_type,
        document_number=row.document_number,
        first_name=row.first_name,
        last_name=row.last_name,
        personal_email=row.personal_email,
        stage=row.stage,
        cohort=row.cohort,
        careers=tuple(career_from(value) for value in row.careers),
        locality=row.locality,
    )


async def known(
    session: AsyncSession, keys: Collection[tuple[str, str]], source_list: SourceList, *, lock: bool = False
) -> dict[tuple[str, str], KnownStudent]:
    """Those of the people (document type, number) that are known already; with `lock` nobody else changes them now."""
    wanted = (
        func.unnest(cast([kind for kind, _ in keys], ARRAY(Text)), cast([number for _, number in keys], ARRAY(Text)))
        .table_valued("type", "number")
        .render_derived("wanted")
    )
    listed = and_(ListingRow.student_id == StudentRow.id, ListingRow.source_list == source_list)
    statement = (
        select(
            StudentRow.document_type,
            StudentRow.document_number,
            StudentRow.id,
            StudentRow.stage,
            func.coalesce(ListingRow.hash, "").label("hash"),
            StudentRow.personal_email,
        )
        .join(wanted, and_(StudentRow.document_type == wanted.c.type, StudentRow.document_number == wanted.c.number))
        .outerjoin(ListingRow, listed)
        .order_by(StudentRow.id)
    )
    rows = await session.execute(statement.with_for_update(of=StudentRow) if lock else statement)
    return {
        (row.document_type, row.document_number): KnownStudent(row.id, row.stage, row.hash, row.personal_email)
        for row in rows
    }


async def add(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], StudentId]:
    """Store new students; returns the ids of those that were not there, by document.

    Another list that stores the same person at the same moment is waited for; that person is not returned.
    """
    if not rows:
        return {}
    content = json.dumps([dict(row) for row in rows], default=_written)
    stored = await session.execute(_ADD, {"rows": content})
    return {(row.document_type, row.document_number): row.id for row in stored}


_ADD = text("""
    insert into student (
        document_type, document_number, first_name, last_name, personal_email, stage, careers, first_seen_at,
        last_seen_at, changed_at, phone, locality, born_on, cohort
    )
    select * from jsonb_to_recordset(cast(:rows as jsonb)) as new(
        document_type text, document_number text, first_name text, last_name text, personal_email text, stage text,
        careers jsonb, first_seen_at timestamptz, last_seen_at timestamptz, changed_at timestamptz, phone text,
        locality text, born_on date, cohort smallint
    )
    order by document_type, document_number
    on conflict do nothing
    returning id, document_type, document_number
""")
_CHANGE = text("""
    update student set
        former_stage = case when student.stage = new.stage then student.former_stage else student.stage end,
        first_name = new.first_name, last_name = new.last_name, personal_email = new.personal_email, stage = new.stage,
        careers = new.careers, last_seen_at = new.last_seen_at, changed_at = new.changed_at,
        phone = coalesce(nullif(new.phone, ''), student.phone),
        locality = coalesce(nullif(new.locality, ''), student.locality),
        born_on = coalesce(new.born_on, student.born_on), cohort = coalesce(new.cohort, student.cohort)
    from jsonb_to_recordset(cast(:rows as jsonb)) as new(
        id bigint, first_name text, last_name text, personal_email text, stage text, careers jsonb,
        last_seen_at timestamptz, changed_at timestamptz, phone text, locality text, born_on date, cohort smallint
    )
    where student.id = new.id
""")


async def change(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update students by `id`. An empty phone, locality, birth date or cohort leaves what is known (rule 4)."""
    if rows:
        content = json.dumps([dict(row) for row in rows], default=_written)
        await session.execute(_CHANGE, {"rows": content})


def _written(value: object) -> str:
    if isinstance(value, date):  # and moments
        return value.isoformat()
    raise TypeError(type(value).__name__)


async def keep_former_emails(session: AsyncSession, former: Mapping[StudentId, str], *, now: datetime) -> None:
    """The addresses that account holders had until now."""
    rows = [{"student_id": student, "email": email, "replaced_at": now} for student, email in former.items() if email]
    if rows:
        await session.execute(insert(FormerEmailRow), rows)


async def former_emails(session: AsyncSession, ids: Collection[StudentId]) -> dict[StudentId, str]:
    """The address that each had before the present one."""
    statement = select(FormerEmailRow.student_id, FormerEmailRow.email).where(FormerEmailRow.student_id.in_(list(ids)))
    rows = await session.execute(statement.order_by(FormerEmailRow.replaced_at, FormerEmailRow.id))
    return {row.student_id: row.email for row in rows}


async def mark_welcomed(session: AsyncSession, ids: Sequence[StudentId], *, now: datetime) -> None:
    if ids:
        await session.execute(update(StudentRow).where(StudentRow.id.in_(ids)).values(welcomed_at=now))


async def mark_told(session: AsyncSession, ids: Sequence[StudentId]) -> None:
    """They know by letter what they are now."""
    if ids:
        await session.execute(update(StudentRow).where(StudentRow.id.in_(ids)).values(told_stage=StudentRow.stage))


async def touch(session: AsyncSession, ids: Sequence[StudentId], *, now: datetime) -> None:
    """Note that the source still lists them."""
    if ids:
        these = StudentRow.id == any_(cast(list(ids), ARRAY(BigInteger)))
        await session.execute(update(StudentRow).where(these).values(last_seen_at=now))


async def select_ids(session: AsyncSession, selection: Selection, *, zone: ZoneInfo) -> list[StudentId]:
    """The students a selection means, by surname; days begin at midnight in `zone`.

    Ordered here: in the embedded database Álvarez would come after Zárate (it has no collations but C).
    """
    statement = select(StudentRow.id, StudentRow.last_name, StudentRow.first_name).where(*_conditions(selection, zone))
    rows = (await session.execute(statement)).all()
    return [row.id for row in sorted(rows, key=lambda row: (fold(row.last_name), fold(row.first_name), row.id))]


async def count(session: AsyncSession, selection: Selection, *, zone: ZoneInfo) -> int:
    statement = select(func.count()).select_from(StudentRow).where(*_conditions(selection, zone))
    return int(await session.scalar(statement) or 0)


async def count_absent(session: AsyncSession) -> int:
    """Those who may sign in and are on no list any more."""
    open_account = exists().where(AccountRow.student_id == StudentRow.id, AccountRow.enabled)
    absent = _conditions(Selection(absent=True), ZoneInfo("UTC"))
    return int(await session.scalar(select(func.count()).select_from(StudentRow).where(open_account, *absent)) or 0)


async def unknown_documents(session: AsyncSession, documents: Iterable[str]) -> list[str]:
    """Those of the numbers that no student has."""
    wanted = list(documents)
    found = set(
        (await session.scalars(select(StudentRow.document_number).where(StudentRow.document_number.in_(wanted)))).all()
    )
    return [number for number in wanted if number not in found]


async def load(session: AsyncSession, ids: Collection[StudentId]) -> dict[StudentId, Student]:
    """Students by id."""
    rows = (await session.scalars(select(StudentRow).where(StudentRow.id.in_(list(ids))))).all()
    return {row.id: student_from(row) for row in rows}


async def by_document(session: AsyncSession, number: str) -> list[StudentRow]:
    """The students with this number, of whatever document type."""
    statement = select(StudentRow).where(StudentRow.document_number == number).order_by(StudentRow.document_type)
    return list((await session.scalars(statement)).all())


async def ids_by_number(session: AsyncSession, numbers: Collection[str]) -> dict[str, StudentId]:
    """Students by document number; of two with one number the first."""
    statement = select(StudentRow.document_number, StudentRow.id).where(StudentRow.document_number.in_(list(numbers)))
    found: dict[str, StudentId] = {}
    for number, id_ in await session.execute(statement.order_by(StudentRow.document_type)):
        found.setdefault(number, id_)
    return found


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), zone)


def _conditions(selection: Selection, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if selection.documents:
        found.append(StudentRow.document_number.in_(selection.documents))
    if selection.stages:
        found.append(StudentRow.stage.in_(selection.stages))
    if selection.cohorts:
        found.append(StudentRow.cohort.in_(selection.cohorts))
    if selection.localities:
        found.append(func.lower(StudentRow.locality).in_([name.lower() for name in selection.localities]))
    found += _career_conditions(selection)
    found += [_has(thing) for thing in sorted(selection.having)]
    found += [~_has(thing) for thing in sorted(selection.lacking)]
    if selection.letters:
        found.append(or_(*(_letter(fate) for fate in sorted(selection.letters))))
    if selection.absent:
        listed = exists().where(ListingRow.student_id == StudentRow.id)
        found += [listed, ~listed.where(ListingRow.missing < WITNESSES)]
    if selection.new_since:
        found.append(StudentRow.first_seen_at >= _start(selection.new_since, zone))
    if selection.changed_since:
        found.append(StudentRow.changed_at >= _start(selection.changed_since, zone))
    return found


def _career_conditions(selection: Selection) -> list[ColumnElement[bool]]:
    """Career, modality and commission are asked of one and the same career of the student."""
    patterns: list[dict[str, Any]] = [{}]
    for name, values in (
        ("code", sorted(selection.careers)),
        ("modality", sorted(one.value for one in selection.modalities)),
        ("commissions", [[one] for one in sorted(selection.commissions)]),
    ):  # type: tuple[str, list[Any]]
        if values:
            patterns = [{**pattern, name: value} for pattern in patterns for value in values]
    if patterns == [{}]:
        return []
    return [or_(*(StudentRow.careers.contains([pattern]) for pattern in patterns))]


_FATES = {
    LetterFate.ACCEPTED: LetterState.ACCEPTED,
    LetterFate.UNUSED: LetterState.UNUSED,
    LetterFate.USED: LetterState.USED,
}


def _letter(fate: LetterFate) -> ColumnElement[bool]:
    if fate in _FATES:
        return with_letter(LetterRow.state == _FATES[fate])
    if fate is LetterFate.FAILED:
        return waits_for_a_password()
    same = same_address()
    return with_letter(LetterRow.state == LetterState.BOUNCED, same if fate is LetterFate.BOUNCED else ~same)


def _has(thing: Thing) -> ColumnElement[bool]:
    account = select(AccountRow.student_id).where(AccountRow.student_id == StudentRow.id)
    if thing is Thing.ACCOUNT:
        return exists(account)
    if thing is Thing.LICENCE:
        return exists(account.where(AccountRow.licensed))
    if thing is Thing.LETTER:
        return exists(account.where(AccountRow.mailed_at.is_not(None)))
    if thing is Thing.MOODLE:
        return exists(select(MoodleUserRow.student_id).where(MoodleUserRow.student_id == StudentRow.id))
    if thing is Thing.ENROLMENT:
        return exists(
            select(EnrolmentRow.student_id).where(EnrolmentRow.student_id == StudentRow.id, ~EnrolmentRow.suspended)
        )
    return StudentRow.personal_email != ""
