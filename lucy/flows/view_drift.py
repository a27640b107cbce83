"""What differs between Entra, Moodle and what Lucy knows, for the channel."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import course_drifts, drifts
from lucy.db import students as students_db
from lucy.domain.course_drift import CourseDrift
from lucy.domain.drift import Drift
from lucy.domain.students import mask_document_number
from lucy.domain.views_accounts import CourseDriftGroup, DriftGroup, DriftLine, DriftView

OLDEST = 5


async def view_drift(session: AsyncSession) -> DriftView:
    counts = await drifts.counts(session)
    cursor = await drifts.cursor(session)
    groups = [await _group(session, drift, counts[drift]) for drift in Drift if drift in counts]
    return DriftView(
        tuple(groups),
        cursor.read_at if cursor else None,
        cursor.whole_at if cursor else None,
        _courses(await course_drifts.counts(session)),
    )


def _courses(rows: Sequence[tuple[CourseDrift, str, int, datetime]]) -> tuple[CourseDriftGroup, ...]:
    found: list[CourseDriftGroup] = []
    for drift in CourseDrift:
        mine = [(course, count, since) for kind, course, count, since in rows if kind is drift]
        if mine:
            courses = tuple((course, count) for course, count, _since in mine[:OLDEST])
            since = min(since for _course, _count, since in mine)
            found.append(CourseDriftGroup(drift, sum(count for _course, count, _since in mine), courses, since))
    return tuple(found)


async def _group(session: AsyncSession, drift: Drift, count: int) -> DriftGroup:
    rows = await drifts.oldest(session, drift, size=OLDEST)
    people = await students_db.load(session, {row.student_id for row in rows if row.student_id is not None})
    return DriftGroup(
        drift,
        count,
        tuple(
            DriftLine(
                mask_document_number(people[row.student_id].document_number) if row.student_id in people else "",
                row.first_seen_at,
            )
            for row in rows
        ),
    )
