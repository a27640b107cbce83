"""Students counted by reason: whom the plan cannot serve, who changed, what an undo cannot take back."""

from collections.abc import Sequence

from cards import wording
from cards.layout import labelled
from cards.parts import Block, Container, RichText, Run
from lucy.domain.views import BatchView, Impossible
from lucy.texts import _, number, plural

REASONS_SHOWN = 6


def reason_lines(reasons: Sequence[Impossible], *, limit: int = REASONS_SHOWN) -> list[Block]:
    """One line for each reason up to `limit`, and a count of the rest."""
    blocks: list[Block] = []
    for one in reasons[:limit]:
        who = wording.sample(one.sample, one.count, shown=3)
        text = wording.clip(one.reason, 160) + (f" ({who})" if who else "")
        blocks.append(RichText(Run(f"• {number(one.count)}: ", bold=True), text, spacing="small"))
    if rest := reasons[limit:]:
        count = sum(one.count for one in rest)
        blocks.append(RichText("• ", plural("{n} más por otros motivos", "{n} más por otros motivos", count)))
    return blocks


def impossible_lines(view: BatchView) -> list[Block]:
    """Whom the plan cannot serve, by reason."""
    if not view.impossible:
        return []
    total = sum(one.count for one in view.impossible)
    return [labelled(_("No se puede"), wording.students(total)), *reason_lines(view.impossible)]


def irreversible_lines(view: BatchView) -> list[Block]:
    """What an undo cannot take back, with what is done instead."""
    if not view.irreversible:
        return []
    return [RichText(Run(_("No se puede deshacer:"), bold=True)), *reason_lines(view.irreversible)]


def warning_lines(view: BatchView) -> list[Block]:
    """What whoever approves has to look at first."""
    if not view.warnings:
        return []
    return [
        Container(
            [RichText(Run(_("Mirá antes de aprobar:"), bold=True)), *reason_lines(view.warnings)], style="warning"
        )
    ]
