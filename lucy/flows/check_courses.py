"""The pre-flight of the courses that rules name: is each there, does it take manual enrolments, with our role?

FEATURES row 55. Asked for from the channel, and by the agenda before the office opens.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import cards as cards_db
from lucy.db import course_checks, outbox, rules
from lucy.db.engine import Database
from lucy.domain.house import House
from lucy.domain.moodle_rules import site_and_course
from lucy.errors import RemoteError
from lucy.flows.redraw import ANNOUNCE
from lucy.ports import CourseInspection, Moodle

log = structlog.get_logger(__name__)

SHOWS = "rules"


async def check_courses(db: Database, sites: Mapping[str, Moodle], *, house: House) -> None:
    """Look at every course of the rules and draw the cards that show them. A site that does not answer is told so."""
    async with db.transaction() as session:
        courses = sorted({rule.course for rule in await rules.course_rules(session)})
    found = await look_at_courses(sites, courses, house=house)
    async with db.transaction() as session:
        await course_checks.store(session, found, keep=courses, now=datetime.now(UTC))
        await redraw_rules(session, now=datetime.now(UTC))


async def look_at_courses(
    sites: Mapping[str, Moodle], courses: Sequence[str], *, house: House
) -> dict[str, tuple[str, Sequence[str]]]:
    """Course → its full name, and the codes of what is wrong with it or with asking."""
    found: dict[str, tuple[str, Sequence[str]]] = {}
    for site, moodle in sites.items():
        shortnames = {
            shortname: course for course in courses for at, shortname in [site_and_course(course, sites)] if at == site
        }
        if not shortnames:
            continue
        try:
            inspected = await moodle.inspect(sorted(shortnames), house.moodle_sites[site].role_id)
        except RemoteError as error:
            log.warning("courses.not_checked", site=site, code=error.code, error=str(error))
            found |= {course: ("", [error.code]) for course in shortnames.values()}
        else:
            found |= {shortnames[shortname]: _result(one) for shortname, one in inspected.items()}
    return found


async def redraw_rules(session: AsyncSession, *, now: datetime) -> None:
    await cards_db.want_redraw(session, shows=SHOWS, subject="")
    await outbox.put(session, [ANNOUNCE], now=now)


def _result(one: CourseInspection) -> tuple[str, list[str]]:
    return (one.course.fullname if one.course else "", [error.code for error in one.problems])
