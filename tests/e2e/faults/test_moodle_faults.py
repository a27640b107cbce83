"""Moodle refuses whole arrays, fails with HTTP 200 or is away: the good rows get in, and nobody is enrolled twice."""

from collections import Counter
from typing import Any

import pytest

from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import StepState
from sandbox.moodle.errors import moodle_exception, php_failure, write_failed
from tests.e2e.faults.ledger import Ledger
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works

COURSES = ("INGRESO-2026", "CONT-1")
CREATE, ENROL = "core_user_create_users", "enrol_manual_enrol_users"


async def test_one_bad_row_of_an_array_costs_only_itself(works: Works, ledger: Ledger) -> None:
    """Between their creation and their enrolment somebody deletes one of 200 people in Moodle."""
    known = await students(works.db, 200)
    await course_rules(works.db, "INGRESO-2026")
    number = await works.running(options=BatchOptions(mail=False))
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE, StepKind.MOODLE_USER):
        await works.lanes().run(kind)
    bad, store = known[113], works.states.moodle.store
    user = store.user_by_username(bad.upn)
    assert user is not None
    with store.transaction():
        store.delete_user(user)
    await works.lanes().run(StepKind.ENROLMENT)
    sent = [one["rows"] for one in works.states.moodle.control.calls(ENROL)]
    assert sent[0] == 200, "they were asked for in one array"
    assert len(sent) <= 4, "and not one by one"
    await works.drain()
    found = await ledger.check(
        number,
        known,
        ["INGRESO-2026"],
        exceptions={(bad.document, "enrolment"): ("failed", "M-001")},
        gone={bad.document},
        mail=False,
    )
    assert found.attempts("enrolment") == {1: 200}


async def test_one_bad_row_among_the_new_users_costs_only_itself(works: Works, ledger: Ledger) -> None:
    """Somebody else has one of the addresses: Moodle creates nobody of the array and does not say why."""
    known = await students(works.db, 40)
    await course_rules(works.db, *COURSES)
    bad = known[17]
    works.states.moodle.seed(
        {"users": [{"username": "otra", "firstname": "Otra", "lastname": "Persona", "email": bad.upn, "idnumber": "1"}]}
    )
    number = await works.activate()
    await ledger.check(
        number,
        known,
        COURSES,
        exceptions={
            (bad.document, "moodle_user"): ("failed", "M-008"),
            (bad.document, "enrolment"): ("skipped", "G-002"),
        },
        others=["otra"],
    )


BODIES: dict[str, Any] = {
    "rolled back": write_failed().body(),
    "no database": moodle_exception("dbconnectionfailed", "Error: Database connection failed").body(),
    "PHP failure": php_failure("Call to a member function on null").body(),
    "a notice before the JSON": "<br />\n<b>Notice</b>: Undefined index\n[]",
    "another shape": {"users": []},
}


@pytest.mark.parametrize("function", [CREATE, ENROL])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_http_200_with_a_failure_in_it_is_not_taken_for_success(
    works: Works, ledger: Ledger, function: str, body: Any
) -> None:
    """Twice in a row; nothing was done, whatever the status line says."""
    known = await students(works.db, 6)
    await course_rules(works.db, *COURSES)
    works.fault("moodle", function, "moodle_error", body=body, times=2)
    number = await works.activate()
    await ledger.check(number, known, COURSES)
    assert len(works.states.moodle.control.calls(function)) >= 2, "the fault was met"


DOWN: dict[str, dict[str, Any]] = {
    "maintenance": {"maintenance": True},
    "no database": {"database_up": False},
}
BACK = {"maintenance": False, "database_up": True}


@pytest.mark.parametrize("settings", DOWN.values(), ids=DOWN.keys())
async def test_a_moodle_that_is_down_for_a_while_is_waited_for(
    works: Works, ledger: Ledger, settings: dict[str, Any]
) -> None:
    """Everything else goes on meanwhile: accounts, licences and letters do not need Moodle."""
    known = await students(works.db, 24)
    await course_rules(works.db, *COURSES)
    works.states.moodle.seed({"site": settings})
    number = await works.running()
    for _ in range(3):
        for kind in works.runtime.lanes:
            await works.lanes().run(kind)
        await works.hurry()
    assert Counter((one.kind, one.state) for one in await works.steps(number)) == {
        (StepKind.ACCOUNT, StepState.DONE): 24,
        (StepKind.LICENCE, StepState.DONE): 24,
        (StepKind.CREDENTIALS_MAIL, StepState.DONE): 24,
        (StepKind.MOODLE_USER, StepState.DUE): 24,
        (StepKind.ENROLMENT, StepState.WAITING): 48,
    }
    works.states.moodle.seed({"site": BACK})
    await works.drain()
    found = await ledger.check(number, known, COURSES)
    assert found.attempts("moodle_user") == {4: 24}


@pytest.mark.parametrize("function", [CREATE, ENROL])
@pytest.mark.parametrize("action", ["cut_after", "html"])
async def test_an_answer_that_is_lost_or_a_page_costs_time_only(
    works: Works, ledger: Ledger, function: str, action: str
) -> None:
    known = await students(works.db, 6)
    await course_rules(works.db, *COURSES)
    works.fault("moodle", function, action)
    number = await works.activate()
    await ledger.check(number, known, COURSES)
