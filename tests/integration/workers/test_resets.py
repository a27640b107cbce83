"""New passwords and their letters: the last one set is the one that is mailed, and to whom, and who looks first."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from lucy.db.tables import AccountRow, FormerEmailRow, SealedSecretRow, StudentRow
from lucy.domain.audit import Actor
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.passwords import matches
from lucy.domain.steps import StepState
from lucy.domain.students import Stage
from lucy.flows.set_config import set_config
from lucy.flows.view_report import view_report
from tests.integration.lucy.test_ingest import add, everybody, mend, read, touch
from tests.integration.support.outcomes import ended, in_entra, states, the_account
from tests.integration.support.people import Known, students
from tests.integration.support.works import Works, table_contents

NO_MOODLE, QUIET = BatchOptions(moodle=False), BatchOptions(mail=False)
PASSWORD = re.compile(r"Contraseña provisoria:\s+(\S+)")


def mailed(works: Works, address: str) -> list[str]:
    """The passwords that went to an address, in order."""
    found = [PASSWORD.search(one.text) for one in works.states.inbox.sent_to(address)]
    return [one[1] for one in found if one]


async def of_kind(works: Works, kind: BatchKind, words: str = "aspirantes", options: BatchOptions | None = None) -> int:
    return await works.carry_out(await works.request(words, kind=kind, options=options))


async def unsent(works: Works) -> int:
    async with works.db.transaction() as session:
        return (await view_report(session, datetime.now(UTC).date(), house=works.runtime.house)).unsent


async def nobody_need_say_yes(works: Works, name: str) -> None:
    async with works.db.transaction() as session:
        await set_config(session, f"aprobaciones.{name}", "5:0 1", actor=Actor("c", "Carla"), now=datetime.now(UTC))


async def contact(works: Works, student: Known, email: str, *, days_ago: float | None = None) -> None:
    """The records have another address now; with `days_ago` Lucy saw it change."""
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).where(StudentRow.id == student.id).values(personal_email=email))
        if days_ago is not None:
            at = datetime.now(UTC) - timedelta(days=days_ago)
            row = {"student_id": student.id, "email": student.email, "replaced_at": at}
            await session.execute(insert(FormerEmailRow).values(**row))


@pytest.mark.parametrize("kind", [BatchKind.RESET, BatchKind.RESEND])
async def test_the_letter_opens_the_account_and_the_password_is_kept_nowhere(works: Works, kind: BatchKind) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    number = await of_kind(works, kind)
    assert (await works.batch(number)).state is BatchState.FINISHED, await works.text_of_card(number)
    first, second = mailed(works, known.email)
    assert not await works.opens(known.upn, first)
    assert await works.opens(known.upn, second)
    row = await the_account(works, known)
    assert matches(second, row.secret_fingerprint)
    assert row.mailed_to == known.email
    contents = await table_contents(works.db)
    assert contents["sealed_secret"] == []
    assert second not in str(contents)


async def test_an_account_that_was_there_before_can_be_given_a_password(works: Works) -> None:
    (known,) = await students(works.db)
    works.states.graph.seed({"users": [{"userPrincipalName": known.upn, "employeeId": known.document}]})
    await works.activate(options=NO_MOODLE)
    assert mailed(works, known.email) == []
    await of_kind(works, BatchKind.RESEND)
    (password,) = mailed(works, known.email)
    assert await works.opens(known.upn, password)


async def test_a_refused_letter_after_a_reset_is_an_open_case_never_done(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    works.fault("inbox", "RCPT", "reply", status=550)
    number = await of_kind(works, BatchKind.RESET)
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES
    assert await ended(works, number, StepKind.PASSWORD_MAIL) == {("failed", "E-004"): 1}
    text = await works.text_of_card(number)
    assert "pendiente" in text
    assert "Reintentar" in text
    assert len(mailed(works, known.email)) == 1, "only the first letter"
    assert await unsent(works) == 1, "an open case of the report"
    async with works.db.transaction() as session:
        proposals = (await view_report(session, datetime.now(UTC).date(), house=works.runtime.house)).proposals
    (button,) = [one for one in proposals if one.kind is BatchKind.RESEND]
    assert (button.label, button.selection) == ("Reenviar la que no salió", "carta:fallida")
    assert (await works.batch(await works.request(button.selection, kind=button.kind))).students == 1
    await of_kind(works, BatchKind.RESEND)
    assert await unsent(works) == 0


async def test_a_letter_whose_password_was_purged_says_what_to_do(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    asked = await works.request(kind=BatchKind.RESEND)
    await works.approve(asked)
    await works.start(asked)
    await works.lanes().run(StepKind.RESET_PASSWORD)
    async with works.db.transaction() as session:
        await session.execute(SealedSecretRow.__table__.delete())
    await works.drain()
    step = await works.step(asked, StepKind.CREDENTIALS_MAIL, known)
    assert (step.state, step.error_code) == (StepState.FAILED, "E-008")


async def test_two_resets_one_after_another_mail_only_the_last_password(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    first = await works.request(kind=BatchKind.RESET)
    await works.approve(first)
    await works.start(first)
    await works.lanes().run(StepKind.RESET_PASSWORD)
    async with works.db.transaction() as session:  # another hand set one in between
        await session.execute(update(AccountRow).values(secret_fingerprint="00$00"))
    await works.drain()
    assert await ended(works, first, StepKind.PASSWORD_MAIL) == {("failed", "E-007"): 1}
    await of_kind(works, BatchKind.RESET)
    assert await works.opens(known.upn, mailed(works, known.email)[-1])


async def test_without_a_letter_the_old_password_only_stops_working(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    (before,) = mailed(works, known.email)
    number = await of_kind(works, BatchKind.RESET, options=QUIET)
    assert await states(works, number) == {"done": 1}
    assert not await works.opens(known.upn, before)
    assert len(mailed(works, known.email)) == 1
    assert "reenviar" in str((await works.batch(number)).irreversible)


async def test_a_lost_answer_to_a_reset_still_mails_the_password_that_opens(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    works.fault("graph", "$batch", "cut_after")
    await of_kind(works, BatchKind.RESET)
    assert await works.opens(known.upn, mailed(works, known.email)[-1])


async def test_whom_a_password_cannot_reach_is_told_before(works: Works) -> None:
    nobody, disabled, without = await students(works.db, 3)
    await works.activate(f"{disabled.document} {without.document}", options=NO_MOODLE)
    await of_kind(works, BatchKind.DISABLE, disabled.document)
    await contact(works, without, "")
    number = await works.request(kind=BatchKind.RESET)
    row = await works.batch(number)
    assert row.state is BatchState.NOTHING_DONE
    said = str(row.impossible)
    for words in ("no tienen cuenta", "está deshabilitada", "no tienen correo personal"):
        assert words in said
    assert nobody


# The guard of a new address (FEATURES row 43)


async def test_a_reset_to_an_address_that_changed_lately_needs_a_second_person_and_tells_the_old_one(
    works: Works,
) -> None:
    moved, settled = await students(works.db, 2)
    await works.activate(options=NO_MOODLE)
    await nobody_need_say_yes(works, "resetear")
    await contact(works, moved, "nueva@example.com", days_ago=3)
    alone = await works.request(settled.document, kind=BatchKind.RESET)
    assert (await works.batch(alone)).approvals_needed == 0
    await works.drain()
    number = await works.request(moved.document, kind=BatchKind.RESET)
    assert (await works.batch(number)).state is BatchState.AWAITING_APPROVAL
    assert "Mirá antes de aprobar" in await works.text_of_card(number)
    await works.carry_out(number)
    (password,) = mailed(works, "nueva@example.com")
    assert await works.opens(moved.upn, password)
    notice = works.states.inbox.sent_to(moved.email)[-1]
    assert "correo distinto de éste" in notice.text
    assert password not in notice.text
    assert "nueva@example.com" not in notice.text


async def test_an_address_other_than_that_of_the_first_letter_is_looked_at_however_old(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    await nobody_need_say_yes(works, "resetear")
    await contact(works, known, "otra@example.com", days_ago=400)
    number = await works.request(kind=BatchKind.RESET)
    assert (await works.batch(number)).state is BatchState.AWAITING_APPROVAL
    await works.carry_out(number)
    await works.drain()
    again = await works.request(kind=BatchKind.RESET)
    assert (await works.batch(again)).approvals_needed == 0, "the last password went there"


async def test_an_address_that_changes_after_the_approval_drops_the_student(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    number = await works.request(kind=BatchKind.RESET)
    await works.approve(number)
    await contact(works, known, "nueva@example.com", days_ago=0)
    await works.drain()
    assert await states(works, number) == {"dropped": 2}
    assert mailed(works, "nueva@example.com") == []


async def test_the_records_tell_lucy_of_the_change(works: Works) -> None:
    mine = add(works)
    await read(works)
    await works.activate(mine, options=NO_MOODLE)
    touch(works, mine)
    mend(works, mine, {"email": "nueva@example.com"})
    await read(works)
    assert (await everybody(works))[mine].personal_email == "nueva@example.com"
    number = await of_kind(works, BatchKind.RESET, mine)
    assert await states(works, number, StepKind.NOTICE_MAIL) == {"done": 1}
    assert "correo distinto" in works.states.inbox.sent_to(f"ana.{mine}@example.com")[-1].text


# Welcome


async def test_preinscriptos_are_welcomed_once(works: Works) -> None:
    known = await students(works.db, 3, stage=Stage.PREINSCRIPTO)
    number = await of_kind(works, BatchKind.WELCOME, "preinscriptos")
    assert await states(works, number) == {"done": 3}
    for one in known:
        (letter,) = works.states.inbox.sent_to(one.email)
        assert "Recibimos tu inscripción" in letter.text
    again = await works.request("preinscriptos", kind=BatchKind.WELCOME)
    assert (await works.batch(again)).state is BatchState.NOTHING_DONE
    assert in_entra  # no account was made
    assert works.states.graph.users == {}
