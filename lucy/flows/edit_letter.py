"""A letter's text changes in three steps: somebody proposes it, it is rendered for everybody, a second person says yes.

What is live goes on going out until then (FEATURES row 38).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, outbox, templates
from lucy.db import cards as cards_db
from lucy.db.tables import TemplateRow
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.letter_check import Fault, check_letter
from lucy.domain.letter_texts import KINDS
from lucy.domain.letters import LetterName, TemplateState
from lucy.domain.nudges import Nudge
from lucy.errors import RequestError
from lucy.flows.redraw import ANNOUNCE
from lucy.texts import _, plural

SHOWS = "template"
STALE = timedelta(hours=24)  # who is in scope has changed since


class LetterRefusedError(RequestError):
    """The text cannot be used; every reason with its line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(one) for one in faults))
        self.faults = tuple(faults)


async def propose_letter(
    session: AsyncSession, name: LetterName, *, subject: str, html: str, seen: int, actor: Actor, now: datetime
) -> TemplateRow:
    """Store a version that waits. `seen` is the newest version that the writer had before them.

    Raises LetterRefusedError, or RequestError where nothing changed or somebody else wrote one meanwhile.
    """
    subject, html = subject.strip(), html.replace("\r\n", "\n").strip() + "\n"
    if faults := check_letter(KINDS[name], subject, html):
        raise LetterRefusedError(faults)
    now_live = await templates.live(session, name)
    if (subject, html.strip()) == (now_live.subject, now_live.html.strip()):
        raise RequestError(_("Así es la carta que ya sale: no hay nada para cambiar."))
    newest = await templates.history(session, name, limit=1)
    meanwhile = _("Alguien escribió otra versión de esta carta mientras tanto. Mirala con «plantillas {name}».")
    if (newest[0].version if newest else 0) != seen:
        raise RequestError(meanwhile.format(name=name.value))
    row = TemplateRow(
        name=name,
        version=seen + 1,
        subject=subject,
        html=html,
        state=TemplateState.PROPOSED,
        written_by=actor.id,
        written_by_name=actor.name,
        written_at=now,
    )
    try:
        async with session.begin_nested():
            replaced = await templates.replace(session, name, TemplateState.PROPOSED)
            session.add(row)
            await session.flush()
    except IntegrityError:
        raise RequestError(meanwhile.format(name=name.value)) from None
    for old in replaced:
        await _redraw(session, old, now=now)
    await outbox.put(session, [Nudge("check_letter", (row.id,)), Nudge("draw_letters")], now=now)
    await _keep(session, row, "letter.propose", "awaiting_approval", actor, now)
    return row


async def decide_letter(
    session: AsyncSession, id_: int, *, approve: bool, reason: str = "", actor: Actor, now: datetime
) -> TemplateRow:
    """Raises RequestError for who wrote it, for one that waits no more, and for one not rendered for everybody."""
    row = await templates.lock(session, id_)
    if row is None or row.state is not TemplateState.PROPOSED:
        raise RequestError(_("Esa versión ya no espera a nadie. Con «plantillas» ves cómo está cada carta."))
    if approve:
        if actor.id == row.written_by:
            raise RequestError(_("Esta versión la escribiste vos: la tiene que aprobar otra persona."))
        await _refuse_untried(session, row, now=now)
        for old in await templates.replace(session, row.name, TemplateState.LIVE):
            await _redraw(session, old, now=now)
    row.state = TemplateState.LIVE if approve else TemplateState.REJECTED
    row.decided_by_name, row.decided_at, row.reason = actor.name, now, reason
    await _redraw(session, row.id, now=now)
    await _keep(session, row, "letter.decide", "approved" if approve else "rejected", actor, now)
    return row


async def _refuse_untried(session: AsyncSession, row: TemplateRow, *, now: datetime) -> None:
    """Raises RequestError where it was not rendered for everybody, or too long ago."""
    if row.failed:
        said = plural(
            "No se puede aprobar: con {n} alumno la carta no sale bien. Hay que corregirla.",
            "No se puede aprobar: con {n} alumnos la carta no sale bien. Hay que corregirla.",
            row.failed,
        )
        raise RequestError(said)
    if row.checked_at is None:
        raise RequestError(_("Todavía se está probando con todos los alumnos. Esperá unos segundos."))
    if now - row.checked_at > STALE:
        raise RequestError(
            _("Se probó hace más de un día y los alumnos cambiaron. Para probarla de nuevo: «plantillas {name} probar»")
            .format(name=row.name.value)
        )  # fmt: skip


async def try_again(session: AsyncSession, name: LetterName, *, actor: Actor, now: datetime) -> TemplateRow:
    """Have the version that waits rendered for everybody once more. Raises RequestError where none waits."""
    newest = await templates.history(session, name, limit=1)
    if not newest or newest[0].state is not TemplateState.PROPOSED:
        raise RequestError(_("No hay ninguna versión de esa carta que espere."))
    newest[0].checked_at = None
    await outbox.put(session, [Nudge("check_letter", (newest[0].id,))], now=now)
    await _keep(session, newest[0], "letter.render", "queued", actor, now)
    return newest[0]


async def _redraw(session: AsyncSession, id_: int, *, now: datetime) -> None:
    await cards_db.want_redraw(session, shows=SHOWS, subject=str(id_))
    await outbox.put(session, [ANNOUNCE], now=now)


async def _keep(
    session: AsyncSession, row: TemplateRow, action: str, outcome: str, actor: Actor, now: datetime
) -> None:
    """The text itself is in the table; the event says which version."""
    detail: dict[str, object] = {"letter": row.name.value, "version": row.version}
    await audit.record(session, [AuditEvent(actor, action, outcome, detail=detail)], now=now)
