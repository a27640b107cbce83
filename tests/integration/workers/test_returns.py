"""Letters that come back, and passwords that nobody uses: each is told, and can be sent anew with another password."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from lucy.db.tables import LetterRow, ReturnMailboxRow, StudentRow
from lucy.domain.batches import BatchState
from lucy.domain.letter_states import LetterState
from lucy.domain.operations import BatchKind
from lucy.domain.views import ReportView
from lucy.flows.read_returns import read_returns
from lucy.flows.run_schedules import bring_forward, plan_schedules, run_due_schedules
from lucy.flows.view_report import view_report
from lucy.flows.view_student import view_students
from sandbox.control import Fault
from sandbox.imap import MailboxState, bounce
from tests.integration.conftest import OpenWorks
from tests.integration.support.outcomes import in_entra
from tests.integration.support.people import Known, actor, students
from tests.integration.support.works import Works, table_contents
from tests.integration.workers.test_resets import NO_MOODLE, contact, mailed, of_kind

OLD = timedelta(days=11)


def mailbox(works: Works) -> MailboxState:
    assert works.states.inbox.returns is not None
    return works.states.inbox.returns


async def look(works: Works) -> int:
    """The hourly reading."""
    before = len(await works.audit("letter.bounced"))
    await works.actors.read_returns()
    return len(await works.audit("letter.bounced")) - before


async def letters(works: Works, known: Known) -> list[tuple[LetterState, str]]:
    async with works.db.transaction() as session:
        rows = await session.scalars(
            select(LetterRow).where(LetterRow.student_id == known.id).order_by(LetterRow.accepted_at)
        )
        return [(row.state, row.detail) for row in rows]


async def age(works: Works, by: timedelta = OLD) -> None:
    """As if the letters had gone out and the passwords been set that much earlier."""
    async with works.db.transaction() as session:
        await session.execute(update(LetterRow).values(accepted_at=LetterRow.accepted_at - by))
    for user in works.states.graph.users.values():
        if user.password_set_at is not None:
            user.password_set_at -= by.total_seconds()


async def report(works: Works) -> ReportView:
    async with works.db.transaction() as session:
        return await view_report(session, datetime.now(UTC).date(), house=works.runtime.house)


async def letter_of(works: Works, known: Known) -> str:
    async with works.db.transaction() as session:
        (view,) = await view_students(session, known.document, house=works.runtime.house, now=datetime.now(UTC))
    return view.letter


async def first_use(works: Works) -> None:
    await works.actors.check_first_use()


# Letters that come back


async def test_a_letter_that_comes_back_is_told_and_counted_once(works: Works) -> None:
    one, other = await students(works.db, 2)
    works.fault("inbox", f"DATA {one.email}", "bounce", body="5.1.1")
    await works.activate(options=NO_MOODLE)
    assert await look(works) == 1
    assert await letters(works, one) == [(LetterState.BOUNCED, "5.1.1")]
    assert await letters(works, other) == [(LetterState.ACCEPTED, "")]
    assert "rebotó" in await letter_of(works, one)
    assert "5.1.1" in await letter_of(works, one)
    told = await report(works)
    assert (told.bounced, told.mended, told.unused) == (1, 0, 0)
    assert await look(works) == 0, "the next reading begins where this one ended"
    assert mailbox(works).changed == 0, "the mailbox was only read"
    (event,) = await works.audit("letter.bounced")
    assert one.email not in str(event.detail)


async def test_what_comes_back_is_without_the_letters_text(works: Works) -> None:
    (known,) = await students(works.db)
    works.fault("inbox", "DATA", "bounce")
    await works.activate(options=NO_MOODLE)
    (password,) = mailed(works, known.email)
    (message,) = mailbox(works).messages
    assert password.encode() not in message.raw


async def test_a_corrected_address_gets_a_new_password_from_the_report(works: Works) -> None:
    (known,) = await students(works.db)
    works.fault("inbox", "DATA", "bounce")
    await works.activate(options=NO_MOODLE)
    await look(works)
    await contact(works, known, "nueva@example.org", days_ago=0)
    told = await report(works)
    assert (told.bounced, told.mended) == (0, 1)
    (proposal,) = [one for one in told.proposals if one.kind is BatchKind.RESEND]
    number = await works.request(proposal.selection, kind=proposal.kind)
    assert (await works.batch(number)).state is BatchState.AWAITING_APPROVAL, "the address is new"
    await works.carry_out(number)
    (password,) = mailed(works, "nueva@example.org")
    assert await works.opens(known.upn, password)
    assert [state for state, _ in await letters(works, known)] == [LetterState.REISSUED, LetterState.ACCEPTED]
    assert len(works.states.inbox.sent_to(known.email)) == 1, "no notice goes to the address that bounced"
    told = await report(works)
    assert (told.bounced, told.mended) == (0, 0)


async def test_the_same_address_again_is_a_second_persons_decision(works: Works) -> None:
    (known,) = await students(works.db)
    works.fault("inbox", "DATA", "bounce")
    await works.activate(options=NO_MOODLE)
    await look(works)
    number = await works.request("carta:rebotada", kind=BatchKind.RESEND)
    assert "rebotó" in await works.text_of_card(number)
    assert (await works.batch(number)).state is BatchState.AWAITING_APPROVAL
    assert known.email


async def test_a_full_mailbox_says_nothing_of_the_address(works: Works) -> None:
    await students(works.db)
    works.fault("inbox", "DATA", "bounce", body="5.2.2")
    await works.activate(options=NO_MOODLE)
    await look(works)
    number = await works.request("carta:rebotada", kind=BatchKind.RESEND)
    assert "ese mismo correo rebotó" not in await works.text_of_card(number)


async def test_a_letter_known_by_its_address_alone(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    text = f"<{known.email}>: host mail.example.org said: 550 5.1.1 No such user (in reply to RCPT TO command)"
    raw = f"From: MAILER-DAEMON@x.org\r\nSubject: failure\r\n\r\nThis is the Postfix program\r\n\r\n{text}\r\n"
    mailbox(works).deliver(bounce(b"Subject: no id\r\n\r\n", recipient=known.email.upper(), returns_to="r@x.org"))
    mailbox(works).deliver(raw.encode())
    assert await look(works) == 1
    assert [state for state, _ in await letters(works, known)] == [LetterState.BOUNCED]


@pytest.mark.parametrize("what", ["delayed", "reply", "strangers", "forged-id", "garbage"])
async def test_other_mail_changes_nothing(works: Works, what: str) -> None:
    (known,) = await students(works.db)
    number = await works.activate(options=NO_MOODLE)
    (sent,) = works.states.inbox.sent_to(known.email)
    box, letter = mailbox(works), f"Message-ID: {sent.message_id}\r\n\r\n".encode()
    match what:
        case "delayed":
            box.deliver(bounce(letter, recipient=known.email, returns_to="r@x.org", action="delayed", status="4.4.1"))
        case "reply":
            box.deliver(f"From: {known.email}\r\nIn-Reply-To: {sent.message_id}\r\n\r\nGracias.\r\n".encode())
        case "strangers":
            box.deliver(bounce(b"Subject: x\r\n\r\n", recipient="nadie@example.org", returns_to="r@x.org"))
        case "forged-id":
            other = b"Message-ID: <lucy.1.1@somewhere.example>\r\n\r\n"
            box.deliver(bounce(other, recipient="nadie@example.org", returns_to="r@x.org"))
        case _:
            box.deliver(b"\xff\xfe\x00 not a message")
    assert await look(works) == 0
    assert [state for state, _ in await letters(works, known)] == [LetterState.ACCEPTED]
    assert (await works.batch(number)).state is BatchState.FINISHED


async def test_a_welcome_that_comes_back_asks_for_no_password(works: Works) -> None:
    (known,) = await students(works.db)
    works.fault("inbox", "DATA", "bounce")
    await of_kind(works, BatchKind.WELCOME)
    assert await look(works) == 1
    assert [state for state, _ in await letters(works, known)] == [LetterState.BOUNCED]
    told = await report(works)
    assert (told.bounced, told.mended) == (0, 0)


async def test_a_mailbox_that_was_set_up_anew_is_read_again_and_counts_nothing_twice(works: Works) -> None:
    one, _other = await students(works.db, 2)
    works.fault("inbox", f"DATA {one.email}", "bounce")
    await works.activate(options=NO_MOODLE)
    assert await look(works) == 1
    mailbox(works).rebuild()
    assert await look(works) == 0
    async with works.db.transaction() as session:
        (row,) = (await session.scalars(select(ReturnMailboxRow))).all()
    assert row.validity == mailbox(works).validity


async def test_many_messages_are_read_in_pages(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.imap.client.MESSAGES_AT_ONCE", 2)
    (known,) = await students(works.db)
    for _ in range(4):
        mailbox(works).deliver(b"Subject: hola\r\n\r\nhola\r\n")
    works.fault("inbox", "DATA", "bounce")
    await works.activate(options=NO_MOODLE)
    assert await look(works) == 1
    assert [state for state, _ in await letters(works, known)] == [LetterState.BOUNCED]
    assert mailbox(works).logins == 3


@pytest.mark.parametrize(
    ("match", "action", "more"),
    [
        ("CONNECT", "cut_before", {}),
        ("LOGIN", "reply", {"body": "NO [UNAVAILABLE] later"}),
        ("EXAMINE", "cut_before", {}),
        ("SEARCH", "cut_after", {}),
        ("SEARCH", "malformed", {}),
        ("FETCH", "cut_before", {}),
        ("FETCH", "reply", {"body": "BAD no"}),
    ],
)
async def test_a_mailbox_that_fails_loses_nothing(works: Works, match: str, action: str, more: dict[str, str]) -> None:
    await students(works.db)
    works.fault("inbox", "DATA", "bounce")
    await works.activate(options=NO_MOODLE)
    mailbox(works).control.add_fault(Fault(match, action, times=1, **more))
    assert await look(works) == 0
    assert await look(works) == 1, "an hour later"


async def test_the_agenda_reads_where_there_is_a_mailbox_and_only_there(works: Works, open_works: OpenWorks) -> None:
    assert "devoluciones" in await _started(works)
    without = await open_works(imap_host="")
    assert without.runtime.returns is None
    assert "devoluciones" not in await _started(without)
    await without.actors.read_returns()


async def _started(works: Works) -> list[str]:
    now = datetime.now(UTC)
    async with works.db.transaction() as session:
        await plan_schedules(session, house=works.runtime.house, now=now)
        await bring_forward(session, "devoluciones", actor=actor(works.people[2]), now=now)
        return await run_due_schedules(session, house=works.runtime.house, now=now + timedelta(seconds=1))


async def test_exchange_is_entered_by_oauth(open_works: OpenWorks) -> None:
    works = await open_works(imap_password="")
    await students(works.db)
    works.fault("inbox", "DATA", "bounce")
    await works.activate(options=NO_MOODLE)
    assert works.runtime.returns is not None
    assert await read_returns(works.db, works.runtime.returns, house=works.runtime.house) == 1


# Passwords that nobody uses


@pytest.mark.parametrize("premium", [False, True], ids=["by-the-password", "by-the-sign-in"])
async def test_a_password_that_nobody_used_is_counted_and_sent_anew(open_works: OpenWorks, premium: bool) -> None:
    works = await open_works()
    one, other = await students(works.db, 2)
    graph = works.states.graph
    if premium:
        graph.seed({"premium": 1, "permissions": sorted(graph.permissions | {"AuditLog.Read.All"})})
    await works.activate(options=NO_MOODLE)
    await age(works)
    (password,) = mailed(works, other.email)
    assert graph.sign_in(other.upn, password, new_password="Una-propia-de-ella-9") == (True, True)
    await first_use(works)
    assert await letters(works, one) == [(LetterState.UNUSED, "")]
    assert await letters(works, other) == [(LetterState.USED, "")]
    assert "sin estrenar" in await letter_of(works, one)
    assert await letter_of(works, other) == (await letter_of(works, one)).replace("sin estrenar", "estrenada")
    told = await report(works)
    assert (told.unused, told.unused_days) == (1, 10)
    (proposal,) = [one for one in told.proposals if one.kind is BatchKind.RESEND]
    number = await works.carry_out(await works.request(proposal.selection, kind=proposal.kind))
    assert (await works.batch(number)).students == 1
    old, new = mailed(works, one.email)
    assert not await works.opens(one.upn, old)
    assert await works.opens(one.upn, new)
    assert [state for state, _ in await letters(works, one)] == [LetterState.REISSUED, LetterState.ACCEPTED]
    assert (await report(works)).unused == 0
    assert new not in str(await table_contents(works.db))


async def test_whoever_enters_after_all_is_counted_no_more(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    await age(works)
    await first_use(works)
    assert (await report(works)).unused == 1
    (password,) = mailed(works, known.email)
    works.states.graph.sign_in(known.upn, password, new_password="Una-propia-de-ella-9")
    await first_use(works)
    assert (await report(works)).unused == 0
    assert [state for state, _ in await letters(works, known)] == [LetterState.USED]


async def test_a_young_letter_is_left_in_peace(works: Works) -> None:
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    await age(works, timedelta(days=9))
    await first_use(works)
    assert [state for state, _ in await letters(works, known)] == [LetterState.ACCEPTED]


async def test_a_disabled_account_waits_for_nobody(works: Works) -> None:
    await students(works.db)
    await works.activate(options=NO_MOODLE)
    await age(works)
    await first_use(works)
    assert (await report(works)).unused == 1
    await of_kind(works, BatchKind.DISABLE)
    assert (await report(works)).unused == 0


async def test_an_account_that_is_gone_and_graph_that_is_away_decide_nothing(works: Works) -> None:
    one, other = await students(works.db, 2)
    await works.activate(options=NO_MOODLE)
    await age(works)
    works.states.graph.delete(in_entra(works, one))
    works.fault("graph", "$batch", "status", status=503)
    await first_use(works)
    assert [state for state, _ in await letters(works, other)] == [LetterState.ACCEPTED]
    await first_use(works)
    assert [state for state, _ in await letters(works, one)] == [LetterState.ACCEPTED]
    assert [state for state, _ in await letters(works, other)] == [LetterState.UNUSED]


async def test_a_student_without_an_address_now_is_named(works: Works) -> None:
    """Their letter bounced and SIAL has none any more: nothing is sent, and the card says why."""
    (known,) = await students(works.db)
    works.fault("inbox", "DATA", "bounce")
    await works.activate(options=NO_MOODLE)
    await look(works)
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).where(StudentRow.id == known.id).values(personal_email=""))
    number = await works.request("carta:corregida", kind=BatchKind.RESEND)
    assert "no tienen correo personal" in await works.text_of_card(number)


async def test_by_graph_too(open_works: OpenWorks) -> None:
    """The other transport: the letter opens the account, and what comes back is known by its own header."""
    works = await open_works(mail_transport="graph")
    works.states.graph.permissions |= {"Mail.Send"}
    works.states.inbox.keep_raw = True
    (known,) = await students(works.db)
    await works.activate(options=NO_MOODLE)
    (sent,) = works.states.inbox.sent_to(known.email)
    (password,) = mailed(works, known.email)
    assert await works.opens(known.upn, password)
    assert sent.raw is not None
    mailbox(works).deliver(
        bounce(sent.raw.replace(b"Message-ID", b"X-Gone"), recipient=known.email, returns_to="r@x.org")
    )
    assert await look(works) == 1
