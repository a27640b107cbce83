"""The course rules as people read them, and what they give one student."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import course_checks
from lucy.db import rules as rules_db
from lucy.db import students as students_db
from lucy.domain.course_rules import Verdict, judge_rules
from lucy.domain.error_codes import explain
from lucy.domain.rule_words import career_words, for_whom, why_given, why_not
from lucy.domain.students import Student, format_document_number
from lucy.domain.views_courses import CourseLine, RuleLine, RulesView, RuleTestView


async def view_rules(session: AsyncSession) -> RulesView:
    """Every rule, also those switched off, with what the last look at its course found."""
    rules = sorted(await rules_db.every_course_rule(session), key=lambda rule: (rule.course, rule.id))
    checks = await course_checks.of_courses(session, [rule.course for rule in rules])
    return RulesView(
        tuple(
            RuleLine(
                course=rule.course,
                who=for_whom(rule),
                active=rule.active,
                problems=tuple(explain(code) for code in checks[rule.course].problems) if rule.course in checks else (),
                checked=rule.course in checks,
            )
            for rule in rules
        ),
        min((check.checked_at for check in checks.values()), default=None),
    )


async def view_rule_tests(session: AsyncSession, number: str) -> tuple[RuleTestView, ...]:
    """What the rules give the students with this document number (one, unless two document types share it)."""
    rules = await rules_db.course_rules(session)
    people = [students_db.student_from(row) for row in await students_db.by_document(session, number)]
    return tuple(_test(student, judge_rules(student, rules)) for student in people)


def _test(student: Student, verdicts: Sequence[Verdict]) -> RuleTestView:
    given: dict[str, CourseLine] = {}
    for verdict in verdicts:
        if verdict.reason is not None:
            line = CourseLine(verdict.rule.course, why_given(verdict.reason))
            given.setdefault(verdict.rule.course, line)
    nearest = sorted(
        (one for one in verdicts if one.reason is None and one.rule.course not in given),
        key=lambda one: (len(one.missed), one.rule.course),
    )
    others: dict[str, CourseLine] = {}
    for verdict in nearest:
        others.setdefault(verdict.rule.course, CourseLine(verdict.rule.course, why_not(verdict)))
    return RuleTestView(
        name=student.full_name,
        document=f"{student.document_type} {format_document_number(student.document_number)}",
        about="; ".join([*map(career_words, student.careers), student.stage.value]),
        given=tuple(given[course] for course in sorted(given)),
        others=tuple(others.values()),
    )
