"""How every batch card begins, and the lines that several of them share."""

from cards import wording
from cards.layout import heading, labelled
from cards.parts import Block, Container, RichText, Style
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
UNDECIDED = frozenset({BatchState.DRAFT, BatchState.AWAITING_APPROVAL, BatchState.HELD})
ENDED_BY = frozenset({BatchState.REJECTED, BatchState.EXPIRED, BatchState.CANCELLED})
APPROVALS_SHOWN = 4
NOTES_SHOWN = 4


def batch_name(view: BatchView) -> str:
    """L-0122 · Activación completa · 37 alumnos."""
    return wording.dotted((view.code, batch_title(view.kind, view.options), wording.students(view.students)))


def done_count(view: BatchView) -> int:
    return sum(tally.done for tally in view.tallies)


def pending_count(view: BatchView) -> int:
    """What somebody must look at; steps skipped for want of these are not counted again.

    Dropped students count once each, as the card tells of them, whatever the number of their steps.
    """
    dropped = view.dropped or sum(tally.dropped for tally in view.tallies)
    first = dropped + sum(tally.failed + tally.conflicts for tally in view.tallies)
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
    """Who asked, who approved (all of them) and who ended it, each with when."""
    asked = _("Pedida por {name}, {when}").format(name=view.requested_by, when=wording.when(view.requested_at, frame))
    return wording.dotted((asked, _approved(view, frame), _ended(view, frame)))


def approved_by(view: BatchView, frame: Frame) -> str:
    """Ñusta Yrigoyen (24/11 08:15), Óscar Peñaloza (24/11 09:02)."""
    shown = [f"{one.name} ({wording.when(one.at, frame)})" for one in view.approvals[:APPROVALS_SHOWN]]
    if (rest := len(view.approvals) - len(shown)) > 0:
        shown.append(plural("{n} persona más", "{n} personas más", rest))
    return wording.listed(shown)


def still_to_approve(view: BatchView) -> list[str]:
    """Those who may say yes and have not."""
    given = {one.name for one in view.approvals}
    return [name for name in view.approvers if name not in given]


def _approved(view: BatchView, frame: Frame) -> str:
    if view.state in UNDECIDED:
        return ""
    if view.approvals and len(view.approvals) < view.approvals_needed:  # ended before the others said anything
        count = plural(
            "aprobó {n} de {{needed}}: {{names}}", "aprobaron {n} de {{needed}}: {{names}}", len(view.approvals)
        )
        return count.format(needed=number(view.approvals_needed), names=approved_by(view, frame))
    if view.approvals:
        return _("aprobada por {names}").format(names=approved_by(view, frame))
    if view.state in ENDED_BY:
        return ""
    if not view.approvals_needed:
        return _("no necesitaba aprobación")
    return _with_moment(_("aprobada por {name}"), view, frame)


def _ended(view: BatchView, frame: Frame) -> str:
    if view.state is BatchState.REJECTED:
        return _with_moment(_("rechazada por {name}"), view, frame)
    if view.state is BatchState.CANCELLED:
        return _with_moment(_("cancelada por {name}"), view, frame)
    return ""


def _with_moment(text: str, view: BatchView, frame: Frame) -> str:
    if not view.decided_by:
        return ""
    moment = wording.when(view.decided_at, frame) if view.decided_at else ""
    return wording.listed(filter(None, (text.format(name=view.decided_by), moment)))


def already_line(view: BatchView) -> list[Block]:
    """What was true before."""
    already = wording.counted(view.tallies, lambda tally: tally.already)
    return [labelled(_("Ya estaba"), already)] if already else []


def note_lines(view: BatchView) -> list[Block]:
    """What a system asked for, the latest last."""
    return [RichText(wording.clip(note, 240), spacing="small") for note in view.notes[-NOTES_SHOWN:]]
