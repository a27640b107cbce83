"""One reading of one list, for the person who asked for it."""

from cards import wording
from cards.layout import heading, sheet
from cards.parts import Block, RichText
from cards.report import list_text
from lucy.domain.views import Frame, ListReport
from lucy.texts import _


def ingest_card(view: ListReport, frame: Frame) -> dict[str, object]:
    state = _("leyendo") if view.finished_at is None else _("sin leer") if view.failed else _("leída")
    body: list[Block] = [heading(_title(view), frame, state=state.capitalize()), RichText(_text(view))]
    return sheet(body, summary(view))


def summary(view: ListReport) -> str:
    return f"{_title(view)}: {_text(view)}"


def _title(view: ListReport) -> str:
    return _("Ingesta · {name}").format(name=wording.source_list(view.source_list))


def _text(view: ListReport) -> str:
    """What came of it; while it runs, what to expect."""
    if view.finished_at is None:
        return _("Estoy leyendo la lista en SIAL. Esta tarjeta se actualiza cuando termine.")
    return list_text(view) + "."
