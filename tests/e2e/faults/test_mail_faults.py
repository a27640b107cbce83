"""The mail server refuses, delays or hangs up: whom it costs a letter, whom a second copy, and nobody anything else."""

from collections import Counter

import pytest

from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from tests.e2e.faults.ledger import Ledger
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works

COURSES = ("INGRESO-2026", "CONT-1")
BEFORE_THE_LETTER = (StepKind.ACCOUNT, StepKind.LICENCE)


async def test_greylisting_is_waited_out(works: Works, ledger: Ledger) -> None:
    """451 to the first two attempts of a third of the people, as a greylisting server answers strangers."""
    known = await students(works.db, 24)
    await course_rules(works.db, *COURSES)
    grey = known[::3]
    for one in grey:
        works.fault("inbox", f"RCPT {one.email}", "reply", status=451, body="4.7.1 Greylisted", times=2)
    number = await works.running()
    for kind in (*BEFORE_THE_LETTER, StepKind.CREDENTIALS_MAIL):
        await works.lanes().run(kind)
    waiting = await works.steps(number, StepKind.CREDENTIALS_MAIL)
    assert Counter((one.state, one.error_code) for one in waiting) == {
        (StepState.DONE, ""): 16,
        (StepState.DUE, "E-003"): 8,
    }
    await works.drain()
    found = await ledger.check(number, known, COURSES)
    assert found.attempts("credentials_mail") == {1: 16, 3: 8}


async def test_a_refused_recipient_is_one_visible_failure(works: Works, ledger: Ledger) -> None:
    known = await students(works.db, 24)
    await course_rules(works.db, *COURSES)
    refused = known[5]
    works.fault("inbox", f"RCPT {refused.email}", "reply", status=550, times=None)
    number = await works.activate()
    await ledger.check(number, known, COURSES, exceptions={(refused.document, "credentials_mail"): ("failed", "E-004")})
    card = await works.text_of_card(number)
    assert "E-004" in card
    assert f"●●●●{refused.document[-4:]}" in card
    assert refused.email not in card


async def test_a_letter_whose_acceptance_nobody_could_know_comes_twice_as_the_same_letter(
    works: Works, ledger: Ledger
) -> None:
    """The connection is cut after the final dot: the server has the letter, and we were not told."""
    known = await students(works.db, 24)
    await course_rules(works.db, *COURSES)
    unlucky = [known[2], known[9], known[20]]
    for one in unlucky:
        works.fault("inbox", f"DATA {one.email}", "cut_after")
    number = await works.activate()
    found = await ledger.check(number, known, COURSES, letters_twice=range(3, 4))
    assert set(found.twice) == {one.email for one in unlucky}
    assert found.attempts("credentials_mail") == {1: 21, 2: 3}


@pytest.mark.parametrize(
    ("match", "fault"),
    [
        ("CONNECT", {"action": "reply", "status": 421, "times": 3}),
        ("CONNECT", {"action": "cut_before", "times": 3}),
        ("DATA", {"action": "cut_before", "after": 4, "times": 2}),
        ("DATA", {"action": "reply", "status": 452, "after": 4, "times": 5}),
    ],
    ids=["closed", "hangs up", "cut before the letter was kept", "full"],
)
async def test_a_server_that_is_away_for_a_while_costs_time_only(
    works: Works, ledger: Ledger, match: str, fault: dict[str, object]
) -> None:
    known = await students(works.db, 24)
    await course_rules(works.db, *COURSES)
    works.fault("inbox", match, **fault)  # type: ignore[arg-type]
    number = await works.activate()
    await ledger.check(number, known, COURSES)
