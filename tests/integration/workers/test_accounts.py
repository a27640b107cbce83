"""Accounts that were deleted, renamed, put into groups, licensed by a group."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from lucy.db.tables import AccountGroupRow, AccountRow, StudentRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.steps import StepState
from lucy.flows.lanes.account_guard import print_of_user
from lucy.ports import DirectoryUser
from sandbox.graph.user import User
from tests.integration.conftest import OpenWorks
from tests.integration.support.outcomes import account, ended, in_entra, states, the_account
from tests.integration.support.people import Known, students
from tests.integration.support.works import Works
from workers.actors.declare import Actors

ALONE = BatchOptions(mail=False, moodle=False)
LETTER = BatchOptions(moodle=False)


def deleted(works: Works, student: Known, **properties: object) -> User:
    """An account of the student in the deleted items."""
    row = {"userPrincipalName": student.upn, "employeeId": student.document, "usageLocation": "AR", "deleted": True}
    works.states.graph.seed({"users": [{**row, **properties}]})
    (found,) = [one for one in works.states.graph.users.values() if one.deleted_at is not None]
    return found


def living(works: Works) -> list[User]:
    return [one for one in works.states.graph.users.values() if one.deleted_at is None]


async def of_kind(works: Works, kind: BatchKind, words: str = "aspirantes") -> int:
    return await works.carry_out(await works.request(words, kind=kind))


# Deleted twins (FEATURES row 22)


async def test_a_deleted_account_is_offered_and_no_second_one_made(works: Works) -> None:
    twin, other = await students(works.db, 2)
    lost = deleted(works, twin, id="the-old-one")
    number = await works.activate(options=LETTER)
    step = await works.step(number, StepKind.ACCOUNT, twin)
    assert (step.state, step.error_code) == (StepState.FAILED, "T-018")
    assert "cuenta restaurar" in await works.text_of_card(number)
    assert works.states.inbox.sent_to(twin.email) == []
    assert [one.upn for one in living(works)] == [other.upn]
    restoring = await of_kind(works, BatchKind.RESTORE, twin.document)
    assert (await works.batch(restoring)).state is BatchState.FINISHED
    row = await the_account(works, twin)
    assert (row.entra_id, row.made_by_batch, row.made_print, row.secret_fingerprint) == (lost.id, None, "", "")
    again = await works.activate(twin.document, options=LETTER)
    assert await states(works, again, StepKind.ACCOUNT) == {"already": 1}
    assert await states(works, again, StepKind.LICENCE) == {"done": 1}
    assert works.states.inbox.sent_to(twin.email) == [], "nobody is told a password that was never set"
    assert len(living(works)) == 2


async def test_a_deleted_account_of_a_namesake_is_nobodys_twin(works: Works) -> None:
    (known,) = await students(works.db)
    deleted(works, known, employeeId="20111222")
    number = await works.activate(options=ALONE)
    assert await states(works, number, StepKind.ACCOUNT) == {"done": 1}


async def test_an_unmarked_deleted_account_is_a_twin_when_name_and_sign_in_name_agree(works: Works) -> None:
    (known,) = await students(works.db)
    async with works.db.transaction() as session:
        student = await session.get_one(StudentRow, known.id)
    row = {"userPrincipalName": known.upn, "displayName": f"{student.last_name}, {student.first_name}", "deleted": True}
    works.states.graph.seed({"users": [row]})
    number = await works.activate(options=ALONE)
    assert await ended(works, number, StepKind.ACCOUNT) == {("failed", "T-018"): 1}


async def test_a_restored_account_whose_answer_was_lost_is_found(works: Works) -> None:
    (known,) = await students(works.db)
    deleted(works, known)
    works.fault("graph", "POST /directory/deletedItems/{id}/restore", "cut_after")
    number = await of_kind(works, BatchKind.RESTORE)
    assert await states(works, number) == {"done": 1}
    assert [one.upn for one in living(works)] == [known.upn]


async def test_who_has_no_deleted_account_is_told(works: Works) -> None:
    await students(works.db)
    number = await of_kind(works, BatchKind.RESTORE)
    assert await ended(works, number) == {("failed", "T-029"): 1}


async def test_a_restored_account_is_disabled_by_an_undo_not_deleted(works: Works) -> None:
    (known,) = await students(works.db)
    deleted(works, known)
    number = await of_kind(works, BatchKind.RESTORE)
    undo = await works.undo(number)
    assert await states(works, undo, StepKind.DISABLE_ACCOUNT) == {"done": 1}
    assert in_entra(works, known).properties["accountEnabled"] is False


# Names


async def test_an_account_gets_the_name_of_the_records(works: Works) -> None:
    one, other = await students(works.db, 2)
    await works.activate(options=ALONE)
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).where(StudentRow.id == one.id).values(first_name="Ana María"))
    number = await of_kind(works, BatchKind.UPDATE)
    assert (await works.step(number, StepKind.UPDATE_ACCOUNT, one)).state is StepState.DONE
    assert (await works.step(number, StepKind.UPDATE_ACCOUNT, other)).state is StepState.ALREADY
    assert in_entra(works, one).properties["givenName"] == "Ana María"
    assert str(in_entra(works, one).properties["displayName"]).endswith(", Ana María")


async def test_an_account_adopted_by_its_name_gets_the_mark(works: Works) -> None:
    (known,) = await students(works.db)
    async with works.db.transaction() as session:
        student = await session.get_one(StudentRow, known.id)
    works.states.graph.seed(
        {"users": [{"userPrincipalName": known.upn, "displayName": f"{student.first_name} {student.last_name}"}]}
    )
    await works.activate(options=BatchOptions(mail=False, moodle=False))
    assert not in_entra(works, known).properties.get("employeeId")
    await of_kind(works, BatchKind.UPDATE)
    assert in_entra(works, known).properties["employeeId"] == known.document
    assert in_entra(works, known).properties["usageLocation"] == "AR"


async def test_a_name_that_lucy_wrote_is_no_work_of_another_hand(works: Works) -> None:
    """An undo leaves alone what somebody changed: not what she changed herself."""
    (known,) = await students(works.db)
    number = await works.activate(options=ALONE)
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).values(last_name="Nueva"))
    await of_kind(works, BatchKind.UPDATE)
    async with works.db.transaction() as session:
        row = await session.get_one(AccountRow, known.id)
    user = in_entra(works, known).properties
    assert (user["surname"], row.made_by_batch) == ("Nueva", number)
    (read,) = (await works.runtime.directory.read_users({"k": row.entra_id})).values()
    assert isinstance(read, DirectoryUser)
    assert row.made_print == print_of_user(read)


# Groups


GROUPS = {"groups": [{"id": "g-class", "displayName": "Aula 2026", "team": True}]}


def members(works: Works, group: str) -> set[str]:
    return set(works.states.graph.groups[group].members)


async def test_accounts_join_the_groups_of_the_house(open_works: OpenWorks) -> None:
    works = await open_works(account_groups="g-class")
    works.states.graph.seed(GROUPS)
    known = await students(works.db, 3)
    number = await works.activate(options=ALONE)
    assert await states(works, number, StepKind.ACCOUNT_GROUP) == {"done": 3}
    assert members(works, "g-class") == {in_entra(works, one).id for one in known}
    again = await works.request(options=ALONE)
    assert (await works.batch(again)).state is BatchState.NOTHING_DONE
    undo = await works.undo(number)
    assert await states(works, undo, StepKind.LEAVE_ACCOUNT_GROUP) == {"done": 3}
    assert members(works, "g-class") == set()


async def test_a_membership_of_an_account_that_was_there_is_not_taken_back(open_works: OpenWorks) -> None:
    """Entra does not say whether she was in the group before: what may be another's work stays."""
    works = await open_works(account_groups="g-class")
    works.states.graph.seed(GROUPS)
    (known,) = await students(works.db)
    works.states.graph.seed({"users": [{"userPrincipalName": known.upn, "employeeId": known.document}]})
    number = await works.activate(options=ALONE)
    undo = await works.undo(number)
    assert await ended(works, undo, StepKind.LEAVE_ACCOUNT_GROUP) == {("skipped", "G-008"): 1}
    assert members(works, "g-class") == {in_entra(works, known).id}


