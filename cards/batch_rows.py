"""The students of a batch, one page at a time, for one reader."""

from cards import wording
from cards.actions import Execute
from cards.layout import heading, sheet
from cards.parts import Action, Block, Container, RichText, Run
from cards.verbs import BatchPress, Verb
from lucy.domain.batches import parse_batch_code
from lucy.domain.step_names import step
from lucy.domain.steps import StepState
from lucy.domain.views import BatchRow, BatchRows, Frame
from lucy.texts import _, number

ROWS_SHOWN = 20
ORDER = (  # what somebody must look at first
    StepState.FAILED,
    StepState.DROPPED,
    StepState.SKIPPED,
    StepState.CANCELLED,
    StepState.RUNNING,
    StepState.DUE,
    StepState.DONE,
    StepState.ALREADY,
)


def batch_rows_card(view: BatchRows, frame: Frame) -> dict[str, object]:
    """At most ROWS_SHOWN rows; the button goes on with the first that was not shown."""
    rows = view.rows[:ROWS_SHOWN]
    title = wording.dotted((view.code, wording.students(view.total)))
    body: list[Block] = [heading(title, frame, state=_range(view, len(rows)))]
    body += [_row(row, separator=bool(at)) for at, row in enumerate(rows)]
    if not rows:
        body.append(RichText(_("No hay más alumnos en esta lista.")))
    return sheet(body, summary(view), _pages(view, len(rows)))


def summary(view: BatchRows) -> str:
    return f"{view.code}: {_range(view, len(view.rows[:ROWS_SHOWN]))}"


def _range(view: BatchRows, shown: int) -> str:
    if not shown:
        return _("Sin alumnos")
    last = number(view.first + shown - 1)
    return _("Del {first} al {last} de {total}").format(first=number(view.first), last=last, total=number(view.total))


def _row(row: BatchRow, *, separator: bool) -> Container:
    name = RichText(Run(wording.clip(row.name, 90), bold=True), Run(f" · DNI {row.document}"))
    reasons = wording.clip("; ".join(row.reasons), 240)
    lines = [*_states(row), *([reasons] if reasons else [])]
    return Container([name, *(_small(line) for line in lines or [_("nada por hacer")])], separator=separator)


def _states(row: BatchRow) -> list[str]:
    """The steps of one student under where they stand, what somebody must look at first."""
    by_state: dict[StepState, list[str]] = {}
    for kind, target, state in row.steps:
        if (kind, target) in row.conflicts:
            continue
        shown = StepState.DUE if state is StepState.WAITING else state  # a plan's inner order is nobody's concern
        by_state.setdefault(shown, []).append(step(kind, target))
    lines = [f"{wording.step_state(state)}: {_names(by_state[state])}" for state in ORDER if state in by_state]
    if row.conflicts:
        names = _names([step(kind, target) for kind, target in row.conflicts])
        lines.insert(0, f"{wording.not_undone()} ({names})")
    return lines


def _names(steps: list[str]) -> str:
    return wording.clip(wording.listed(steps), 240)


def _small(text: str) -> RichText:
    return RichText(Run(text[:1].upper() + text[1:], size="small"), spacing="none")


def _pages(view: BatchRows, shown: int) -> list[Action]:
    number_ = view.number or parse_batch_code(view.code) or 0
    buttons: list[Action] = []
    if view.first > 1:
        before = max(1, view.first - ROWS_SHOWN)
        buttons.append(_page(_("Anteriores"), BatchPress(number_, view.version, first=before)))
    after = view.first + shown
    if shown and after <= view.total:
        buttons.append(_page(_("Siguientes"), BatchPress(number_, view.version, first=after)))
    return buttons


def _page(title: str, press: BatchPress) -> Execute:
    return Execute(title, Verb.BATCH_PREVIEW, press.data())
