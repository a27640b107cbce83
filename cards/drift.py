"""`deriva`: accounts that are otherwise in Entra than Lucy knows them, what to do about each kind, since when."""

from cards import wording
from cards.layout import bullets, heading, section, sheet
from cards.parts import Block, RichText
from lucy.domain.drift import in_words, remedy
from lucy.domain.views import Frame
from lucy.domain.views_accounts import DriftGroup, DriftView
from lucy.texts import _, plural


def drift_card(view: DriftView, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_("Cuentas y Entra"), frame, about=_about(view, frame))]
    if view.checked_at is not None and not view.groups:
        body.append(RichText(_("Todo está en Entra como Lucy lo conoce.")))
    body += [
        section(_title(group), [RichText(remedy(group.drift)), *bullets(_lines(group, frame))]) for group in view.groups
    ]
    return sheet(body, summary(view))


def summary(view: DriftView) -> str:
    if not view.groups:
        return _("Cuentas y Entra: sin diferencias")
    return _("Cuentas y Entra: {what}").format(what=wording.listed(_title(group) for group in view.groups))


def _about(view: DriftView, frame: Frame) -> str:
    if view.checked_at is None:
        return _("Todavía no se revisó. Se revisa solo cada mañana; ahora: «deriva verificar».")
    checked = _("Revisado el {when}").format(when=wording.when(view.checked_at, frame))
    if view.whole_at is None:
        return checked
    return wording.dotted((checked, _("todas, el {when}").format(when=wording.when(view.whole_at, frame))))


def _title(group: DriftGroup) -> str:
    count = plural("{n} cuenta", "{n} cuentas", group.count)
    return f"{count}: {in_words(group.drift)}"


def _lines(group: DriftGroup, frame: Frame) -> list[str]:
    lines = [wording.dotted((one.document or _("sin alumno"), wording.age(one.since, frame))) for one in group.oldest]
    if rest := group.count - len(group.oldest):
        lines.append(plural("{n} más", "{n} más", rest))
    return lines
