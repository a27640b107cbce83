"""The latest batches, for `lotes`: first those that wait for somebody, the oldest of them on top."""

from collections.abc import Sequence
from datetime import timedelta

from cards import wording
from cards.layout import heading, sheet
from cards.parts import Block, Cell, RichText, Run, Table
from lucy.domain.batches import BatchState
from lucy.domain.views import BatchLine, Frame
from lucy.texts import _, plural

LINES_SHOWN = 20
WAITING = frozenset({BatchState.AWAITING_APPROVAL, BatchState.HELD})


def batches_card(lines: Sequence[BatchLine], frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_("Lotes"), frame)]
    if not lines:
        body.append(RichText(_("Todavía no se pidió ningún lote.")))
        return sheet(body, summary(lines))
    rows: list[Sequence[Cell]] = [[_("Lote"), _("Qué"), _("Estado")]]
    rows += [_row(line, frame) for line in in_order(lines)[:LINES_SHOWN]]
    body.append(Table([3, 6, 4], rows))
    if (rest := len(lines) - LINES_SHOWN) > 0:
        body.append(RichText(plural("{n} lote más", "{n} lotes más", rest)))
    return sheet(body, summary(lines))


def summary(lines: Sequence[BatchLine]) -> str:
    total = plural("{n} lote", "{n} lotes", len(lines))
    waiting = sum(line.state in WAITING for line in lines)
    if not waiting:
        return _("Lotes: {total}").format(total=total)
    return _("Lotes: {total}, {waiting}").format(
        total=total, waiting=plural("{n} espera que alguien decida", "{n} esperan que alguien decida", waiting)
    )


def in_order(lines: Sequence[BatchLine]) -> list[BatchLine]:
    """Those that wait by age; the others as they came."""
    waiting = [line for line in lines if line.state in WAITING]
    others = [line for line in lines if line.state not in WAITING]
    return [*sorted(waiting, key=lambda line: line.requested_at), *others]


def _row(line: BatchLine, frame: Frame) -> list[Cell]:
    what: list[Block] = [
        RichText(wording.dotted((wording.clip(line.title, 80), wording.students(line.students)))),
        RichText(
            Run(wording.listed((line.requested_by, wording.when(line.requested_at, frame))), size="small"),
            spacing="none",
        ),
    ]
    state: list[Block] = [RichText(wording.batch_state(line.state))]
    if line.state in WAITING and frame.drawn_at - line.requested_at >= timedelta(days=1):  # before, the moment tells it
        state.append(RichText(Run(wording.age(line.requested_at, frame), size="small"), spacing="none"))
    return [line.code, what, state]
