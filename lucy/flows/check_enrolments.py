"""Hold the courses of Moodle against the rules and against what Lucy knows; her record follows, nothing is put right.

One list of participants for each course: seconds each on a large site (contracts/moodle.md, "Speed"), so once a week.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, course_drifts, outbox, rules
from lucy.db import cards as cards_db
from lucy.db import moodle as moodle_db
from lucy.db import students as students_db
from lucy.db.course_drifts import Recorded
from lucy.db.engine import Database
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.course_drift import CourseDrift, judge_place
from lucy.domain.course_rules import courses_for
from lucy.domain.moodle_rules import site_and_course
from lucy.domain.students import StudentId
from lucy.errors import Refused, RemoteError, System
from lucy.flows.check_accounts import SHOWS
from lucy.flows.redraw import ANNOUNCE
from lucy.ports import Moodle

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Course:
    """One course and who is in it now, by their ids in Moodle."""

    name: str
    inside: frozenset[int]
    suspended: frozenset[int]


async def check_enrolments(db: Database, sites: Mapping[str, Moodle]) -> None:
    """A site that cannot be asked is left as it was told last."""
    async with db.transaction() as session:
        every_rule = await rules.course_rules(session)
        known = await course_drifts.recorded(session)
        await course_drifts.keep_courses(session, {rule.course for rule in every_rule} | set(known))
    names = sorted({rule.course for rule in every_rule} | set(known))
    found = 0
    for site, moodle in sites.items():
        here = {course: known.get(course, {}) for course in names if site_and_course(course, sites)[0] == site}
        try:
            courses = await _look(moodle, here, sites)
        except RemoteError as error:
            log.warning("enrolments.not_checked", site=site, code=error.code, error=str(error))
            continue
        async with db.transaction() as session:
            users = await course_drifts.users(session, site)
            students = await students_db.load(session, users.values())
            expected = {id_: frozenset(courses_for(one, every_rule)) for id_, one in students.items()}
            for course in courses:
                found += await _compare(session, course, here[course.name], users, expected)
    async with db.transaction() as session:
        now = datetime.now(UTC)
        await audit.record(session, [AuditEvent(LUCY, "enrolments.check", "done", detail={"found": found})], now=now)
        await cards_db.want_redraw(session, shows=SHOWS, subject="")
        await outbox.put(session, [ANNOUNCE], now=now)


async def _look(
    moodle: Moodle, courses: Mapping[str, Mapping[StudentId, Recorded]], sites: Mapping[str, Moodle]
) -> list[_Course]:
    """Who is in each course. Raises RemoteError, also for a token that sees nobody where Lucy knows somebody."""
    shortnames = {site_and_course(name, sites)[1]: name for name in courses}
    there = await moodle.find_courses(sorted(shortnames))
    ids = {shortnames[shortname]: course.id for shortname, course in there.items() if course is not None}
    listed = await moodle.enrolled_in(sorted(ids.values()))
    if not any(listed.values()) and any(not one.suspended for rows in courses.values() for one in rows.values()):
        raise Refused(System.MOODLE, "enrolled_in", "M-003", detail="the token sees nobody")
    suspended = await moodle.suspended_in(sorted(ids.values()))
    nobody: frozenset[int] = frozenset()
    return [_Course(name, listed.get(id_, nobody), suspended.get(id_, nobody)) for name, id_ in ids.items()]


async def _compare(
    session: AsyncSession,
    course: _Course,
    known: Mapping[StudentId, Recorded],
    users: Mapping[int, StudentId],
    expected: Mapping[StudentId, frozenset[str]],
) -> int:
    """Tell what differs in one course, and have Lucy's record follow Moodle; returns how many differ."""
    told = await course_drifts.told(session, course.name)
    found: dict[StudentId, CourseDrift] = {}
    gone: list[tuple[StudentId, str]] = []
    out: list[tuple[StudentId, str]] = []
    back: list[tuple[StudentId, str]] = []
    for moodle_id, student in users.items():
        row, suspended = known.get(student), moodle_id in course.suspended
        inside = moodle_id in course.inside and not suspended
        drift = judge_place(
            told=told.get(student, frozenset()),
            recorded=row is not None and not row.suspended,
            expected=course.name in expected.get(student, frozenset()),
            inside=inside,
            suspended=suspended,
        )
        if drift is not None:
            found[student] = drift
        if row is not None and not inside and not suspended:
            gone.append((student, course.name))
        elif row is not None and row.suspended is not suspended:
            (out if suspended else back).append((student, course.name))
    await moodle_db.forget_enrolments(session, gone)
    await moodle_db.note_suspended(session, out, suspended=True)
    await moodle_db.note_suspended(session, back, suspended=False)
    await course_drifts.replace(session, course.name, found, now=datetime.now(UTC))
    return len(found)
