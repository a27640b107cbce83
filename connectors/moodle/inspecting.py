"""Look at a course before anybody is enrolled: is it there, does it take enrolments by hand, may the role be given.

No function of the web services tells which roles a token may assign, so a user who cannot exist is enrolled: the checks
go course, role, manual instance, user, and only the last one may say no (measured order; nothing is ever written).
Source: contracts/moodle.md, "Errors".
"""

from collections.abc import Sequence

from connectors.moodle import faults
from connectors.moodle.asking import for_each
from connectors.moodle.calls import MoodleCalls
from lucy.errors import NotFound, RemoteError, RemoteIds, System
from lucy.ports import CourseInspection, EnrolmentRequest

NOBODY = 2**31 - 1  # no site has given out this user id: the largest that Moodle's column holds


async def inspect(calls: MoodleCalls, shortnames: Sequence[str], role_id: int) -> dict[str, CourseInspection]:
    """One or two calls for each course. Raises RemoteError where the site itself cannot be used."""

    async def ask(shortname: str) -> CourseInspection:
        course = await calls.course(shortname)
        if course is None:
            missing = NotFound(System.MOODLE, "inspect", "M-005", "no such course", RemoteIds())
            return CourseInspection(shortname, None, (missing,))
        try:
            await calls.enrol([EnrolmentRequest("probe", NOBODY, course.id, role_id)])
        except RemoteError as error:
            code = faults.remote_code(error)
            if code in (faults.CODING_ERROR, faults.USER_MISSING):  # the user is to blame, and nothing before them
                return CourseInspection(shortname, course)
            if code not in faults.COURSE_CODES:
                raise
            return CourseInspection(shortname, course, (error,))
        return CourseInspection(shortname, course)

    return await for_each(dict.fromkeys(shortnames), ask)
