"""`apartados`: the entries of the source that could not be used, the oldest first, with who must mend each."""

from cards import wording
from cards.layout import bullets, heading, section, sheet
from cards.parts import Block, RichText
from lucy.domain.views import Frame
from lucy.domain.views_ingest import HeldLine, HeldView
from lucy.texts import _, number, plural


def aside_card(view: HeldView, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_("Apartados"), frame, about=_total(view))]
    if not view.reasons:
        body.append(RichText(_("No hay nada apartado: todo lo que mandó SIAL se pudo usar.")))
    for reason in view.reasons:
        title = f"{number(reason.count)} {reason.reason}"
        lines = [_line(one, frame) for one in view.lines if one.reason == reason.reason]
        rest = reason.count - len(lines)
        if rest:
            lines.append(plural("{n} más", "{n} más", rest))
        who = _("Lo corrige {who}.").format(who=reason.who) if reason.who else _("Se arregla solo.")
        body.append(section(wording.clip(title, 160), [RichText(who), *bullets(lines)]))
    return sheet(body, summary(view))


def summary(view: HeldView) -> str:
    return _("Apartados: {total}").format(total=_total(view))


def _total(view: HeldView) -> str:
    return plural("{n} entrada", "{n} entradas", sum(reason.count for reason in view.reasons))


def _line(line: HeldLine, frame: Frame) -> str:
    """DNI …456 · aspirantes · carrera 99 · hace 3 días."""
    who = line.document or _("sin número")
    pieces = (who, line.source_list.value, wording.clip(line.detail, 60), wording.age(line.since, frame))
    return wording.dotted(tuple(piece for piece in pieces if piece))
