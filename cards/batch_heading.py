"""How every batch card begins, and the lines that several of them share."""

from cards import wording
from cards.layout import heading, labelled
from cards.parts import Block, Container, RichText, Run, Style
from lucy.domain.batches import BatchState
from lucy.domain.operations import batch_title
from lucy.domain.views import BatchView, Frame
from lucy.texts import _, number, plural

STYLES: dict[BatchState, Style] = {  # the words say the same
    BatchState.PAUSED: "warning",
    BatchState.HELD: "warning",
    BatchState.FINISHED: "good",
    BatchState.FINISHED_WITH_FAILURES: "warning",
}
IMPOSSIBLE_SHOWN = 8
NOTES_SHOWN = 4


def batch_name(view: BatchView) -> str:
    """L-0122 · Activación completa · 37 alumnos."""
    return wording.dotted((view.code, batch_title(view.kind, view.options), wording.students(view.students)))


def done_count(view: BatchView) -> int:
    return sum(tally.done for tally in view.tallies)


def pending_count(view: BatchView) -> int:
    """What somebody must look at; steps skipped for want of these are not counted again."""
    first = sum(tally.failed + tally.dropped for tally in view.tallies)
    return first or sum(tally.skipped for tally in view.tallies)


def state_text(view: BatchView) -> str:
    """The state, with how many are pending where it ended with some."""
    if view.state is BatchState.FINISHED_WITH_FAILURES and (pending := pending_count(view)):
        return plural("Terminada con {n} pendiente", "Terminada con {n} pendientes", pending)
    if view.state is BatchState.FINISHED and not done_count(view):
        return wording.batch_state(BatchState.NOTHING_DONE)
    return wording.batch_state(view.state)


def batch_heading(view: BatchView, frame: Frame) -> Container:
    style = STYLES.get(view.state, "emphasis")
    if style == "good" and not done_count(view):
        style = "emphasis"
    return heading(batch_name(view), frame, state=state_text(view), about=people(view, frame), style=style)


def people(view: BatchView, frame: Frame) -> str:
    """Who asked and who decided, with when."""
    asked = _("Pedida por {name}, {when}").format(name=view.requested_by, when=wording.when(view.requested_at, frame))
    if not view.decided_by:
        return asked
    moment = wording.when(view.decided_at, frame) if view.decided_at else ""
    word = {
        BatchState.REJECTED: _("rechazada por {name}"),
        BatchState.CANCELLED: _("cancelada por {name}"),
    }.get(view.state, _("aprobada por {name}"))
    return wording.dotted((asked, wording.listed(filter(None, (word.format(name=view.decided_by), moment)))))


def already_line(view: BatchView) -> list[Block]:
    """What was true before."""
    already = wording.counted(view.tallies, lambda tally: tally.already)
    return [labelled(_("Ya estaba"), already)] if already else []


def impossible_lines(view: BatchView) -> list[Block]:
    """Whom the plan cannot serve, by reason."""
    if not view.impossible:
        return []
    total = sum(one.count for one in view.impossible)
    blocks: list[Block] = [labelled(_("No se puede"), wording.students(total))]
    for one in view.impossible[:IMPOSSIBLE_SHOWN]:
        who = wording.sample(one.sample, one.count)
        text = wording.clip(one.reason, 200) + (f" ({who})" if who else "")
        blocks.append(RichText(Run(f"• {number(one.count)}: ", bold=True), text, spacing="small"))
    if rest := view.impossible[IMPOSSIBLE_SHOWN:]:
        count = sum(one.count for one in rest)
        blocks.append(RichText("• ", plural("{n} más por otros motivos", "{n} más por otros motivos", count)))
    return blocks


def note_lines(view: BatchView) -> list[Block]:
    """What a system asked for, the latest last."""
    return [RichText(wording.clip(note, 240), spacing="small") for note in view.notes[-NOTES_SHOWN:]]
