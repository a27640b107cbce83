"""The buttons of a batch card: those that the view allows, in one order on every card."""

from cards.actions import Emphasis, Execute, ShowCard
from cards.inputs import TextInput
from cards.parts import MAX_ACTIONS, Action
from cards.verbs import BatchPress, Verb
from lucy.domain.batches import BatchState
from lucy.domain.views import BatchAction, BatchView
from lucy.texts import _, number

REASON_LIMIT = 500  # as BatchPress cuts it
NOT_BLANK = r"[\s\S]*\S[\s\S]*"

ORDER = (
    BatchAction.APPROVE,
    BatchAction.REJECT,
    BatchAction.RESUME,
    BatchAction.PAUSE,
    BatchAction.RETRY,
    BatchAction.ROWS,
    BatchAction.CANCEL,
    BatchAction.UNDO,
)

VERBS = {
    BatchAction.APPROVE: Verb.BATCH_APPROVE,
    BatchAction.RESUME: Verb.BATCH_RESUME,
    BatchAction.PAUSE: Verb.BATCH_PAUSE,
    BatchAction.RETRY: Verb.BATCH_RETRY,
    BatchAction.ROWS: Verb.BATCH_PREVIEW,
    BatchAction.CANCEL: Verb.BATCH_CANCEL,
    BatchAction.UNDO: Verb.BATCH_UNDO,
}


def batch_buttons(view: BatchView) -> list[Action]:
    """At most as many as Teams shows."""
    return [_button(action, view) for action in ORDER if action in view.actions][:MAX_ACTIONS]


def press(view: BatchView) -> dict[str, object]:
    return BatchPress(batch=view.number, version=view.version).data()


def view_again(view: BatchView) -> Execute:
    """What the requester's client asks for by itself."""
    return Execute("", Verb.BATCH_VIEW, press(view))


def _button(action: BatchAction, view: BatchView) -> Action:
    if action is BatchAction.REJECT:
        return _reject(view)
    style: Emphasis | None = "positive" if action is BatchAction.APPROVE else None
    return Execute(_title(action, view), VERBS[action], press(view), style=style)


def _title(action: BatchAction, view: BatchView) -> str:
    started = view.state in {BatchState.RUNNING, BatchState.PAUSED}
    return {
        BatchAction.APPROVE: _("Aprobar"),
        BatchAction.REJECT: _("Rechazar"),
        BatchAction.RESUME: _("Reanudar"),
        BatchAction.PAUSE: _("Pausar"),
        BatchAction.RETRY: _("Reintentar"),
        BatchAction.ROWS: _("Ver los {n}").format(n=number(view.students))
        if view.students > 1
        else _("Ver el detalle"),
        BatchAction.CANCEL: _("Cancelar lo que falta") if started else _("Cancelar"),
        BatchAction.UNDO: _("Deshacer"),
    }[action]


def _reject(view: BatchView) -> ShowCard:
    reason = TextInput(
        "reason",
        _("Por qué la rechazás"),
        required=True,
        error=_("Escribí el motivo: lo lee quien la pidió."),
        regex=NOT_BLANK,
        max_length=REASON_LIMIT,
        multiline=True,
    )
    confirm = Execute(_("Rechazar {code}").format(code=view.code), Verb.BATCH_REJECT, press(view))
    return ShowCard(_title(BatchAction.REJECT, view), [reason], actions=[confirm])
