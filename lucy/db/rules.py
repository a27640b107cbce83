"""The tables that staff edit about courses: careers and course rules."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, union
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import CareerRow, CourseRuleRow, EnrolmentRow
from lucy.domain.course_rules import CourseRule
from lucy.domain.ingest import KnownCareer
from lucy.domain.students import Stage


async def careers(session: AsyncSession) -> dict[int, KnownCareer]:
    rows = (await session.scalars(select(CareerRow).where(CareerRow.active).order_by(CareerRow.id))).all()
    return {row.id: KnownCareer(row.id, row.code, row.name) for row in rows}


async def course_rules(session: AsyncSession) -> list[CourseRule]:
    """Those in force."""
    return [rule for rule in await every_course_rule(session) if rule.active]


async def every_course_rule(session: AsyncSession) -> list[CourseRule]:
    """Also those that staff switched off."""
    rows = (await session.scalars(select(CourseRuleRow).order_by(CourseRuleRow.id))).all()
    return [
        CourseRule(
            row.id,
            row.course,
            frozenset(row.careers),
            frozenset(row.modalities),
            frozenset(row.commissions),
            frozenset(map(Stage, row.stages)),
            row.active,
        )
        for row in rows
    ]


async def known_courses(session: AsyncSession) -> list[str]:
    """The courses that rules name or somebody is in, by name."""
    statement = union(select(CourseRuleRow.course), select(EnrolmentRow.course)).order_by("course")
    return list((await session.scalars(statement)).all())


async def put_careers(session: AsyncSession, careers: Sequence[KnownCareer]) -> None:
    """Store careers by id; those not named stay as they are."""
    if careers:
        statement = upsert(CareerRow)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[CareerRow.id],
                set_={"code": statement.excluded.code, "name": statement.excluded.name},
            ),
            [{"id": one.id, "code": one.code, "name": one.name} for one in careers],
        )


async def replace_course_rules(session: AsyncSession, rules: Sequence[CourseRule]) -> None:
    """The rules become exactly these."""
    await session.execute(delete(CourseRuleRow))
    if rules:
        await session.execute(
            insert(CourseRuleRow),
            [
                {
                    "course": rule.course,
                    "careers": sorted(rule.careers),
                    "modalities": sorted(rule.modalities),
                    "commissions": sorted(rule.commissions),
                    "stages": sorted(stage.value for stage in rule.stages),
                    "active": rule.active,
                }
                for rule in rules
            ],
        )
