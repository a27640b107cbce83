"""A letter of trial: the whole way that a student's letter goes, with no student in it."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, outbox, templates
from lucy.db import cards as cards_db
from lucy.db.engine import Database
from lucy.db.tables import TrialLetterRow
from lucy.domain.audit import LUCY, Actor, AuditEvent
from lucy.domain.house import House
from lucy.domain.letters import LetterName, Template, render
from lucy.domain.nudges import Nudge
from lucy.domain.students import mask_email
from lucy.domain.views_letters import TrialLetterView
from lucy.errors import RemoteError
from lucy.flows.redraw import ANNOUNCE
from lucy.ports import Accepted, Letter, Mailer
from lucy.texts import clock, day

SHOWS = "trial_letter"


async def ask_for_trial_letter(session: AsyncSession, address: str, *, actor: Actor, now: datetime) -> TrialLetterRow:
    """The address stays in the database: a message to a worker holds an id and nothing of a person."""
    row = TrialLetterRow(address=address, asked_by_name=actor.name, asked_at=now)
    session.add(row)
    await session.flush()
    await outbox.put(session, [Nudge("send_trial_letter", (row.id,))], now=now)
    await audit.record(
        session, [AuditEvent(actor, "letter.test", "queued", detail={"to": mask_email(address)})], now=now
    )
    return row


async def send_trial_letter(db: Database, mailer: Mailer, letter_id: int, *, house: House) -> None:
    """Once: a doubled message finds it taken. A process that dies in between leaves it unanswered."""
    async with db.transaction() as session:
        row = await session.get(TrialLetterRow, letter_id, with_for_update=True)
        if row is None or row.taken_at is not None:
            return
        row.taken_at = datetime.now(UTC)
        letter = _letter(await templates.live(session, LetterName.TEST), row, house)
    answer: Accepted | RemoteError
    try:
        (answer,) = [answer async for _key, answer in mailer.send([letter])]
    except RemoteError as error:  # nobody's turn at present: nothing was sent
        answer = error
    async with db.transaction() as session:
        row = await session.get_one(TrialLetterRow, letter_id)
        row.code, row.reply = _said(answer)
        row.finished_at = datetime.now(UTC)
        outcome = f"failed {row.code}" if row.code else "accepted"
        await audit.record(session, [AuditEvent(LUCY, "letter.test", outcome)], now=row.finished_at)
        await cards_db.want_redraw(session, shows=SHOWS, subject=str(letter_id))
        await outbox.put(session, [ANNOUNCE], now=row.finished_at)


def view_of(row: TrialLetterRow) -> TrialLetterView:
    return TrialLetterView(
        address=mask_email(row.address),
        asked_by=row.asked_by_name,
        finished=row.finished_at is not None,
        code=row.code,
        reply=row.reply,
    )


def _letter(template: Template, row: TrialLetterRow, house: House) -> Letter:
    when = f"{day(row.asked_at, house.zone)} {clock(row.asked_at, house.zone)}"
    rendered = render(template, {"quien": row.asked_by_name, "cuando": when, "ambiente": house.environment})
    return Letter(
        key="test",
        message_id=f"<lucy.test.{row.id}@{house.mail_domain}>",
        to_address=row.address,
        to_name="",
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
    )


def _said(answer: Accepted | RemoteError) -> tuple[str, str]:
    """The code of what went wrong, and the technical remark that the support of the mail service asks for."""
    return ("", answer.reply) if isinstance(answer, Accepted) else (answer.code, answer.detail)
