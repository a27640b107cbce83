"""The mail server refuses, delays or hangs up: whom it costs a letter, whom a second copy, and nobody anything else."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.flows.request_batch import Requester
from lucy.flows.retry_batch import retry_batch
from tests.e2e.faults.ledger import Ledger
from tests.integration.conftest import OpenWorks
from tests.integration.support.leaks import passwords_in
from tests.integration.support.people import actor, course_rules, students
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


@pytest.mark.parametrize(
    ("match", "fault", "code"),
    [
        ("AUTH", {"action": "reply", "status": 535, "body": "5.7.8 no"}, "E-005"),
        ("MAIL", {"action": "reply", "status": 550, "body": "5.7.1 sender"}, "E-002"),
    ],
    ids=["login refused", "sender refused"],
)
async def test_what_an_administrator_has_to_mend_fails_with_its_name_and_is_done_at_a_retry(
    open_works: OpenWorks, match: str, fault: dict[str, object], code: str
) -> None:
    """Nothing but the letters is lost, and no password: `reintentar` sends the very ones."""
    works = await open_works(smtp_user="lucy", smtp_password="clave-de-lucy")
    works.states.inbox.credentials["lucy"] = "clave-de-lucy"
    known = await students(works.db, 6)
    await course_rules(works.db, *COURSES)
    works.fault("inbox", match, **{"times": None, **fault})  # type: ignore[arg-type]
    number = await works.activate()
    letters = await works.steps(number, StepKind.CREDENTIALS_MAIL)
    assert {(one.state, one.error_code) for one in letters} == {(StepState.FAILED, code)}
    assert "clave-de-lucy" not in await works.text_of_card(number)
    works.states.inbox.control.clear_faults()
    async with works.db.transaction() as session:
        who = Requester(actor(works.people[0]), works.people[0].id)
        now = datetime.now(UTC)
        await retry_batch(session, number, requester=who, house=works.runtime.house, now=now)
    await works.drain()
    assert {one.state for one in await works.steps(number, StepKind.CREDENTIALS_MAIL)} == {StepState.DONE}
    for one in known:
        (letter,) = works.states.inbox.sent_to(one.email)
        (password,) = passwords_in([letter.text])
        assert await works.opens(one.upn, password)


@pytest.mark.parametrize(
    ("fault", "twice"),
    [
        ({"action": "status", "status": 429, "retry_after_s": 0.2, "times": 3}, range(1)),
        ({"action": "status", "status": 503, "times": 2}, range(1)),
        ({"action": "cut_before", "after": 3, "times": 2}, range(1)),
        ({"action": "cut_after", "after": 3, "times": 2}, range(2, 3)),
        ({"action": "html", "after": 3, "times": 2}, range(1)),
    ],
    ids=["throttled", "away", "cut before", "cut after", "a page"],
)
async def test_graph_as_the_mail_server_fails_as_gently(
    open_works: OpenWorks, fault: dict[str, object], twice: range
) -> None:
    works = await open_works(mail_transport="graph")
    works.states.graph.permissions |= {"Mail.Send"}
    known = await students(works.db, 12)
    await course_rules(works.db, *COURSES)
    works.fault("graph", "POST /users/{id}/sendMail", **fault)  # type: ignore[arg-type]
    number = await works.activate()
    await Ledger(works.db, works.addresses, works.http).check(number, known, COURSES, letters_twice=twice)
    assert works.states.graph.saved_letters == 0
