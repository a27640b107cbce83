"""The buttons of a batch card: those that the view allows, in one order on every card."""

from cards.actions import Emphasis, Execute, ShowCard
from cards.inputs import TextInput
from cards.parts import MAX_ACTIONS, Action
from cards.verbs import BatchPress, Verb
from lucy.domain.batches import BatchState
from lucy.domain.operations import IRREVERSIBLE, LETTERS
from lucy.domain.views import BatchAction, BatchView
from lucy.texts import _, number

REASON_LIMIT = 500  # as BatchPress cuts it
CONFIRM_LIMIT = 20
NOT_BLANK = r"[\s\S]*\S[\s\S]*"
DIGITS = r"^\s*[0-9]+\s*$"  # anchored: the client looks for it anywhere in the text

ORDER = (
    BatchAction.APPROVE,
    BatchAction.RELEASE,
    BatchAction.SPLIT,
    BatchAction.REJECT,
    BatchAction.RESUME,
    BatchAction.PAUSE,
    BatchAction.RETRY,
    BatchAction.ROWS,
    BatchAction.CANCEL,
    BatchAction.UNDO,
    BatchAction.DOWNLOAD,
)

VERBS = {
    BatchAction.APPROVE: Verb.BATCH_APPROVE,
    BatchAction.RESUME: Verb.BATCH_RESUME,
    BatchAction.PAUSE: Verb.BATCH_PAUSE,
    BatchAction.RETRY: Verb.BATCH_RETRY,
    BatchAction.ROWS: Verb.BATCH_PREVIEW,
    BatchAction.CANCEL: Verb.BATCH_CANCEL,
    BatchAction.UNDO: Verb.BATCH_UNDO,
    BatchAction.SPLIT: Verb.BATCH_SPLIT,
    BatchAction.RELEASE: Verb.BATCH_RELEASE,
    BatchAction.DOWNLOAD: Verb.BATCH_DOWNLOAD,
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
    if action is BatchAction.APPROVE and view.confirm:
        return _approve_counting(view)
    style: Emphasis | None = "positive" if action is BatchAction.APPROVE else None
    return Execute(_title(action, view), VERBS[action], press(view), style=style)


def _title(action: BatchAction, view: BatchView) -> str:
    started = view.started_at is not None and view.state in {BatchState.RUNNING, BatchState.PAUSED}
    return {
        BatchAction.APPROVE: _("Aprobar"),
        BatchAction.REJECT: _("Rechazar"),
        BatchAction.RESUME: _("Reanudar"),
        BatchAction.PAUSE: _("Pausar"),
        BatchAction.RELEASE: _("Soltar para aprobar"),
        BatchAction.SPLIT: _split(view),
        BatchAction.RETRY: _retry(view),
        BatchAction.ROWS: _("Ver los {n}").format(n=number(view.students))
        if view.students > 1
        else _("Ver el detalle"),
        BatchAction.CANCEL: _("Cancelar lo que falta") if started else _("Cancelar"),
        BatchAction.UNDO: _("Deshacer"),
        BatchAction.DOWNLOAD: _("Bajar planilla"),
    }[action]


def _split(view: BatchView) -> str:
    """Partir en 500 + 20, where it is known what fits."""
    fits = view.forecast.fits if view.forecast else None
    if not fits or fits >= view.students:
        return _("Partir en dos")
    return _("Partir en {fits} + {rest}").format(fits=number(fits), rest=number(view.students - fits))


def _retry(view: BatchView) -> str:
    failed = sum(tally.failed for tally in view.tallies)
    return _("Reintentar {n}").format(n=number(failed)) if failed else _("Reintentar")


def _approve_counting(view: BatchView) -> ShowCard:
    """The approver types how many students it is: nobody does that by a slip of the finger."""
    count = str(view.students)  # without the point of thousands: the field takes digits
    for_good = any(tally.left for tally in view.tallies if tally.kind in IRREVERSIBLE | LETTERS)
    label = (
        _("Escribí {n} para confirmar: lo que se hace no se puede deshacer")
        if for_good
        else _("Escribí {n}, la cantidad de alumnos, para confirmar")
    )
    confirm = TextInput(
        "confirm",
        label.format(n=count),
        required=True,
        error=_("Escribí sólo el número de alumnos: {n}.").format(n=count),
        regex=DIGITS,
        max_length=CONFIRM_LIMIT,
    )
    approve = Execute(_("Aprobar {code}").format(code=view.code), Verb.BATCH_APPROVE, press(view), style="positive")
    return ShowCard(_title(BatchAction.APPROVE, view), [confirm], actions=[approve], style="positive")


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
