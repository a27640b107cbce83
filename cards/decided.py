"""A batch that will not go on: rejected, expired or cancelled. The outcome, and no buttons."""

from cards import wording
from cards.batch_heading import batch_heading, done_count
from cards.layout import labelled
from cards.parts import Block, RichText
from cards.problems import problem_lines
from cards.result import done_text
from lucy.domain.batches import BatchState
from lucy.domain.views import BatchView, Frame
from lucy.texts import _

PROBLEMS_SHOWN = 6


def body(view: BatchView, frame: Frame) -> list[Block]:
    blocks: list[Block] = [batch_heading(view, frame), RichText(_what_happened(view, frame))]
    if view.reason:
        blocks.append(labelled(_("Motivo"), wording.clip(view.reason, 500)))
    if done_count(view):
        blocks += [labelled(_("Antes de eso se hizo"), done_text(view)), *problem_lines(view, limit=PROBLEMS_SHOWN)]
    elif would := wording.counted(view.tallies, lambda tally: tally.to_do):
        blocks.append(labelled(_("Se había pedido"), would))
    return [*blocks, labelled(_("Selección"), wording.clip(view.selection, 300), mono=True)]


def _what_happened(view: BatchView, frame: Frame) -> str:
    if view.state is BatchState.EXPIRED:
        if view.expires_at is None:
            return _("Nadie la decidió a tiempo. No se hizo nada; se puede pedir de nuevo.")
        moment = wording.when(view.expires_at, frame)
        return _("Nadie la decidió antes del {when}. No se hizo nada; se puede pedir de nuevo.").format(when=moment)
    if done_count(view):
        return _("Se cancelaron los pasos que faltaban; los que ya estaban hechos quedan hechos.")
    return _("No se hizo nada.")