async def test_a_group_that_is_not_there_costs_no_licence(open_works: OpenWorks) -> None:
    works = await open_works(account_groups="g-gone")
    await students(works.db)
    number = await works.activate(options=ALONE)
    assert await ended(works, number, StepKind.ACCOUNT_GROUP) == {("failed", "T-020"): 1}
    assert await states(works, number, StepKind.LICENCE) == {"done": 1}


async def test_a_deleted_account_keeps_no_membership_in_lucys_books(open_works: OpenWorks) -> None:
    works = await open_works(account_groups="g-class", account_prefix="test-a")
    works.states.graph.seed(GROUPS)
    (known,) = await students(works.db)
    undo = await works.undo(await works.activate(options=ALONE))
    assert await states(works, undo, StepKind.DELETE_ACCOUNT) == {"done": 1}
    assert await account(works, known) is None
    async with works.db.transaction() as session:
        assert await session.get(AccountGroupRow, (known.id, "g-class")) is None
    again = await works.activate(options=ALONE)
    assert await states(works, again, StepKind.ACCOUNT_GROUP) == {"done": 1}


# Licences by group


GIVING = {"groups": [{"id": "g-giving", "displayName": "Licenciados", "licensed": True}]}


async def test_a_group_gives_the_licence_and_takes_it(open_works: OpenWorks) -> None:
    works = await open_works(licence_group="g-giving")
    works.states.graph.seed(GIVING)
    (known,) = await students(works.db)
    number = await works.activate(options=LETTER)
    assert await states(works, number) == {"done": 3}
    assert in_entra(works, known).id in members(works, "g-giving")
    assert (await the_account(works, known)).licensed
    taking = await of_kind(works, BatchKind.UNLICENSE)
    assert await states(works, taking) == {"done": 1}
    assert members(works, "g-giving") == set()
    assert not (await the_account(works, known)).licensed


