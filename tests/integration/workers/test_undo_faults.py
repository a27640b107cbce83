"""An undo whose answers are lost and whose workers die: looked at again, done once, and known for Lucy's own work."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from lucy.db.tables import AccountRow, SealedSecretRow, StepRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import StepState
from tests.integration.conftest import OpenWorks
from tests.integration.support.outcomes import in_entra, states, the_account
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works, looked, table_contents, until
from workers.sweeper import sweep

# Each lane with the calls it makes: the system, the fault's match, the call that changes something, and how many
# calls of that match come before it.
CUTS = [
    (StepKind.REMOVE_LICENCE, "graph", "$batch", "POST /users/{id}/assignLicense", 1),
    (StepKind.DISABLE_ACCOUNT, "graph", "$batch", "PATCH /users/{id}", 1),
    (StepKind.DISABLE_ACCOUNT, "graph", "$batch", "POST /users/{id}/revokeSignInSessions", 2),
    (StepKind.SUSPEND_MOODLE_USER, "moodle", "core_user_update_users", "core_user_update_users", 0),
    (StepKind.UNENROL, "moodle", "enrol_manual_unenrol_users", "enrol_manual_unenrol_users", 0),
]
ORDER = (
    StepKind.UNENROL,
    StepKind.SUSPEND_MOODLE_USER,
    StepKind.REMOVE_LICENCE,
    StepKind.DISABLE_ACCOUNT,
    StepKind.DELETE_ACCOUNT,
    StepKind.NEW_SECRET,
    StepKind.RECTIFY_MAIL,
)


async def undoing_until(works: Works, kind: StepKind) -> int:
    """An undo that has come as far as this lane."""
    number = await works.undo_asked_for(await works.activate())
    await works.approve(number)
    await works.start(number)
    for one in ORDER[: ORDER.index(kind)]:
        await works.lanes().run(one)
    for system in (works.states.graph, works.states.moodle):
        system.control.reset()
    return number


async def expire(works: Works) -> None:
    async with works.db.transaction() as session:
        late = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(StepRow).where(StepRow.state == StepState.RUNNING).values(lease_until=late))


@pytest.mark.parametrize(("kind", "system", "match", "change", "after"), CUTS)
async def test_a_lost_answer_is_looked_at_and_the_call_not_made_again(
    works: Works, kind: StepKind, system: str, match: str, change: str, after: int
) -> None:
    known = await students(works.db, 3)
    await course_rules(works.db, "INGRESO-2026")
    number = await undoing_until(works, kind)
    works.fault(system, match, "cut_after", after=after)
    await works.lanes().run(kind)
    await works.drain()
    assert await states(works, number) == {"done": 3 * 6}, "what an attempt of hers did counts as done"
    assert (await works.batch(number)).state is BatchState.FINISHED
    made = getattr(works.states, system).control.calls(change)
    if change.endswith("revokeSignInSessions"):
        assert len(made) == 6, "ended again, to be sure"
        assert len(works.states.graph.control.calls("PATCH /users/{id}")) == 3 + 3, "disabled once; new passwords"
    elif change.startswith("PATCH"):
        assert len(made) == 3 + 3, "disabled once; new passwords"
        assert len(works.states.graph.control.calls("POST /users/{id}/revokeSignInSessions")) == 3
    else:
        assert len(made) == (1 if system == "moodle" else 3)
    assert {in_entra(works, one).properties["accountEnabled"] for one in known} == {False}


@pytest.mark.parametrize(("kind", "system", "match", "change", "after"), CUTS)
async def test_a_worker_that_dies_during_a_call_leaves_it_to_the_next_one(
    works: Works, kind: StepKind, system: str, match: str, change: str, after: int
) -> None:
    """The provider goes on with what it was asked for; nobody has recorded it."""
    known = await students(works.db, 3)
    await course_rules(works.db, "INGRESO-2026")
    number = await undoing_until(works, kind)
    works.fault(system, match, "delay", delay_s=0.2, after=after)
    dying = asyncio.ensure_future(works.lanes().run(kind))
    control = getattr(works.states, system).control
    await until(looked(lambda: len(control.calls(match)) > after))
    dying.cancel()
    await asyncio.wait([dying])
    await until(looked(lambda: control.calls(change)))
    await asyncio.sleep(0.3)
    assert await states(works, number, kind) == {"running": 3}
    await expire(works)
    await works.drain()
    assert await states(works, number) == {"done": 3 * 6}
    assert {in_entra(works, one).properties["accountEnabled"] for one in known} == {False}
    again = await works.undo(number)
    assert (await works.batch(again)).state is BatchState.FINISHED
    assert {in_entra(works, one).properties["accountEnabled"] for one in known} == {True}
    assert works.states.graph.consumed_units == 3


async def test_a_worker_that_lost_its_lease_changes_nothing_any_more(works: Works) -> None:
    """It reads the account back, stands still, and another one does the work; nobody may enable it to disable it."""
    (known,) = await students(works.db)
    number = await undoing_until(works, StepKind.DISABLE_ACCOUNT)
    works.fault("graph", "$batch", "delay", delay_s=0.4)
    late = asyncio.ensure_future(works.lanes().run(StepKind.DISABLE_ACCOUNT))
    await until(looked(lambda: works.states.graph.control.calls("$batch")))
    await expire(works)
    await sweep(works.db)
    await works.lanes().run(StepKind.DISABLE_ACCOUNT)
    works.states.graph.change(in_entra(works, known), {"accountEnabled": True})  # somebody wants it so
    await late
    assert in_entra(works, known).properties["accountEnabled"] is True
    assert len(works.states.graph.control.calls("PATCH /users/{id}")) == 1
    assert await states(works, number, StepKind.DISABLE_ACCOUNT) == {"done": 1}


@pytest.mark.parametrize("action", ["cut_after", "delay"])
async def test_a_deletion_without_an_answer_is_known_for_ours(open_works: OpenWorks, action: str) -> None:
    works = await open_works(mode="test", account_prefix="test-a")
    await students(works.db, 2)
    await course_rules(works.db, "INGRESO-2026")
    number = await undoing_until(works, StepKind.DELETE_ACCOUNT)
    works.fault("graph", "$batch", action, after=1, delay_s=0.2)
    dying = asyncio.ensure_future(works.lanes().run(StepKind.DELETE_ACCOUNT))
    if action == "delay":
        await until(looked(lambda: len(works.states.graph.control.calls("$batch")) > 1))
        dying.cancel()
    await asyncio.wait([dying])
    await until(looked(lambda: works.states.graph.control.calls("DELETE /users/{id}")))
    await expire(works)
    await works.drain()
    assert await states(works, number, StepKind.DELETE_ACCOUNT) == {"done": 2}
    assert len(works.states.graph.control.calls("DELETE /users/{id}")) == 2


async def test_sessions_that_could_not_be_ended_are_ended_later(works: Works) -> None:
    """Disabled is disabled, for everybody to see; the step is not done before the sessions are."""
    (known,) = await students(works.db)
    number = await undoing_until(works, StepKind.DISABLE_ACCOUNT)
    works.fault("graph", "POST /users/{id}/revokeSignInSessions", "status", status=503, times=2)
    await works.lanes().run(StepKind.DISABLE_ACCOUNT)
    assert (await works.step(number, StepKind.DISABLE_ACCOUNT, known)).state is StepState.DUE
    assert (await the_account(works, known)).enabled is False
    await works.drain()
    assert (await works.step(number, StepKind.DISABLE_ACCOUNT, known)).state is StepState.DONE
    revoked = works.states.graph.control.calls("POST /users/{id}/revokeSignInSessions")
    assert [one["status"] for one in revoked] == [503, 503, 200]
    assert len(works.states.graph.control.calls("PATCH /users/{id}")) == 1 + 1, "disabled once; a new password"


async def test_what_was_refused_and_then_done_by_hand_is_not_taken_for_ours(works: Works) -> None:
    (known,) = await students(works.db)
    number = await undoing_until(works, StepKind.DISABLE_ACCOUNT)
    works.fault("graph", "PATCH /users/{id}", "status", status=503)
    await works.lanes().run(StepKind.DISABLE_ACCOUNT)
    works.states.graph.change(in_entra(works, known), {"accountEnabled": False})
    await works.drain()
    assert (await works.step(number, StepKind.DISABLE_ACCOUNT, known)).state is StepState.ALREADY


async def test_a_new_password_is_kept_nowhere(works: Works) -> None:
    (known,) = await students(works.db)
    number = await undoing_until(works, StepKind.NEW_SECRET)
    works.fault("graph", "$batch", "cut_after", after=1)
    await works.lanes().run(StepKind.NEW_SECRET)
    assert len((await table_contents(works.db))[SealedSecretRow.__tablename__]) == 1, "the same for the next attempt"
    await works.drain()
    assert in_entra(works, known).must_change
    assert set(await states(works, number)) == {"done"}
    assert (await table_contents(works.db))[SealedSecretRow.__tablename__] == []
    assert len((await the_account(works, known)).secret_fingerprint) > 20


async def test_an_undo_in_two_parts_undoes_the_same_batch(works: Works) -> None:
    """A student who changed while it waited drops out; the batch that asks for them anew undoes the first one too."""
    one, other = await students(works.db, 2)
    number = await works.activate(options=BatchOptions(moodle=False))
    undo = await works.undo_asked_for(number)
    async with works.db.transaction() as session:
        await session.execute(update(AccountRow).where(AccountRow.student_id == one.id).values(licensed=False))
    await works.carry_out(undo)
    assert in_entra(works, other).properties["accountEnabled"] is False
    assert in_entra(works, one).properties["accountEnabled"] is True
    again = undo + 1
    assert (await works.batch(again)).parent_id == undo
    await works.carry_out(again)
    assert in_entra(works, one).properties["accountEnabled"] is False
    assert (await works.batch(again)).state is BatchState.FINISHED, await works.text_of_card(again)
