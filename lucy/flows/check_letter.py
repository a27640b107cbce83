"""Render a proposed letter for everybody whom it may ever go to, before it may go to anybody."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import audit, outbox, templates
from lucy.db import cards as cards_db
from lucy.db import students as students_db
from lucy.db.engine import Database
from lucy.db.tables import StudentRow, TemplateRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.house import House
from lucy.domain.letter_values import SCOPE, example_values, holes
from lucy.domain.letters import LetterName, Template, TemplateState
from lucy.domain.plans import upn_for
from lucy.domain.students import Student, StudentId, mask_document_number
from lucy.flows.edit_letter import SHOWS
from lucy.flows.redraw import ANNOUNCE

READ_AT_ONCE = 2000
NAMED = 10  # failures that are named


async def check_letter_for_all(db: Database, template_id: int, *, house: House) -> None:
    """A version that was decided meanwhile is left alone."""
    async with db.transaction() as session:
        row = await session.get(TemplateRow, template_id)
        if row is None or row.state is not TemplateState.PROPOSED:
            return
        template = templates.template_of(row)
        ids = await in_scope(session, template.name)
    failures: list[str] = []
    for start in range(0, len(ids), READ_AT_ONCE):
        async with db.transaction() as session:
            failures += await _failures(session, template, ids[start : start + READ_AT_ONCE], house)
    async with db.transaction() as session:
        row = await templates.lock(session, template_id)
        if row is None or row.state is not TemplateState.PROPOSED:
            return
        now = datetime.now(UTC)
        row.checked_at, row.students, row.failed, row.failures = now, len(ids), len(failures), failures[:NAMED]
        detail: dict[str, object] = {"letter": row.name.value, "version": row.version, "students": len(ids)}
        outcome = "failed" if failures else "done"
        await audit.record(session, [AuditEvent(LUCY, "letter.render", outcome, detail=detail)], now=now)
        await cards_db.want_redraw(session, shows=SHOWS, subject=str(template_id))
        await outbox.put(session, [ANNOUNCE], now=now)


async def in_scope(session: AsyncSession, name: LetterName) -> list[StudentId]:
    """Everybody whom the letter may go to, by their stage."""
    statement = select(StudentRow.id).where(StudentRow.stage.in_(SCOPE[name])).order_by(StudentRow.id)
    return list((await session.scalars(statement)).all())


async def _failures(session: AsyncSession, template: Template, ids: list[StudentId], house: House) -> list[str]:
    values = await values_for(session, ids, house)
    return [f"{whose}: {why}" for whose, given in values.items() if (why := holes(template, given))]


async def values_for(session: AsyncSession, ids: list[StudentId], house: House) -> dict[str, Mapping[str, str]]:
    """What each letter is filled with, by whose it is, masked; what only a batch knows is an example."""
    students = await students_db.load(session, ids)
    accounts = await accounts_db.accounts(session, ids)
    found: dict[str, Mapping[str, str]] = {}
    for id_, student in students.items():
        upn = accounts[id_].upn if id_ in accounts else _upn(student, house)
        found[f"{mask_document_number(student.document_number)} (n.º {id_})"] = example_values(student, upn)
    return found


def _upn(student: Student, house: House) -> str:
    return upn_for(student.document_number, prefix=house.account_prefix, domain=house.account_domain)