async def test_a_group_without_seats_says_so_and_no_letter_goes_out(open_works: OpenWorks) -> None:
    works = await open_works(licence_group="g-giving", seats=1)
    works.states.graph.seed(GIVING)
    await students(works.db, 2)
    number = await works.running(options=LETTER)
    await works.drain()
    assert await ended(works, number, StepKind.LICENCE) == {("done", ""): 1, ("failed", "T-005"): 1}
    assert len(works.states.inbox.messages) == 1


# Licences alone


async def test_licences_alone(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=ALONE)
    taken = await of_kind(works, BatchKind.UNLICENSE)
    assert await states(works, taken) == {"done": 1}
    assert not in_entra(works, known).licences
    undo = await works.undo(taken)
    assert await states(works, undo, StepKind.LICENCE) == {"done": 1}
    await of_kind(works, BatchKind.UNLICENSE)
    given = await of_kind(works, BatchKind.LICENSE)
    assert await states(works, given) == {"done": 1}
    assert in_entra(works, known).licences


# Two houses over one tenant (FEATURES row 29)


@pytest.mark.parametrize(("made_by", "touched_by"), [("a", "test-a"), ("test-a", "a")])
async def test_a_copy_of_the_database_in_the_other_house_touches_no_account(
    open_works: OpenWorks, made_by: str, touched_by: str
) -> None:
    works = await open_works(account_prefix=made_by)
    await students(works.db)
    number = await works.activate(options=ALONE)
    (user,) = living(works)
    house = replace(works.runtime.house, account_prefix=touched_by)
    for lane in works.runtime.lanes.values():
        if hasattr(lane, "_house"):
            lane._house = house
    works.runtime = replace(works.runtime, house=house)
    works.actors = Actors(works.runtime, circuits=works.circuits)
    for kind in (BatchKind.DISABLE, BatchKind.UPDATE, BatchKind.UNLICENSE):
        asked = await works.carry_out(await works.request(kind=kind))
        assert await ended(works, asked) == {("failed", "T-030"): 1}
    undo = await works.undo(number)
    assert {one.error_code for one in await works.steps(undo)} == {"T-030", "G-002"}
    assert living(works) == [user]
    assert user.properties["accountEnabled"] is True
    assert user.licences
