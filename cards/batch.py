"""The card of a batch: one message in the channel, drawn again as the batch moves."""

from cards import approval, decided, progress, result, wording
from cards.batch_heading import batch_name, done_count, state_text, still_to_approve
from cards.buttons import batch_buttons, view_again
from cards.parts import Block, Card, to_json
from lucy.domain.batches import BatchState
from lucy.domain.views import BatchView, Frame
from lucy.texts import _, number

BEFORE = frozenset({BatchState.DRAFT, BatchState.AWAITING_APPROVAL, BatchState.HELD})
MOVING = frozenset({BatchState.QUEUED, BatchState.RUNNING, BatchState.PAUSED})
DECIDED = frozenset({BatchState.REJECTED, BatchState.EXPIRED, BatchState.CANCELLED})


def batch_card(view: BatchView, frame: Frame) -> dict[str, object]:
    """The card for one reader. With a `requester_teams_id` that reader's client asks for a view of its own."""
    return to_json(
        Card(
            _body(view, frame),
            actions=() if view.state in DECIDED else batch_buttons(view),
            fallback_text=summary(view),
            refresh_action=view_again(view),
            refresh_for=[view.requester_teams_id] if view.requester_teams_id else [],
        )
    )


def summary(view: BatchView) -> str:
    """One line for notifications."""
    sentences = [batch_name(view), state_text(view), _more(view)]
    return " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)


def _body(view: BatchView, frame: Frame) -> list[Block]:
    if view.state in BEFORE:
        return approval.body(view, frame)
    if view.state in MOVING:
        return progress.body(view, frame)
    if view.state in DECIDED:
        return decided.body(view, frame)
    return result.body(view, frame)


def _more(view: BatchView) -> str:
    if view.state is BatchState.HELD:
        return wording.clip(view.reason, 120)
    if view.state is BatchState.AWAITING_APPROVAL and (names := still_to_approve(view)):
        return wording.clip(_("La decide {names}").format(names=wording.either(names[:6])), 360)
    if view.state in BEFORE:
        return ""
    if view.state in MOVING:
        done, total = done_count(view), sum(tally.to_do for tally in view.tallies)
        return _("Van {done} de {total} pasos").format(done=number(done), total=number(total))
    if view.state in DECIDED and view.reason:
        return wording.clip(view.reason, 120)
    if done_count(view):
        return _("Se hizo: {done}").format(done=result.done_text(view))
    return "" if view.state in DECIDED else result.nothing_text(view)
