"""One reading of one list: for the person who asked for it, and for the channel where it waits for a decision."""

from cards import wording
from cards.actions import Execute
from cards.layout import heading, sheet, small
from cards.parts import Action, Block, RichText, Style
from cards.report import list_text
from cards.verbs import IngestPress, Verb
from lucy.domain.views import Frame
from lucy.domain.views_ingest import ListReport
from lucy.texts import _, number


def ingest_card(view: ListReport, frame: Frame) -> dict[str, object]:
    style: Style = "warning" if view.waits is not None else "emphasis"
    body: list[Block] = [heading(_title(view), frame, state=_state(view), style=style), RichText(_text(view))]
    if view.waits is not None:
        seen = view.waits.comparison
        counts = _("En la lista: {seen} entradas. Nuevos: {new}. Con cambios: {changed}. Sin cambios: {same}.")
        body.append(
            small(
                counts.format(
                    seen=number(view.seen),
                    new=number(seen.new),
                    changed=number(seen.changed),
                    same=number(seen.unchanged),
                )
            )
        )
    if view.released_by:
        body.append(small(_("Estaba retenida; {name} la dejó pasar.").format(name=view.released_by)))
    return sheet(body, summary(view), _buttons(view))


def summary(view: ListReport) -> str:
    return f"{_title(view)}: {_text(view)}"


def _buttons(view: ListReport) -> list[Action]:
    if view.waits is None:
        return []
    data = IngestPress(view.run).data()
    return [
        Execute(_("Aplicar de todos modos"), Verb.INGEST_RELEASE, data),
        Execute(_("Descartar la lectura"), Verb.INGEST_DISCARD, data, style="destructive"),
    ]


def _state(view: ListReport) -> str:
    if view.waits is not None:
        return _("Retenida")
    if view.finished_at is None:
        return _("Leyendo")
    return _("Sin leer") if view.failed else _("Leída")


def _title(view: ListReport) -> str:
    return _("Ingesta · {name}").format(name=wording.source_list(view.source_list))


def _text(view: ListReport) -> str:
    """What came of it; while it runs, what to expect."""
    if view.finished_at is None and view.waits is None:
        return _("Estoy leyendo la lista en SIAL. Esta tarjeta se actualiza cuando termine.")
    text = list_text(view)
    return text[:1].upper() + text[1:] + "."
