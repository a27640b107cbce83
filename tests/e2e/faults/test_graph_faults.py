"""Graph throttles, fails, hangs up or lags behind: it costs time, and nobody an account too many or too few."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from lucy.db.tables import SealedSecretRow
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.errors import System
from lucy.sealing import Sealer
from tests.e2e.faults.ledger import Ledger
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works

COURSES = ("INGRESO-2026",)
CREATE, LICENSE = "POST /users", "POST /users/{id}/assignLicense"
RETRY_AFTER_S = 1


def calls(works: Works, operation: str) -> Counter[int]:
    """How often Graph answered with which status."""
    return Counter(one["status"] for one in works.states.graph.control.calls(operation))


async def test_429_for_some_of_a_batch_is_obeyed_and_asked_again(works: Works, ledger: Ledger) -> None:
    """Three `$batch`es of creations and of licences, some of each refused with Retry-After."""
    known = await students(works.db, 45)
    await course_rules(works.db, *COURSES)
    works.fault("graph", CREATE, "throttle", after=7, times=9, retry_after_s=RETRY_AFTER_S)
    works.fault("graph", LICENSE, "throttle", after=25, times=6, retry_after_s=RETRY_AFTER_S)
    number = await works.running()
    await works.lanes().run(StepKind.ACCOUNT)
    assert 0 < await works.runtime.limiter.held_back_for(System.GRAPH) <= RETRY_AFTER_S
    waiting = [one for one in await works.steps(number, StepKind.ACCOUNT) if one.error_code]
    assert Counter((one.state, one.error_code) for one in waiting) == {(StepState.DUE, "T-010"): 9}
    before = len(works.states.graph.control.calls())
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE):
        await works.lanes().run(kind)
    assert len(works.states.graph.control.calls()) == before, "silence is for every lane"
    await works.drain(hurry=False)
    found = await ledger.check(number, known, COURSES)
    assert calls(works, CREATE) == {201: 45, 429: 9}
    assert calls(works, LICENSE) == {200: 45, 429: 6}
    assert found.attempts("account") == {1: 36, 2: 9}
    assert found.attempts("licence") == {1: 39, 2: 6}
    assert "Graph pidió esperar" in await works.text_of_card(number)


@pytest.mark.parametrize("match", ["$batch", CREATE, LICENSE])
async def test_503_in_bursts_is_outlasted(works: Works, ledger: Ledger, match: str) -> None:
    """Of the whole call, or of requests within it; nothing was done for any of them."""
    known = await students(works.db, 25)
    await course_rules(works.db, *COURSES)
    works.fault("graph", match, "status", status=503, after=1, times=2, retry_after_s=1)
    works.fault("graph", match, "status", status=503, after=5, times=2, retry_after_s=1)
    number = await works.activate()
    found = await ledger.check(number, known, COURSES)
    kind = "licence" if match == LICENSE else "account"
    assert max(found.attempts(kind)) > 1, "the fault was met"


@pytest.mark.parametrize(
    ("match", "action"),
    [("$batch", "cut_after"), ("$batch", "truncate"), (CREATE, "cut_after")],
    ids=["hangs up", "breaks off", "504 within"],
)
async def test_an_account_made_without_an_answer_is_made_once_and_its_letter_opens_it(
    works: Works, ledger: Ledger, match: str, action: str
) -> None:
    """Graph did it and could not say so: Lucy looks before she tries again."""
    known = await students(works.db, 25)
    await course_rules(works.db, *COURSES)
    works.fault("graph", match, action, times=1 if match == "$batch" else 7)
    number = await works.running()
    await works.lanes().run(StepKind.ACCOUNT)
    assert len(works.states.graph.users) == 25
    unknown = [one for one in await works.steps(number, StepKind.ACCOUNT) if one.state is StepState.DUE]
    assert len(unknown) == (20 if match == "$batch" else 7)
    await works.drain()
    found = await ledger.check(number, known, COURSES)
    assert calls(works, CREATE).total() == 25, "nobody was asked for twice"
    assert found.attempts("account") == {1: 25 - len(unknown), 2: len(unknown)}
    assert {row.state for key, row in found.steps.items() if key[1] == "account"} == {"done"}


@pytest.mark.parametrize("match", ["$batch", LICENSE], ids=["hangs up", "504 within"])
async def test_a_licence_given_without_an_answer_takes_one_seat(works: Works, ledger: Ledger, match: str) -> None:
    known = await students(works.db, 25)
    await course_rules(works.db, *COURSES)
    number = await works.running()
    await works.lanes().run(StepKind.ACCOUNT)
    works.fault("graph", match, "cut_after", times=1 if match == "$batch" else 7)
    await works.lanes().run(StepKind.LICENCE)
    assert works.states.graph.consumed_units == 25
    waiting = [one for one in await works.steps(number, StepKind.LICENCE) if one.state is StepState.DUE]
    assert len(waiting) == (20 if match == "$batch" else 7)
    await works.drain()
    found = await ledger.check(number, known, COURSES)
    assert found.attempts("licence") == {1: 25 - len(waiting), 2: len(waiting)}


async def test_a_password_that_may_have_been_set_is_kept_when_the_account_cannot_be_looked_at(works: Works) -> None:
    """The answer to the creation is lost, and then looking is refused for good: a later retry needs that password."""
    (known,) = await students(works.db, 1)
    works.fault("graph", CREATE, "cut_after")
    works.fault("graph", "GET /users/{id}", "status", status=403)
    number = await works.activate()
    account = await works.step(number, StepKind.ACCOUNT, known)
    assert (account.state, account.remedy) == (StepState.FAILED, "administrator")
    async with works.db.transaction() as session:
        (sealed,) = (await session.scalars(select(SealedSecretRow))).all()
    password = Sealer(works.settings.secret_keys.get_secret_value()).open(sealed.ciphertext)
    assert await works.opens(known.upn, password)


async def test_accounts_that_are_not_to_be_seen_yet_are_waited_for(works: Works, ledger: Ledger) -> None:
    """404 for a while after the creation, as replicas give it; five answers are lost besides."""
    known = await students(works.db, 25)
    await course_rules(works.db, *COURSES)
    works.states.graph.seed({"replication_s": 2.5})
    works.fault("graph", CREATE, "cut_after", times=5)
    number = await works.running()
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE):
        await works.lanes().run(kind)
    accounts = Counter((one.state, one.error_code) for one in await works.steps(number, StepKind.ACCOUNT))
    assert accounts == {(StepState.DONE, ""): 20, (StepState.DUE, "T-009"): 5}
    licences = [one for one in await works.steps(number, StepKind.LICENCE) if one.state is StepState.DUE]
    assert {one.error_code for one in licences} == {"T-013"}
    assert all(one.due_at and one.due_at > datetime.now(UTC) for one in licences), "not asked again at once"
    await works.drain(hurry=False)
    found = await ledger.check(number, known, COURSES)
    assert found.attempts("licence")[1] < 25
    assert {row.state for key, row in found.steps.items() if key[1] == "account"} == {"done"}
