"""A batch before it runs: what it would do, for whoever has to say yes or no."""

from cards import wording
from cards.batch_heading import already_line, approved_by, batch_heading, note_lines, still_to_approve
from cards.forecast import forecast_lines
from cards.kin import child_lines, dropped_lines, parent_lines
from cards.layout import bullets, labelled, small
from cards.obstacles import obstacle_lines
from cards.parts import Block, RichText, Run
from cards.problems import problem_lines
from cards.reasons import impossible_lines, irreversible_lines, warning_lines
from lucy.domain.batches import BatchState
from lucy.domain.operations import REMOVALS, StepKind
from lucy.domain.views import BatchAction, BatchView, Frame
from lucy.texts import _, number, plural

SAMPLE_SHOWN = 3
NAMES_SHOWN = 6
PROBLEMS_SHOWN = 2


def body(view: BatchView, frame: Frame) -> list[Block]:
    return [
        batch_heading(view, frame),
        *parent_lines(view),
        *_held(view),
        *obstacle_lines(view, frame),
        labelled(_("Selección"), wording.clip(view.selection, 300), mono=True),
        *_totals(view),
        *_sample(view),
        *(forecast_lines(view, frame) or _no_forecast(view)),
        *_begun(view),
        *child_lines(view),
        *note_lines(view),
        *_approvals(view, frame),
        *_expires(view, frame),
    ]


def _totals(view: BatchView) -> list[Block]:
    """What would be given, what would be taken away (apart), what is there, what cannot be."""
    adds = wording.counted((one for one in view.tallies if one.kind not in REMOVALS), lambda tally: tally.left)
    takes = wording.counted((one for one in view.tallies if one.kind in REMOVALS), lambda tally: tally.left)
    blocks: list[Block] = []
    if adds or not takes:
        blocks.append(labelled(_("Se va a hacer"), adds or _("nada, no hay pasos por hacer")))
    if takes:
        blocks.append(labelled(_("Bajas"), takes))
    return [
        *blocks,
        *warning_lines(view),
        *irreversible_lines(view),
        *already_line(view),
        *_no_letter(view),
        *(impossible_lines(view) or [labelled(_("No se puede"), number(0))]),
    ]


def _no_letter(view: BatchView) -> list[Block]:
    """An account that exists gets no letter: its password is not ours to tell."""
    accounts = sum(tally.already for tally in view.tallies if tally.kind is StepKind.ACCOUNT)
    if not accounts or not view.options.mail:
        return []
    return [small(_("A las cuentas que ya estaban no se les envía contraseña."))]


def _held(view: BatchView) -> list[Block]:
    """Why it stands still, and what this reader may do about it."""
    if view.state is not BatchState.HELD:
        return []
    blocks: list[Block] = []
    if view.reason:
        blocks.append(labelled(_("Por qué está retenida"), wording.clip(view.reason, 500)))
    ways = {
        BatchAction.RELEASE: _("soltarla para que se apruebe"),
        BatchAction.SPLIT: _("partirla"),
        BatchAction.REJECT: _("rechazarla"),
        BatchAction.CANCEL: _("cancelarla"),
    }
    if may := wording.either(text for action, text in ways.items() if action in view.actions):
        blocks.append(labelled(_("Se puede"), may))
    if view.approvers and BatchAction.RELEASE not in view.actions:
        names = wording.either(view.approvers[:NAMES_SHOWN])
        blocks.append(labelled(_("La pueden soltar") if len(view.approvers) > 1 else _("La puede soltar"), names))
    return blocks


def _sample(view: BatchView) -> list[Block]:
    """The first rows of the plan; the rest is behind a button."""
    if not view.sample:
        return []
    shown = view.sample[:SAMPLE_SHOWN]
    title = plural("El primero de {{total}}:", "Los primeros {n} de {{total}}:", len(shown))
    if len(shown) >= view.students:
        title = _("Alumno por alumno:")
    lines = bullets([wording.clip(line, 160) for line in shown])
    return [RichText(Run(title.format(total=number(view.students)), bold=True)), *lines]


def _no_forecast(view: BatchView) -> list[Block]:
    if view.state is not BatchState.AWAITING_APPROVAL:
        return []
    return [small(_("Todavía no se calculó cuánto lleva."))]


def _begun(view: BatchView) -> list[Block]:
    """What had happened before it was held on its way."""
    done = wording.counted(view.tallies, lambda tally: tally.done, wording.steps_done)
    return [
        *([labelled(_("Ya se hizo"), done)] if done else []),
        *dropped_lines(view),
        *problem_lines(view, limit=PROBLEMS_SHOWN),
    ]


def _approvals(view: BatchView, frame: Frame) -> list[Block]:
    """Who said yes, and who may still say it."""
    if not view.approvals_needed:
        return [RichText(_("No necesita aprobación."))]
    blocks: list[Block] = []
    if view.approvals:
        count = plural("Aprobó {n} de {{needed}}", "Aprobaron {n} de {{needed}}", len(view.approvals))
        blocks.append(labelled(count.format(needed=number(view.approvals_needed)), approved_by(view, frame)))
    elif view.approvals_needed > 1:
        blocks.append(labelled(_("Aprobaciones que necesita"), number(view.approvals_needed)))
    if (names := still_to_approve(view)) and view.state is BatchState.AWAITING_APPROVAL:
        text = _("{names} (aprobación por otra persona)").format(names=wording.either(names[:NAMES_SHOWN]))
        blocks.append(labelled(_("Espera a"), text))
    return blocks


def _expires(view: BatchView, frame: Frame) -> list[Block]:
    if view.expires_at is None:
        return []
    text = _("{when}; después hay que pedirla de nuevo").format(when=wording.when(view.expires_at, frame))
    return [labelled(_("Vence"), text)]
