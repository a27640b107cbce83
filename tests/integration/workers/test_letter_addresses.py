"""Where letters go: the personal address; the institutional one where there is none, unless that is switched off."""

from sqlalchemy import select, update

from lucy.db.tables import SealedSecretRow, StepRow, StudentRow
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import StepState
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import Known, students
from tests.integration.support.works import Works

NO_MOODLE = BatchOptions(moodle=False)


async def one_without_an_address(works: Works) -> Known:
    (known,) = await students(works.db)
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).values(personal_email=""))
    return known


async def letter(works: Works) -> StepRow:
    async with works.db.transaction() as session:
        return (await session.scalars(select(StepRow).where(StepRow.kind == StepKind.CREDENTIALS_MAIL))).one()


async def test_who_has_no_personal_address_gets_it_at_the_institutional_one(works: Works) -> None:
    known = await one_without_an_address(works)
    await works.activate(options=NO_MOODLE)
    assert [one.recipients for one in works.states.inbox.messages] == [(known.upn,)]


async def test_with_the_fallback_switched_off_the_letter_fails_and_the_password_is_kept(open_works: OpenWorks) -> None:
    works = await open_works(mail_fallback=False)
    await one_without_an_address(works)
    await works.activate(options=NO_MOODLE)
    assert works.states.inbox.messages == []
    step = await letter(works)
    assert (step.state, step.error_code) == (StepState.FAILED, "E-001")
    async with works.db.transaction() as session:
        assert len((await session.scalars(select(SealedSecretRow))).all()) == 1


async def test_a_name_that_turns_the_text_around_reaches_no_header(works: Works) -> None:
    (known,) = await students(works.db)
    async with works.db.transaction() as session:
        await session.execute(update(StudentRow).values(first_name="A\u202ena\u2066 🌻", last_name="Ñandú\u200f"))
    await works.activate(options=NO_MOODLE)
    (sent,) = works.states.inbox.sent_to(known.email)
    assert "Hola, Ana 🌻:" in sent.text
    for part in (sent.header_to, sent.subject, sent.text, sent.html):
        assert not set(part) & {"\u202e", "\u2066", "\u200f"}
    assert "Ñandú" in sent.header_to
