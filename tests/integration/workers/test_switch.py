"""Accounts disabled and enabled because staff ask for it: whatever else somebody did to them."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from lucy.db.tables import AccountRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.steps import StepState
from tests.integration.support.outcomes import ended, in_entra, states, the_account
from tests.integration.support.people import Known, students
from tests.integration.support.works import Works

NO_MOODLE = BatchOptions(mail=False, moodle=False)


async def switch(works: Works, kind: BatchKind, words: str = "aspirantes") -> int:
    return await works.carry_out(await works.request(words, kind=kind))


def enabled(works: Works, student: Known) -> bool:
    return bool(in_entra(works, student).properties["accountEnabled"])


async def test_accounts_are_disabled_and_enabled_again(works: Works) -> None:
    """Also one that was there before and that others have worked on: staff decided."""
    adopted, other = await students(works.db, 2)
    works.states.graph.seed(
        {"users": [{"userPrincipalName": adopted.upn, "employeeId": adopted.document, "usageLocation": "AR"}]}
    )
    await works.activate(options=NO_MOODLE)
    works.states.graph.change(in_entra(works, adopted), {"jobTitle": "Ayudante alumna"})
    signed_in = {one.upn: in_entra(works, one).sessions_valid_from for one in (adopted, other)}
    number = await switch(works, BatchKind.DISABLE)
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert await states(works, number) == {"done": 2}
    for one in (adopted, other):
        assert not enabled(works, one)
        assert in_entra(works, one).sessions_valid_from > signed_in[one.upn]
        assert in_entra(works, one).licences, "the licence stays"
        assert not (await the_account(works, one)).enabled
    again = await works.request(kind=BatchKind.DISABLE)
    assert (await works.batch(again)).state is BatchState.NOTHING_DONE
    number = await switch(works, BatchKind.ENABLE)
    assert await states(works, number) == {"done": 2}
    assert enabled(works, adopted)
    assert enabled(works, other)
    assert (await the_account(works, other)).enabled


async def test_what_is_so_already_is_told_apart(works: Works) -> None:
    one, other = await students(works.db, 2)
    await works.activate(options=NO_MOODLE)
    works.states.graph.change(in_entra(works, one), {"accountEnabled": False})
    number = await switch(works, BatchKind.DISABLE)
    assert (await works.step(number, StepKind.DISABLE_ACCOUNT, one)).state is StepState.ALREADY
    assert (await works.step(number, StepKind.DISABLE_ACCOUNT, other)).state is StepState.DONE
    assert not (await the_account(works, one)).enabled, "as it was read back"
    undo = await works.undo(number)
    assert await works.steps(undo, None, one) == [], "that was not Lucy's doing"
    assert not enabled(works, one)
    assert enabled(works, other)


async def test_an_account_that_is_not_there_cannot_be_enabled(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    await switch(works, BatchKind.DISABLE)
    works.states.graph.delete(in_entra(works, known))
    async with works.db.transaction() as session:
        await session.execute(update(AccountRow).values(created_at=datetime.now(UTC) - timedelta(hours=1)))
    number = await switch(works, BatchKind.ENABLE)
    assert await ended(works, number) == {("failed", "T-007"): 1}
    assert not (await the_account(works, known)).enabled


async def test_an_account_that_entra_does_not_show_yet_is_waited_for(works: Works) -> None:
    (known,) = await students(works.db)
    works.states.graph.seed({"replication_s": 1.0})
    number = await works.running(options=NO_MOODLE)
    await works.lanes().run(StepKind.ACCOUNT)
    async with works.db.transaction() as session:
        await session.execute(update(AccountRow).values(licensed=True))
    await works.drain()
    disabling = await works.request(kind=BatchKind.DISABLE)
    await works.approve(disabling)
    await works.start(disabling)
    await works.lanes().run(StepKind.DISABLE_ACCOUNT)
    waiting = await works.step(disabling, StepKind.DISABLE_ACCOUNT, known)
    assert (waiting.state, waiting.error_code) == (StepState.DUE, "T-013")
    await works.drain()
    assert await states(works, disabling) == {"done": 1}
    assert not enabled(works, known)
    assert number


async def test_a_stranger_who_has_the_account_now_is_left_in_peace(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    works.states.graph.change(in_entra(works, known), {"employeeId": "20111222"})
    number = await switch(works, BatchKind.DISABLE)
    assert await ended(works, number) == {("failed", "T-004"): 1}
    assert enabled(works, known)
