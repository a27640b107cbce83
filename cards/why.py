"""`por que`: what led to each thing that a student has or lacks."""

from cards import wording
from cards.layout import bullets, heading, section, sheet, small
from cards.parts import Block
from lucy.domain.views import Frame
from lucy.domain.views_why import Because, WhyView
from lucy.texts import _, plural

THINGS_SHOWN, FACTS_SHOWN = 20, 8


def why_card(view: WhyView, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_title(view), frame, about=_about(view))]
    body.append(section(_("Qué dice SIAL"), _facts(view.source)))
    body += [section(_named(one), _facts(one.facts)) for one in view.things[:THINGS_SHOWN]]
    if rest := view.others + max(0, len(view.things) - THINGS_SHOWN):
        body.append(small(plural("{n} curso más que no le toca", "{n} cursos más que no le tocan", rest)))
    return sheet(body, summary(view))


def summary(view: WhyView) -> str:
    return f"{_title(view)}. {_about(view)}"


def _title(view: WhyView) -> str:
    return wording.dotted((_("Por qué"), wording.clip(view.name, 120), view.document))


def _about(view: WhyView) -> str:
    """Cuenta: sí, Licencia: no…"""
    named = [_named(one) for one in view.things]
    text = ", ".join(named[:8])
    return wording.clip(text + (", …" if len(named) > 8 else ""), 400)


def _named(one: Because) -> str:
    return f"{wording.clip(one.thing, 80)}: {_('sí') if one.holds else _('no')}"


def _facts(facts: tuple[str, ...]) -> list[Block]:
    return bullets([wording.clip(one, 320) for one in facts[:FACTS_SHOWN]])
