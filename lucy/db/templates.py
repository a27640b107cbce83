"""The letters' texts: what goes out now, what was before, what somebody proposes."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.tables import TemplateRow
from lucy.domain.letter_texts import DEFAULTS
from lucy.domain.letters import LetterName, Template, TemplateState


def template_of(row: TemplateRow) -> Template:
    return Template(row.name, row.subject, row.html, DEFAULTS[row.name].places, row.version)


async def live(session: AsyncSession, name: LetterName) -> Template:
    """The letter as it goes out now; read afresh for each handful of letters."""
    statement = select(TemplateRow).where(TemplateRow.name == name, TemplateRow.state == TemplateState.LIVE)
    row = (await session.scalars(statement)).one_or_none()
    return template_of(row) if row else DEFAULTS[name]


async def all_live(session: AsyncSession) -> dict[LetterName, Template]:
    rows = await session.scalars(select(TemplateRow).where(TemplateRow.state == TemplateState.LIVE))
    return DEFAULTS | {row.name: template_of(row) for row in rows.all()}


async def history(session: AsyncSession, name: LetterName, *, limit: int = 20) -> Sequence[TemplateRow]:
    """Versions, newest first."""
    statement = select(TemplateRow).where(TemplateRow.name == name).order_by(TemplateRow.version.desc()).limit(limit)
    return (await session.scalars(statement)).all()


async def proposed(session: AsyncSession) -> Sequence[TemplateRow]:
    """What waits for a second person."""
    statement = select(TemplateRow).where(TemplateRow.state == TemplateState.PROPOSED)
    return (await session.scalars(statement.order_by(TemplateRow.id))).all()


async def lock(session: AsyncSession, id_: int) -> TemplateRow | None:
    return await session.get(TemplateRow, id_, with_for_update=True)


async def replace(session: AsyncSession, name: LetterName, state: TemplateState) -> list[int]:
    """What was in this state makes room for another version; returns which those were."""
    statement = (
        update(TemplateRow)
        .where(TemplateRow.name == name, TemplateRow.state == state)
        .values(state=TemplateState.REPLACED)
        .returning(TemplateRow.id)
    )
    return list((await session.scalars(statement)).all())
