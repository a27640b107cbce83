"""Undoing a batch on both sides: exactly what it made, whatever others did since."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from lucy.db.tables import AccountRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.passwords import matches
from lucy.domain.steps import StepState
from lucy.flows.decide_batch import Declined
from tests.integration.conftest import OpenWorks
from tests.integration.support.outcomes import (
    account,
    ended,
    enrolments,
    in_course,
    in_entra,
    moodle_user,
    states,
    the_account,
)
from tests.integration.support.people import Known, course_rules, students
from tests.integration.support.works import Works

PASSWORD = re.compile(r"Contraseña provisoria:\s+(\S+)")


def mailed_password(works: Works, student: Known) -> str:
    found = [PASSWORD.search(one.text) for one in works.states.inbox.sent_to(student.email)]
    (password,) = [one[1] for one in found if one]
    return password


async def patch(works: Works, student: Known, **properties: Any) -> None:
    """Somebody changes the account in Entra by hand."""
    works.states.graph.change(in_entra(works, student), properties)


async def age(works: Works) -> None:
    """The accounts are no longer so new that Entra may not show them yet."""
    async with works.db.transaction() as session:
        await session.execute(update(AccountRow).values(created_at=datetime.now(UTC) - timedelta(hours=1)))


async def test_an_undone_activation_leaves_nothing_of_it_on_either_side(works: Works) -> None:
    known = await students(works.db, 6)
    await course_rules(works.db, "INGRESO-2026", "CONT-1")
    number = await works.activate()
    passwords = {one.upn: mailed_password(works, one) for one in known}
    began_at = max(one.sessions_valid_from for one in works.states.graph.users.values())
    undo = await works.undo_asked_for(number)
    assert (await works.batch(undo)).state is BatchState.AWAITING_APPROVAL, "a second person decides"
    assert (await works.batch(undo)).confirm
    await works.carry_out(undo)
    assert (await works.batch(undo)).state is BatchState.FINISHED, await works.text_of_card(undo)
    assert await states(works, undo) == {"done": 6 * 7}
    assert works.states.graph.consumed_units == 0
    for one in known:
        user, row, moodle = in_entra(works, one), await the_account(works, one), await moodle_user(works, one)
        assert user.properties["accountEnabled"] is False
        assert user.sessions_valid_from > began_at, "what was signed in is ended"
        assert user.password is not None
        assert not user.password.matches(passwords[one.upn]), "the mailed password opens nothing, even if enabled"
        assert (row.enabled, row.licensed, row.licensed_by_batch, row.made_by_batch) == (False, False, None, number)
        assert not matches(passwords[one.upn], row.secret_fingerprint)
        assert works.states.moodle.store.users[moodle.moodle_id].suspended
        assert moodle.suspended
        assert in_course(works, moodle.moodle_id, "INGRESO-2026") is None
        assert await enrolments(works, one) == {}
        first, second = works.states.inbox.sent_to(one.email)
        assert "quedó sin efecto" in second.text
        assert one.upn in second.text
        assert not PASSWORD.search(second.text)
        assert first.message_id != second.message_id
    assert len(works.states.inbox.messages) == 12


async def test_only_what_the_batch_made_is_taken_back(works: Works) -> None:
    """One student was there before in every way: account, licence, Moodle user, one enrolment active, one suspended."""
    before, new = await students(works.db, 2)
    await course_rules(works.db, "INGRESO-2026", "CONT-1", "ADM-1")
    works.states.graph.seed(
        {"users": [{"userPrincipalName": before.upn, "employeeId": before.document, "licensed": True}]}
    )
    works.states.moodle.seed(
        {
            "users": [
                {
                    "id": 77,
                    "username": before.upn,
                    "firstname": "Ana",
                    "lastname": "Antes",
                    "email": before.upn,
                    "idnumber": before.document,
                    "auth": "oidc",
                }
            ],
            "enrolments": [
                {"course_id": 3, "user_id": 77},
                {"course_id": 4, "user_id": 77, "suspended": True},
            ],
        }
    )
    number = await works.activate()
    rows = {name: (row.made_by_batch, row.was_suspended) for name, row in (await enrolments(works, before)).items()}
    assert rows == {"INGRESO-2026": (number, False), "CONT-1": (None, False), "ADM-1": (number, True)}
    assert in_course(works, 77, "ADM-1") is True
    undo = await works.undo(number)
    assert (await works.batch(undo)).state is BatchState.FINISHED, await works.text_of_card(undo)
    user = in_entra(works, before)
    assert user.properties["accountEnabled"] is True
    assert user.licences
    assert not works.states.moodle.store.users[77].suspended
    assert [in_course(works, 77, one) for one in ("INGRESO-2026", "CONT-1", "ADM-1")] == [None, True, False]
    assert set(await enrolments(works, before)) == {"CONT-1"}
    assert in_entra(works, new).properties["accountEnabled"] is False
    assert works.states.inbox.sent_to(before.email) == []
    again = await works.undo(undo)
    assert (await works.batch(again)).state is BatchState.FINISHED, await works.text_of_card(again)
    assert [in_course(works, 77, one) for one in ("INGRESO-2026", "CONT-1", "ADM-1")] == [True, True, True]
    assert (await enrolments(works, before))["ADM-1"].was_suspended


@pytest.mark.parametrize("hand", ["job", "name", "licence"])
async def test_what_somebody_changed_by_hand_is_left_alone(works: Works, hand: str) -> None:
    known = await students(works.db, 3)
    number = await works.activate(options=BatchOptions(moodle=False))
    undo = await works.undo_asked_for(number)
    changed = in_entra(works, known[1])
    if hand == "job":
        await patch(works, known[1], jobTitle="Ayudante alumna")
    elif hand == "name":
        await patch(works, known[1], displayName="Abad de Otro, Ana")
    else:
        changed.licences = {**changed.licences, "0a0a0a0a-0000-0000-0000-000000000001": []}
    licences = dict(changed.licences)
    await works.carry_out(undo)
    assert (await works.batch(undo)).state is BatchState.FINISHED_WITH_FAILURES
    steps = {one.kind: (one.state.value, one.error_code) for one in await works.steps(undo, None, known[1])}
    assert steps.pop(StepKind.REMOVE_LICENCE) == ("skipped", "G-008")
    assert set(steps.values()) == {("skipped", "G-002")}
    assert changed.properties["accountEnabled"] is True
    assert changed.licences == licences
    assert await works.opens(known[1].upn, mailed_password(works, known[1]))
    for one in (known[0], known[2]):
        assert in_entra(works, one).properties["accountEnabled"] is False
        assert len(works.states.inbox.sent_to(one.email)) == 2
    assert len(works.states.inbox.sent_to(known[1].email)) == 1
    card = await works.text_of_card(undo)
    assert "Un operador tiene que ver qué quiere dejar" in card


async def test_an_enrolment_that_somebody_suspended_is_left_alone(works: Works) -> None:
    one, other = await students(works.db, 2)
    await course_rules(works.db, "INGRESO-2026")
    number = await works.activate()
    moodle_id = (await moodle_user(works, one)).moodle_id
    works.states.moodle.seed({"enrolments": [{"course_id": 2, "user_id": moodle_id, "suspended": True}]})
    undo = await works.undo(number)
    step = await works.step(undo, StepKind.UNENROL, one)
    assert (step.state, step.error_code) == (StepState.SKIPPED, "G-008")
    assert (await works.step(undo, StepKind.SUSPEND_MOODLE_USER, one)).error_code == "G-002"
    assert in_course(works, moodle_id, "INGRESO-2026") is False
    assert "INGRESO-2026" in await enrolments(works, one)
    assert in_course(works, (await moodle_user(works, other)).moodle_id, "INGRESO-2026") is None


async def test_a_strangers_account_is_never_touched(works: Works) -> None:
    (known,) = await students(works.db)
    number = await works.activate(options=BatchOptions(moodle=False))
    await patch(works, known, employeeId="20111222")
    undo = await works.undo(number)
    step = await works.step(undo, StepKind.REMOVE_LICENCE, known)
    assert (step.state, step.error_code, step.remedy) == (StepState.FAILED, "T-004", "administrator")
    assert in_entra(works, known).properties["accountEnabled"] is True
    assert in_entra(works, known).licences


async def test_a_student_that_a_later_batch_touched_is_a_conflict_of_the_plan(works: Works) -> None:
    one, other = await students(works.db, 2)
    number = await works.activate(options=BatchOptions(moodle=False))
    await works.carry_out(await works.request(one.document, kind=BatchKind.DISABLE))
    undo = await works.undo(number)
    assert await works.steps(undo, None, one) == []
    (told,) = (await works.batch(undo)).impossible
    assert told["count"] == 1
    assert "otro lote" in told["reason"]
    assert in_entra(works, other).properties["accountEnabled"] is False
    assert in_entra(works, one).licences


async def test_what_was_undone_is_there_again_when_the_undo_is_undone(works: Works) -> None:
    known = await students(works.db, 3)
    await course_rules(works.db, "INGRESO-2026")
    number = await works.activate()
    undo = await works.undo(number)
    again = await works.undo(undo)
    assert (await works.batch(again)).state is BatchState.FINISHED, await works.text_of_card(again)
    for one in known:
        row, moodle = await the_account(works, one), await moodle_user(works, one)
        assert in_entra(works, one).properties["accountEnabled"] is True
        assert (row.enabled, row.licensed, row.licensed_by_batch) == (True, True, again)
        assert not moodle.suspended
        assert not works.states.moodle.store.users[moodle.moodle_id].suspended
        assert in_course(works, moodle.moodle_id, "INGRESO-2026") is True
    assert works.states.graph.consumed_units == 3


async def test_test_accounts_are_deleted_and_real_ones_never(open_works: OpenWorks) -> None:
    works = await open_works(mode="test", account_prefix="test-a")
    known = await students(works.db, 2)
    number = await works.activate(options=BatchOptions(moodle=False))
    undo = await works.undo(number)
    assert (await works.batch(undo)).state is BatchState.FINISHED, await works.text_of_card(undo)
    assert await states(works, undo, StepKind.DELETE_ACCOUNT) == {"done": 2}
    assert [one.deleted_at is not None for one in works.states.graph.users.values()] == [True, True]
    assert [await account(works, one) for one in known] == [None, None]
    assert Counter(one.recipients[0] for one in works.states.inbox.messages) == {one.email: 2 for one in known}
    assert "test-a" in works.states.inbox.messages[-1].text


@pytest.mark.parametrize("side", ["ours", "entra"])
async def test_a_real_account_is_refused_to_be_deleted(open_works: OpenWorks, side: str) -> None:
    """Whatever the plan says, the name decides: the one that is stored, and the one it has."""
    works = await open_works(mode="test", account_prefix="test-a")
    (known,) = await students(works.db)
    number = await works.activate(options=BatchOptions(moodle=False, mail=False))
    undo = await works.undo_asked_for(number)
    (user,) = works.states.graph.users.values()
    if side == "entra":
        works.states.graph.change(user, {"userPrincipalName": known.upn})
    async with works.db.transaction() as session:  # without a print, as before there were any
        changed = {"upn": known.upn} if side == "ours" else {}
        await session.execute(update(AccountRow).values(made_print="", **changed))
    await works.carry_out(undo)
    kind, code = (StepKind.REMOVE_LICENCE, "T-030") if side == "ours" else (StepKind.DELETE_ACCOUNT, "T-999")
    step = await works.step(undo, kind, known)
    assert (step.state, step.error_code, step.remedy) == (StepState.FAILED, code, "administrator")
    assert (await works.step(undo, StepKind.DELETE_ACCOUNT, known)).state in {StepState.FAILED, StepState.SKIPPED}
    assert user.deleted_at is None


async def test_an_account_that_is_gone_needs_no_taking_back(works: Works) -> None:
    known = await students(works.db, 2)
    number = await works.activate(options=BatchOptions(moodle=False))
    await age(works)
    works.states.graph.delete(in_entra(works, known[0]))
    undo = await works.undo(number)
    assert (await works.batch(undo)).state is BatchState.FINISHED
    steps = {one.kind: one.state.value for one in await works.steps(undo, None, known[0])}
    assert steps.pop(StepKind.RECTIFY_MAIL) == "done", "the letter was read all the same"
    assert set(steps.values()) == {"already"}


async def test_what_cannot_be_undone_is_declined_in_words(works: Works) -> None:
    await students(works.db, 1)
    waiting = await works.request()
    texts = [await works.request_undo(number) for number in (99, waiting)]
    await works.approve(waiting)
    await works.start(waiting)
    texts.append(await works.request_undo(waiting))
    await works.drain()
    nothing = await works.request()
    texts.append(await works.request_undo(nothing))
    assert all(isinstance(one, Declined) for one in texts)
    told = [one.text for one in texts if isinstance(one, Declined)]
    assert "No hay ningún lote" in told[0]
    assert "todavía no empezó" in told[1]
    assert "todavía no terminó" in told[2]
    assert "no tenía nada para hacer" in told[3]
    assert {one.outcome for one in await works.audit("batch.undo")} == {"declined"}


async def test_a_batch_that_did_nothing_has_nothing_to_undo(works: Works) -> None:
    (known,) = await students(works.db)
    works.states.graph.seed({"users": [{"userPrincipalName": known.upn, "employeeId": "99999999"}]})
    number = await works.activate(options=BatchOptions(moodle=False))
    assert await ended(works, number, StepKind.ACCOUNT) == {("failed", "T-004"): 1}
    declined = await works.request_undo(number)
    assert isinstance(declined, Declined)
    assert "no hizo nada" in declined.text
