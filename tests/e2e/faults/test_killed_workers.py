"""A worker that is killed anywhere in a lane loses nobody and doubles nothing that could be known.

Five workers in a row die, each in the next lane of the same batch (`dying_worker`); the sixth ends it.
"""

import json
from typing import Any

import pytest

from tests.e2e.faults.conftest import COURSES
from tests.e2e.faults.dying_worker import Boundary
from tests.e2e.faults.stagehand import Stagehand

LETTER = 3  # the letter during or after which the worker dies; those before it are recorded
# The call of each lane and where its simulator tells it, in the order of the lanes.
CALLS = {
    "account": ("graph", "POST /users", 1),
    "licence": ("graph", "POST /users/{id}/assignLicense", 1),
    "credentials_mail": ("inbox", "DATA", LETTER),
    "moodle_user": ("moodle", "core_user_create_users", 1),
    "enrolment": ("moodle", "enrol_manual_enrol_users", 1),
}
# Longer than it takes to see the call and to kill, shorter than a lease: the provider does what the dead had asked for.
ON_THE_WIRE_S = 1.0


@pytest.mark.parametrize("boundary", Boundary)
async def test_workers_killed_one_after_another_in_every_lane(hand: Stagehand, boundary: Boundary) -> None:
    known = await hand.students(20)
    number = await hand.approved()
    if boundary is Boundary.CALLING:
        for system, match, nth in CALLS.values():
            await hand.fault(
                system, match=match, action="delay", delay_s=ON_THE_WIRE_S, after=nth - 1, times=20 if nth == 1 else 1
            )
    host = await hand.host(
        boundary, [f"{lane}:{nth}:{hand.calls_url(system, match)}" for lane, (system, match, nth) in CALLS.items()]
    )
    await hand.finished(number)
    assert deaths(host.log_tail(1_000_000)) == list(CALLS)

    told = range(1) if boundary is Boundary.CLAIMED else range(1, 2)
    found = await hand.ledger.check(number, known, COURSES, letters_twice=told)
    creations = await hand.calls("graph", "POST /users")
    assert [call["status"] for call in creations] == [201] * 20, "who was made was found, and not asked for again"
    licences = await hand.calls("graph", "POST /users/{id}/assignLicense")
    assert len(licences) == (20 if boundary is Boundary.CLAIMED else 40), "to assign again is harmless"
    for kind in ("account", "licence"):
        assert found.attempts(kind) == {2: 20}, "the worker died with all of them in hand"
    for kind in ("moodle_user", "enrolment"):
        assert min(found.attempts(kind)) >= 2
    recorded = 0 if boundary is Boundary.CLAIMED else LETTER - 1
    assert found.attempts("credentials_mail")[1] == recorded, "letters that were recorded are not sent again"


def deaths(log: str) -> list[Any]:
    told = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [one["lane"] for one in told if one["event"] == "host.died"]
