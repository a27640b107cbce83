"""The latest batches, for `lotes`."""

from collections.abc import Sequence

from cards import wording
from cards.layout import heading, sheet
from cards.parts import Block, Cell, RichText, Run, Table
from lucy.domain.views import BatchLine, Frame
from lucy.texts import _, plural

LINES_SHOWN = 20


def batches_card(lines: Sequence[BatchLine], frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_("Lotes"), frame)]
    if not lines:
        body.append(RichText(_("Todavía no se pidió ningún lote.")))
        return sheet(body, summary(lines))
    rows: list[Sequence[Cell]] = [[_("Lote"), _("Qué"), _("Estado")]]
    rows += [_row(line, frame) for line in lines[:LINES_SHOWN]]
    body.append(Table([3, 6, 4], rows))
    if (rest := len(lines) - LINES_SHOWN) > 0:
        body.append(RichText(plural("{n} lote más", "{n} lotes más", rest)))
    return sheet(body, summary(lines))


def summary(lines: Sequence[BatchLine]) -> str:
    return _("Lotes: {n}").format(n=plural("{n} lote", "{n} lotes", len(lines)))


def _row(line: BatchLine, frame: Frame) -> list[Cell]:
    what: list[Block] = [
        RichText(wording.dotted((wording.clip(line.title, 80), wording.students(line.students)))),
        RichText(
            Run(wording.listed((line.requested_by, wording.when(line.requested_at, frame))), size="small"),
            spacing="none",
        ),
    ]
    return [line.code, what, wording.batch_state(line.state)]
