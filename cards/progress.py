"""A batch on its way: how far each lane is, how fast, what the systems asked for."""

from cards import wording
from cards.batch_heading import already_line, batch_heading, note_lines
from cards.layout import small
from cards.parts import Block, Column, ColumnSet, RichText, Run
from cards.problems import problem_lines
from lucy.domain.batches import BatchState
from lucy.domain.views import BatchView, Frame, Tally
from lucy.texts import _, duration, number, plural

CELLS = 10
FULL, EMPTY = "▓", "░"
PROBLEMS_SHOWN = 4


def body(view: BatchView, frame: Frame) -> list[Block]:
    blocks: list[Block] = [batch_heading(view, frame)]
    blocks += [_lane(tally) for tally in view.tallies if tally.to_do]
    if pace := _pace(view):
        blocks.append(RichText(pace))
    drawn = small(_("Actualizada {when}").format(when=wording.when(frame.drawn_at, frame)))
    return [*blocks, *note_lines(view), *already_line(view), *problem_lines(view, limit=PROBLEMS_SHOWN), drawn]


def bar(done: int, total: int) -> str:
    """▓▓▓▓▓▓▓▓░░: full only when nothing is missing, never empty once something was done."""
    cells = CELLS * done // total if total else 0
    if done and not cells:
        cells = 1
    return FULL * cells + EMPTY * (CELLS - cells)


def _lane(tally: Tally) -> ColumnSet:
    numbers = _("{done} de {total}").format(done=number(tally.done), total=number(tally.to_do))
    unwell = wording.listed(
        text
        for text, count in (
            (plural("{n} falló", "{n} fallaron", tally.failed), tally.failed),
            (plural("{n} no se hizo", "{n} no se hicieron", tally.skipped), tally.skipped),
            (plural("{n} quedó afuera", "{n} quedaron afuera", tally.dropped), tally.dropped),
            (plural("{n} cancelado", "{n} cancelados", tally.cancelled), tally.cancelled),
        )
        if count
    )
    words: list[Block] = [RichText(numbers)]
    if unwell:
        words.append(RichText(Run(unwell, size="small"), spacing="none"))
    drawn = RichText(Run(bar(tally.done, tally.to_do), mono=True))
    name = RichText(wording.lane(tally.kind))
    return ColumnSet(Column([name], width=72), Column([drawn], width=100), Column(words), spacing="small")


def _pace(view: BatchView) -> str:
    if view.state is BatchState.PAUSED:
        return _("Lo que falta espera a que alguien la reanude.")
    pieces = []
    if view.per_minute:
        pieces.append(plural("{n} paso por minuto", "{n} pasos por minuto", round(view.per_minute)))
    if view.eta_s is not None:
        pieces.append(_("faltan unos {time}").format(time=duration(view.eta_s)))
    return wording.listed(pieces)
