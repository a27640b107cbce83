"""The rows of a batch as a spreadsheet shows them: one row per student, a column per kind of step in the plan.

Pure values: strings, numbers and aware moments. Passwords and secrets have no place here, nor have addresses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lucy.domain import sheet_words
from lucy.domain.error_codes import explain
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.domain.students import Stage
from lucy.errors import Remedy
from lucy.texts import _

Value = str | int | datetime | None

# Steps that ended otherwise than meant, with the code of those that were given none.
UNWANTED = {StepState.FAILED: "G-001", StepState.DROPPED: "G-003", StepState.SKIPPED: "G-002"}
_DEPENDED = "G-002"
_LEFT_ALONE = "G-008"  # not undone, because somebody changed it since
_SHOWN = (  # what somebody must look at first
    StepState.FAILED,
    StepState.DROPPED,
    StepState.SKIPPED,
    StepState.CANCELLED,
    StepState.RUNNING,
    StepState.DUE,
    StepState.WAITING,
    StepState.DONE,
    StepState.ALREADY,
)


@dataclass(frozen=True, slots=True)
class SheetStep:
    """`target` is a course, else empty. `remedy` is empty where nobody has to act."""

    kind: StepKind
    target: str
    state: StepState
    code: str = ""
    remedy: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SheetStudent:
    """`impossible` are the reasons why the plan cannot serve them, `changed` what differed after the approval
    (`lucy.domain.basis.changes`), both as people say it.
    """

    last_name: str
    first_name: str
    document: str
    stage: Stage
    steps: tuple[SheetStep, ...] = ()
    impossible: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was not done. `code` and `remedy` where a step tells them."""

    text: str
    code: str = ""
    remedy: Remedy | None = None

    @property
    def who(self) -> str:
        return sheet_words.who_acts(self.remedy) if self.remedy else ""


def headings(kinds: Sequence[StepKind]) -> list[str]:
    steps = [sheet_words.column(kind) for kind in kinds]
    before = [_("Apellido"), _("Nombre"), _("Documento"), _("Etapa")]
    return [*before, *steps, _("Código"), _("Motivo"), _("Quién corrige"), _("Último cambio")]


def widths(kinds: Sequence[StepKind]) -> list[int]:
    """In characters, in the order of the headings."""
    return [24, 24, 14, 14, *(max(16, len(sheet_words.column(kind)) + 4) for kind in kinds), 12, 70, 28, 18]


def student_row(student: SheetStudent, kinds: Sequence[StepKind]) -> list[Value]:
    why = reasons(student)
    return [
        student.last_name,
        student.first_name,
        student.document,
        student.stage.value,
        *(_steps(student, kind) for kind in kinds),
        _joined(reason.code for _about, reason in why),
        " ".join(_sentence(about, reason) for about, reason in why) or None,
        _joined(reason.who for _about, reason in why),
        max((step.changed_at for step in student.steps if step.changed_at), default=None),
    ]


def reasons(student: SheetStudent) -> list[tuple[str, Reason]]:
    """What was not done and why; steps that only depended on others are named when nothing else is."""
    about: dict[Reason, list[str]] = {}
    for step in student.steps:
        if step.state in UNWANTED:
            about.setdefault(_reason(step), []).append(step.target or sheet_words.column(step.kind))
    others = [reason for reason in about if reason.code != _DEPENDED]
    found = [(", ".join(dict.fromkeys(about[reason])), reason) for reason in others or about]
    return found + [("", Reason(text)) for text in (*student.changed, *student.impossible)]


def _reason(step: SheetStep) -> Reason:
    code = step.code or UNWANTED[step.state]
    return Reason(explain(code), code, Remedy(step.remedy) if step.remedy else Remedy.OPERATOR)


def _sentence(about: str, reason: Reason) -> str:
    text = f"{about}: {reason.text}" if about else reason.text
    return text if text.endswith(".") else f"{text}."


def _steps(student: SheetStudent, kind: StepKind) -> str | None:
    """hecho; of courses, which: falló: CONT-1; hecho: INGRESO-2026, MAT-1."""
    by_word: dict[str, list[str]] = {}
    for state in _SHOWN:
        for step in student.steps:
            if step.kind is kind and step.state is state:
                by_word.setdefault(_word(step), []).append(step.target)
    cells = [f"{word}: {', '.join(targets)}" if any(targets) else word for word, targets in by_word.items()]
    return "; ".join(cells) or None


def _word(step: SheetStep) -> str:
    if step.state is StepState.SKIPPED and step.code == _LEFT_ALONE:
        return _("no se deshizo")
    return sheet_words.step_state(step.kind, step.state)


def _joined(words: Iterable[str]) -> str | None:
    """Each once; an empty cell where there is none."""
    return ", ".join(dict.fromkeys(filter(None, words))) or None
