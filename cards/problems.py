"""What did not end well, gathered under who has to act: each reader looks for their own."""

from cards import wording
from cards.layout import section, small
from cards.parts import Block, Container, RichText, Run
from lucy.domain.batches import OPEN_STATES
from lucy.domain.steps import StepState
from lucy.domain.views import BatchView, Problem
from lucy.errors import Remedy
from lucy.texts import _, number, plural

ORDER = (Remedy.SOURCE, Remedy.OPERATOR, Remedy.ADMINISTRATOR, Remedy.WAIT)
FIRST_HAND = frozenset({StepState.FAILED, StepState.DROPPED})
CONFLICT = "G-008"  # of a skipped step of an undo: somebody changed it since (lucy/domain/error_codes.py)


def problem_lines(view: BatchView, *, limit: int) -> list[Block]:
    """The largest groups up to `limit`, a count of the rest, and what was not done for want of them.

    Dropped students are left out where `cards/kin.py` tells of them, with what changed.
    """
    told = {StepState.DROPPED} if view.dropped else set()
    problems = [problem for problem in view.problems if problem.state in FIRST_HAND - told]
    shown = sorted(problems, key=lambda problem: -problem.count)[:limit]
    blocks: list[Block] = []
    for remedy in ORDER:
        group = [problem for problem in shown if problem.remedy is remedy]
        if group:
            blocks.append(_group(_who(remedy, view), group))
    if len(problems) > len(shown):
        blocks.append(RichText(_more(problems, shown)))
    return [*blocks, *_not_undone(view), *_not_reached(view)]


def maybe_twice_lines(view: BatchView) -> list[Block]:
    """Letters that went out again because nobody knows whether the first one did."""
    if not view.maybe_twice:
        return []
    text = plural(
        "{n} carta pudo salir dos veces (mismo identificador): el servidor no contestó y no hay cómo saberlo.",
        "{n} cartas pudieron salir dos veces (mismo identificador): el servidor no contestó y no hay cómo saberlo.",
        view.maybe_twice,
    )
    return [RichText(text)]


def _who(remedy: Remedy, view: BatchView) -> str:
    if remedy is Remedy.WAIT and view.state in OPEN_STATES:
        return _("Lucy lo vuelve a intentar sola")
    return wording.who_acts(remedy)


def _group(who: str, problems: list[Problem]) -> Container:
    total = number(sum(problem.count for problem in problems))
    return section(_("{who} ({n})").format(who=who, n=total), [_line(problem) for problem in problems])


def _line(problem: Problem) -> RichText:
    text = f"{problem.code}: {wording.clip(problem.text, 180)}" if problem.code else wording.clip(problem.text, 180)
    who = wording.sample(problem.sample, problem.count)
    count = Run(f"• {wording.steps(problem.kind, problem.count)}. ", bold=True)
    return RichText(count, text, f" ({who})" if who else "", spacing="small")


def _more(problems: list[Problem], shown: list[Problem]) -> str:
    groups = plural("Y {n} motivo más", "Y {n} motivos más", len(problems) - len(shown))
    count = sum(problem.count for problem in problems) - sum(problem.count for problem in shown)
    return _("{groups}, {steps}: están en la lista de alumnos.").format(
        groups=groups, steps=plural("{n} paso", "{n} pasos", count)
    )


def _not_undone(view: BatchView) -> list[Block]:
    """What an undo left alone, by kind; the counts are the tallies', the problems know some of the students."""
    total = sum(tally.conflicts for tally in view.tallies)
    if not total:
        return []
    samples = {problem.kind: problem.sample for problem in view.problems if problem.code == CONFLICT}
    lines: list[Block] = []
    for tally in view.tallies:
        if tally.conflicts:
            who = wording.sample(samples.get(tally.kind, ()), tally.conflicts)
            count = Run(f"• {wording.steps(tally.kind, tally.conflicts)}", bold=True)
            lines.append(RichText(count, f" ({who})" if who else "", spacing="small"))
    title = _("No se deshizo, alguien lo cambió después ({n})").format(n=number(total))
    return [section(title, [*lines, small(_("Un operador tiene que ver qué quiere dejar."))])]


def _not_reached(view: BatchView) -> list[Block]:
    """Steps that depended on a failed one, and steps that a cancellation stopped."""
    blocks: list[Block] = []
    if skipped := wording.counted(view.tallies, lambda tally: tally.skipped):
        blocks.append(RichText(Run(_("Dependía de eso: "), bold=True), skipped))
    if cancelled := wording.counted(view.tallies, lambda tally: tally.cancelled):
        blocks.append(RichText(Run(_("Quedó sin hacer: "), bold=True), cancelled))
    return blocks
