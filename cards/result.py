"""A batch that ended: what was done, what is left and who has to act. Nothing done never looks like success."""

from cards import wording
from cards.batch_heading import already_line, batch_heading, done_count, note_lines
from cards.kin import child_lines, dropped_lines, parent_lines
from cards.layout import labelled
from cards.parts import Block, RichText
from cards.problems import maybe_twice_lines, problem_lines
from cards.reasons import impossible_lines
from lucy.domain.views import BatchView, Frame
from lucy.texts import _, duration

PROBLEMS_SHOWN = 12


def body(view: BatchView, frame: Frame) -> list[Block]:
    return [
        batch_heading(view, frame),
        *parent_lines(view),
        _outcome(view),
        *already_line(view),
        *dropped_lines(view),
        *child_lines(view),
        *problem_lines(view, limit=PROBLEMS_SHOWN),
        *maybe_twice_lines(view),
        *impossible_lines(view),
        *note_lines(view),
    ]


def done_text(view: BatchView) -> str:
    """35 cuentas, 34 cartas aceptadas, en 41 s; empty when nothing was done."""
    done = wording.counted(view.tallies, lambda tally: tally.done, wording.steps_done)
    if not done or view.started_at is None or view.finished_at is None:
        return done
    seconds = (view.finished_at - view.started_at).total_seconds()
    took = duration(seconds) if round(seconds) else _("menos de 1 s")
    return _("{done}, en {time}").format(done=done, time=took)


def _outcome(view: BatchView) -> Block:
    if done_count(view):
        return labelled(_("Se hizo"), done_text(view))
    return RichText(nothing_text(view))


def nothing_text(view: BatchView) -> str:
    """Why a batch ended with nothing done."""
    if not view.students:
        return _("Nadie cumple «{selection}».").format(selection=wording.clip(view.selection, 300))
    if any(tally.conflicts for tally in view.tallies):
        return _("No se deshizo nada.")
    if any(tally.failed or tally.skipped or tally.dropped for tally in view.tallies):
        return _("No se pudo hacer ningún paso.")
    if any(tally.already for tally in view.tallies):
        return _("No había nada por hacer: todo estaba hecho de antes.")
    return _("No había nada por hacer.")
