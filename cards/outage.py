"""A system that does not answer: one card, edited while it lasts and when it is back. What waits is never lost."""

from datetime import datetime

from cards import wording
from cards.layout import heading, sheet, small
from cards.parts import Block, RichText, Style
from lucy.domain.error_codes import explain
from lucy.domain.views import Frame, OutageView
from lucy.texts import _, clock, plural


def outage_card(view: OutageView, frame: Frame) -> dict[str, object]:
    about = _("Desde {when}").format(when=wording.when(view.since, frame))
    style: Style = "warning" if view.closed_at is None else "good" if view.waiting else "emphasis"
    body: list[Block] = [heading(view.name, frame, state=_state(view), about=about, style=style)]
    body.append(RichText(_text(view, frame)))
    if view.closed_at is None and view.code:
        body.append(small(f"{view.code}: {explain(view.code)}"))
    return sheet(body, summary(view, frame))


def summary(view: OutageView, frame: Frame) -> str:
    return _text(view, frame)


def _state(view: OutageView) -> str:
    if view.closed_at is None:
        return _("No responde")
    return _("Volvió a responder") if view.waiting else _("Nada en espera")


def _text(view: OutageView, frame: Frame) -> str:
    """Moodle no responde desde las 10:02. 340 pasos esperan, no se perdió nada. Próximo intento 10:07."""
    if view.closed_at is not None:
        return _closed(view, view.closed_at, frame)
    since = _("{name} no responde desde las {clock}.").format(name=view.name, clock=clock(view.since, frame.zone))
    steps = (
        plural("{n} paso espera, no se perdió nada.", "{n} pasos esperan, no se perdió nada.", view.waiting)
        if view.waiting
        else _("Ningún paso espera.")
    )
    if view.next_try_at is None:
        return f"{since} {steps}"
    again = _("Próximo intento {when}.").format(when=_hour(view.next_try_at, view.since, frame))
    return f"{since} {steps} {again}"


def _closed(view: OutageView, closed_at: datetime, frame: Frame) -> str:
    """Moodle volvió a las 10:21. Los 340 pasos siguieron solos."""
    if not view.waiting:
        text = _("{name} no respondía a las {clock}. Ya no queda nada que espere: Lucy no volvió a probar.")
        return text.format(name=view.name, clock=clock(view.since, frame.zone))
    same_day = closed_at.astimezone(frame.zone).date() == view.since.astimezone(frame.zone).date()
    back = _("{name} volvió a las {when}.") if same_day else _("{name} volvió el {when}.")
    steps = plural("El paso que esperaba siguió solo.", "Los {n} pasos siguieron solos.", view.waiting)
    return f"{back.format(name=view.name, when=_hour(closed_at, view.since, frame))} {steps}"


def _hour(moment: datetime, since: datetime, frame: Frame) -> str:
    """The hour; with the date when it is another day than that of the beginning, which the heading tells."""
    if moment.astimezone(frame.zone).date() == since.astimezone(frame.zone).date():
        return clock(moment, frame.zone)
    return wording.when(moment, frame)
