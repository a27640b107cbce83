"""A batch that will not go on: rejected, expired or cancelled. The outcome, and no buttons."""

from cards import wording
from cards.batch_heading import batch_heading, done_count
from cards.kin import child_lines, dropped_lines, parent_lines
from cards.layout import labelled, small
from cards.obstacles import obstacle_lines
from cards.parts import Block, RichText
from cards.problems import maybe_twice_lines, problem_lines
from cards.result import done_text
from lucy.domain.batches import BatchState, Relation
from lucy.domain.views import BatchView, Frame
from lucy.texts import _

PROBLEMS_SHOWN = 6


def body(view: BatchView, frame: Frame) -> list[Block]:
    blocks: list[Block] = [batch_heading(view, frame), *parent_lines(view), RichText(_what_happened(view, frame))]
    if view.reason:
        blocks.append(labelled(_("Motivo"), wording.clip(view.reason, 500)))
    blocks += [*obstacle_lines(view, frame), *child_lines(view)]
    if done_count(view):
        done = _("Se hizo hasta ahora") if in_hand(view) else _("Se hizo")
        blocks += [labelled(done, done_text(view)), *dropped_lines(view)]
        blocks += [*problem_lines(view, limit=PROBLEMS_SHOWN), *maybe_twice_lines(view)]
    elif would := wording.counted(view.tallies, lambda tally: tally.to_do):
        blocks.append(labelled(_("Se había pedido"), would))
    return [*blocks, *_next(view), labelled(_("Selección"), wording.clip(view.selection, 300), mono=True)]


def _next(view: BatchView) -> list[Block]:
    """There are no buttons here: what may be typed about a cancelled batch that came to rest."""
    if view.state is not BatchState.CANCELLED or in_hand(view):
        return []
    gone_on = {kin.relation for kin in view.children}
    ways = []
    if any(tally.cancelled for tally in view.tallies) and Relation.REST not in gone_on:
        ways.append(_("Lo que no se hizo se pide de nuevo con: reintentar {code}"))
    if done_count(view) and Relation.UNDO not in gone_on:
        ways.append(_("Lo que se hizo se deshace con: deshacer {code}"))
    return [small(f"{way.format(code=view.code)}.") for way in ways]


def in_hand(view: BatchView) -> bool:
    """Cancelled, and not yet over: a student that was begun is finished."""
    return view.state is BatchState.CANCELLED and view.started_at is not None and view.finished_at is None


def _what_happened(view: BatchView, frame: Frame) -> str:
    if view.state is BatchState.EXPIRED:
        if view.expires_at is None:
            return _("Nadie la decidió a tiempo. No se hizo nada; se puede pedir de nuevo.")
        moment = wording.when(view.expires_at, frame)
        return _("Nadie la decidió antes del {when}. No se hizo nada; se puede pedir de nuevo.").format(when=moment)
    if in_hand(view):
        return _("Se terminan los alumnos que estaban en la mano; lo que no se había empezado no se hace.")
    if done_count(view):
        return _("Lo que no se había empezado no se hizo; lo que ya estaba hecho queda hecho.")
    return _("No se hizo nada.")
