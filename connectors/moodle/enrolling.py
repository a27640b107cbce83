"""Enrol in arrays. Enrolling again is harmless: it sets the state of the enrolment to the one asked for."""

from collections.abc import Sequence

from connectors.moodle import faults, wire
from connectors.moodle.arrays import Bisection, Outcome
from connectors.moodle.calls import MoodleCalls
from lucy.ports import EnrolmentRequest


async def enrol(calls: MoodleCalls, requests: Sequence[EnrolmentRequest]) -> Outcome:
    """The outcome of each. Raises RemoteError only when that is all there is to say of any."""
    rows = sorted(requests, key=lambda row: (row.course_id, row.user_id, row.role_id))
    arrays = Bisection(
        calls,
        operation="enrol",
        send=calls.enrol,
        place=lambda row: (row.course_id, row.role_id),
        course_codes=faults.COURSE_CODES,
        user_code=faults.CODING_ERROR,
    )
    return await arrays.run(rows, wire.enrol_rows(rows))
