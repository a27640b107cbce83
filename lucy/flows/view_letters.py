"""The letters' texts as cards show them: all of them, and one with what changed and how it reads."""

from collections.abc import Sequence
from difflib import unified_diff

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import templates
from lucy.db.tables import TemplateRow
from lucy.domain.house import House
from lucy.domain.letter_texts import DEFAULTS, KINDS
from lucy.domain.letters import LetterName, Template, TemplateState
from lucy.domain.views_letters import LetterLine, LetterView
from lucy.flows.preview_letter import picture_url, sample
from lucy.texts import _, clock, day


async def view_letters(session: AsyncSession) -> tuple[LetterLine, ...]:
    waiting = {row.name: row.version for row in await templates.proposed(session)}
    lines = []
    for name, kind in KINDS.items():
        rows = await templates.history(session, name)
        row = next((one for one in rows if one.state is TemplateState.LIVE), None)
        lines.append(
            LetterLine(
                name.value,
                _(kind.means),
                row.version if row else 0,
                row.written_by_name if row else "",
                row.written_at if row else None,
                waiting.get(name, 0),
            )
        )
    return tuple(lines)


async def view_letter(
    session: AsyncSession, name: LetterName, *, house: House, version: int | None = None
) -> LetterView | None:
    """The version that waits, else the one that goes out; or the one asked for, None where there is none."""
    rows = await templates.history(session, name)
    if version is None:
        rows_of = {row.state: row for row in reversed(rows)}
        row = rows_of.get(TemplateState.PROPOSED) or rows_of.get(TemplateState.LIVE)
    else:
        row = next((one for one in rows if one.version == version), None)
        if row is None and version != 0:
            return None
    return await _view(session, name, row, rows, house)


async def view_version(session: AsyncSession, id_: int, *, house: House) -> LetterView | None:
    """For a card that shows it: a version by its id."""
    row = await session.get(TemplateRow, id_)
    if row is None:
        return None
    return await _view(session, row.name, row, await templates.history(session, row.name), house)


async def _view(
    session: AsyncSession, name: LetterName, row: TemplateRow | None, rows: Sequence[TemplateRow], house: House
) -> LetterView:
    template = templates.template_of(row) if row else DEFAULTS[name]
    common = {
        "name": name.value,
        "means": _(KINDS[name].means),
        "places": tuple(sorted(template.places)),
        "subject": template.subject,
        "html": template.html,
        "text": (await sample(session, template, house)).text,
        "picture": await picture_url(session, template, house),
        "linkable": bool(house.public_url),
        "newest": rows[0].version if rows else 0,
        "before": tuple(_line(one, house) for one in rows if row is None or one.id != row.id),
    }
    if row is None:
        return LetterView(**common)  # type: ignore[arg-type]
    before = next((templates.template_of(one) for one in rows if _stood_before(one, row)), DEFAULTS[name])
    return LetterView(
        **common,  # type: ignore[arg-type]
        version=row.version,
        id=row.id,
        state=row.state,
        by=row.written_by_name,
        at=row.written_at,
        tried_at=row.checked_at,
        students=row.students,
        failed=row.failed,
        failures=tuple(str(one) for one in row.failures),
        decided_by=row.decided_by_name,
        decided_at=row.decided_at,
        reason=row.reason,
        changes=changes(before, template),
    )


def _stood_before(one: TemplateRow, row: TemplateRow) -> bool:
    """What went out before this version: refused ones never did."""
    return one.version < row.version and one.decided_at is not None and one.state is not TemplateState.REJECTED


def changes(before: Template, after: Template) -> tuple[str, ...]:
    """What is taken out (`-`) and what comes in (`+`), the subject first."""
    old, new = ([one.subject, *one.html.strip().split("\n")] for one in (before, after))
    return tuple(one for one in unified_diff(old, new, lineterm="", n=0) if not one.startswith(("---", "+++", "@@")))


def _line(row: TemplateRow, house: House) -> str:
    said = {
        TemplateState.PROPOSED: _("espera"),
        TemplateState.LIVE: _("sale"),
        TemplateState.REJECTED: _("rechazada"),
        TemplateState.REPLACED: _("reemplazada"),
    }
    when = f"{day(row.written_at, house.zone)} {clock(row.written_at, house.zone)}"
    return _("versión {n}, {who}, {when}: {state}").format(
        n=row.version, who=row.written_by_name, when=when, state=said[row.state]
    )
