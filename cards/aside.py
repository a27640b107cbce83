"""`apartados`: the entries of the source that could not be used, the oldest first, with who must mend each."""

from cards import wording
from cards.layout import bullets, heading, section, sheet
from cards.parts import Block, Container, RichText
from lucy.domain.source import Likeness
from lucy.domain.views import Frame
from lucy.domain.views_ingest import AlikeGroup, HeldLine, HeldView
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
    body += [_alike(group) for group in view.alike]
    return sheet(body, summary(view))


def _alike(group: AlikeGroup) -> Container:
    """Registro de Alumnos says which of them is right; Lucy merges nobody."""
    count = plural("{n} caso", "{n} casos", group.count)
    title = {
        Likeness.NUMBER: _("Un número con dos tipos de documento: {count}"),
        Likeness.NAME: _("Mismo nombre y fecha de nacimiento, otro documento: {count}"),
        Likeness.EMAIL: _("Comparten el correo: {count}"),
    }[group.likeness].format(count=count)
    lines = [wording.clip(" = ".join(people), 160) for people in group.groups]
    if rest := group.count - len(lines):
        lines.append(plural("{n} más", "{n} más", rest))
    who = _("Si son la misma persona, lo corrige Registro de Alumnos: Lucy no une a nadie.")
    return section(title, [RichText(who), *bullets(lines)])


def summary(view: HeldView) -> str:
    return _("Apartados: {total}").format(total=_total(view))


def _total(view: HeldView) -> str:
    return plural("{n} entrada", "{n} entradas", sum(reason.count for reason in view.reasons))


def _line(line: HeldLine, frame: Frame) -> str:
    """DNI …456 · aspirantes · carrera 99 · hace 3 días."""
    who = line.document or _("sin número")
    pieces = (who, line.source_list.value, wording.clip(line.detail, 60), wording.age(line.since, frame))
    return wording.dotted(tuple(piece for piece in pieces if piece))
