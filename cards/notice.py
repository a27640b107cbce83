"""A short message: what happened, what it means, what may be typed next."""

from dataclasses import dataclass

from cards import wording
from cards.layout import heading, sheet
from cards.parts import Block, RichText, Run
from lucy.domain.views import Frame
from lucy.texts import _

SUGGESTIONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """`text` may have several paragraphs; `suggestions` are commands as they would be typed."""

    title: str
    text: str
    suggestions: tuple[str, ...] = ()


def notice_card(notice: Notice, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(wording.clip(notice.title, 160), frame)]
    body += [RichText(wording.clip(paragraph, 1200)) for paragraph in notice.text.split("\n") if paragraph.strip()][:8]
    if notice.suggestions:
        body.append(RichText(_("Podés escribir:")))
        body += [
            RichText(Run(wording.clip(command, 160), mono=True), spacing="small")
            for command in notice.suggestions[:SUGGESTIONS_SHOWN]
        ]
    return sheet(body, summary(notice))


def summary(notice: Notice) -> str:
    return wording.clip(f"{notice.title}. {notice.text}", 240)
