"""A short message: what happened, what it means, what may be typed next."""

from dataclasses import dataclass

from cards import wording
from cards.layout import heading, sheet
from cards.parts import Block, RichText, Run
from lucy.domain.views import Frame
from lucy.texts import _, plural

SUGGESTIONS_SHOWN = 5
PARAGRAPHS_SHOWN = 30
PARAGRAPH_LIMIT = 600


@dataclass(frozen=True, slots=True)
class Notice:
    """`text` may have several paragraphs; `suggestions` are commands as they would be typed."""

    title: str
    text: str
    suggestions: tuple[str, ...] = ()


def notice_card(notice: Notice, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(wording.clip(notice.title, 160), frame)]
    paragraphs = [paragraph for paragraph in notice.text.split("\n") if paragraph.strip()]
    body += [RichText(wording.clip(paragraph, PARAGRAPH_LIMIT)) for paragraph in paragraphs[:PARAGRAPHS_SHOWN]]
    if (rest := len(paragraphs) - PARAGRAPHS_SHOWN) > 0:
        body.append(RichText(plural("Y {n} más.", "Y {n} más.", rest)))
    if notice.suggestions:
        body.append(RichText(_("Podés escribir:")))
        body += [
            RichText(Run(wording.clip(command, 160), mono=True), spacing="small")
            for command in notice.suggestions[:SUGGESTIONS_SHOWN]
        ]
    return sheet(body, summary(notice))


def summary(notice: Notice) -> str:
    return wording.clip(f"{notice.title}. {notice.text}", 240)
