"""What all cards share: the heading, the labelled line, the sheet they are drawn on."""

from collections.abc import Sequence

from cards.parts import Action, Block, Card, Container, Mention, RichText, Run, Spacing, Style, TextBlock, to_json
from lucy.domain.views import Frame


def heading(title: str, frame: Frame, *, state: str = "", about: str = "", style: Style = "emphasis") -> Container:
    """What it is and its code; then its state and the environment; then who and when."""
    second: list[Run | str] = [Run(state, bold=True), " · "] if state else []
    blocks: list[Block] = [
        TextBlock(title, heading=True, size="medium", bold=True),
        RichText(*second, Run(frame.environment), spacing="small"),
    ]
    if about:
        blocks.append(RichText(Run(about, size="small"), spacing="small"))
    return Container(blocks, style=style, bleed=True)


def labelled(label: str, text: str, *, mono: bool = False, spacing: Spacing | None = None) -> RichText:
    """**Ya estaba:** 2 cuentas."""
    return RichText(Run(f"{label}: ", bold=True), Run(text, mono=mono), spacing=spacing)


def section(title: str, blocks: Sequence[Block]) -> Container:
    """A part of the card with a heading of its own."""
    return Container([TextBlock(title, bold=True), *blocks], separator=True, spacing="medium")


def fingerprint(hash_: str) -> str:
    """A hash in groups, so that a narrow card can break it."""
    return " ".join(hash_[at : at + 16] for at in range(0, len(hash_), 16))


def small(text: str, *, mono: bool = False) -> RichText:
    """A line that matters less."""
    return RichText(Run(text, subtle=True, mono=mono, size="small"), spacing="small")


def bullets(lines: Sequence[str]) -> list[Block]:
    """One line each, the sign that they belong together included."""
    return [RichText("• ", line, spacing="small") for line in lines]


def sheet(
    body: Sequence[Block], summary: str, actions: Sequence[Action] = (), *, mentions: Sequence[Mention] = ()
) -> dict[str, object]:
    """A card without views of its own; old clients show the summary."""
    return to_json(Card(body, actions=actions, fallback_text=summary, mentions=mentions))
