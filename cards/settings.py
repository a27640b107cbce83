"""`config`: everything that staff may set, in groups, with what is in force and where it comes from."""

from collections.abc import Mapping, Sequence

from cards import wording
from cards.layout import bullets, heading, section, sheet
from cards.parts import Block, RichText, Run
from lucy.domain.views import Frame
from lucy.texts import _

LINE_LIMIT = 130


def settings_card(groups: Mapping[str, Sequence[str]], examples: Sequence[str], frame: Frame) -> dict[str, object]:
    """`groups`: the lines of each part under its title; `examples` are commands that may be typed."""
    body: list[Block] = [heading(_("Configuración"), frame)]
    for title, lines in groups.items():
        body.append(section(title, bullets([wording.clip(line, LINE_LIMIT) for line in lines])))
    typed: list[Block] = [RichText(Run(one, mono=True), spacing="small") for one in examples]
    body.append(section(_("Podés escribir:"), typed))
    return sheet(body, summary(groups))


def summary(groups: Mapping[str, Sequence[str]]) -> str:
    return _("Configuración: {what}").format(what=wording.listed(groups))
