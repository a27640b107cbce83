"""A batch on its way: how far each lane is, how fast, what stands in the way."""

from cards import wording
from cards.batch_heading import batch_heading, note_lines
from cards.kin import child_lines, dropped_lines, parent_lines
from cards.layout import small
from cards.obstacles import obstacle_lines
from cards.parts import Block, Column, ColumnSet, RichText, Run, Spacing
from cards.problems import maybe_twice_lines, problem_lines
from lucy.domain.batches import BatchState
from lucy.domain.views import BatchView, Frame, Tally
from lucy.texts import _, number, plural

CELLS = 10
FULL, EMPTY = "▓", "░"
NAME_PX = 88
PROBLEMS_SHOWN = 4


def body(view: BatchView, frame: Frame) -> list[Block]:
    blocks: list[Block] = [batch_heading(view, frame), *parent_lines(view), *obstacle_lines(view, frame)]
    lanes = [tally for tally in view.tallies if tally.total]
    blocks += [_lane(tally, spacing="small" if at else "default") for at, tally in enumerate(lanes)]
    if pace := _pace(view):
        blocks.append(RichText(pace))
    return [
        *blocks,
        *note_lines(view),
        *dropped_lines(view),
        *child_lines(view),
        *problem_lines(view, limit=PROBLEMS_SHOWN),
        *maybe_twice_lines(view),
        small(_("Actualizada {when}").format(when=wording.when(frame.drawn_at, frame))),
    ]


def bar(done: int, total: int) -> str:
    """▓▓▓▓▓▓▓▓░░: full only when nothing is missing, never empty once something was done."""
    cells = CELLS * done // total if total else 0
    if done and not cells:
        cells = 1
    return FULL * cells + EMPTY * (CELLS - cells)


def _lane(tally: Tally, *, spacing: Spacing) -> ColumnSet:
    """The bar with its numbers, and under it everything else in words."""
    words: list[Block] = []
    if tally.to_do:
        numbers = _("{done} de {total}").format(done=number(tally.done), total=number(tally.to_do))
        words.append(RichText(Run(bar(tally.done, tally.to_do), mono=True), f"  {numbers}"))
    if rest := _rest(tally):
        words.append(RichText(Run(rest, size="small"), spacing="none"))
    name = RichText(wording.lane(tally.kind))
    return ColumnSet(Column([name], width=NAME_PX), Column(words), spacing=spacing)


def _rest(tally: Tally) -> str:
    """faltan 7, 2 ya estaban, 1 falló."""
    return wording.listed(
        text
        for text, count in (
            (plural("falta {n}", "faltan {n}", tally.left), tally.left),
            (plural("{n} ya estaba", "{n} ya estaban", tally.already), tally.already),
            (plural("{n} falló", "{n} fallaron", tally.failed), tally.failed),
            (plural("{n} no se hizo", "{n} no se hicieron", tally.skipped), tally.skipped),
            (plural("{n} quedó afuera", "{n} quedaron afuera", tally.dropped), tally.dropped),
            (plural("{n} cambiado después", "{n} cambiados después", tally.conflicts), tally.conflicts),
            (plural("{n} cancelado", "{n} cancelados", tally.cancelled), tally.cancelled),
        )
        if count
    )


def _pace(view: BatchView) -> str:
    if view.state is BatchState.PAUSED and view.started_at is None:
        return _("En pausa desde antes de empezar: no se hizo nada; espera a que alguien la reanude.")
    if view.state is BatchState.PAUSED:
        return _(
            "En pausa: los alumnos que estaban en la mano se terminan; lo que falta espera a que alguien la reanude."
        )
    pieces = []
    if view.per_minute:
        pieces.append(plural("{n} alumno por minuto", "{n} alumnos por minuto", round(view.per_minute)))
    if view.eta_s is not None:
        pieces.append(_("faltan {time}").format(time=wording.about(view.eta_s)))
    return wording.listed(pieces)
