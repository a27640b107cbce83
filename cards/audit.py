"""The latest audit events, and whether the chain over all of them holds."""

from collections.abc import Sequence

from cards import audit_words, wording
from cards.layout import fingerprint, heading, labelled, sheet, small
from cards.parts import Block, Cell, RichText, Run, Style, Table
from lucy.domain.views import AuditLine, AuditView, Frame
from lucy.texts import _, number, plural

LINES_SHOWN = 20


def audit_card(view: AuditView, frame: Frame) -> dict[str, object]:
    style: Style = "attention" if view.intact is False else "emphasis"
    body: list[Block] = [heading(_("Auditoría"), frame, state=_chain(view), style=style)]
    if view.filter:
        body.append(labelled(_("Filtro"), wording.clip(view.filter, 160), mono=True))
    if view.lines:
        rows: list[Sequence[Cell]] = [[_("Cuándo"), _("Quién hizo qué"), _("Resultado")]]
        rows += [_row(line, frame) for line in view.lines[:LINES_SHOWN]]
        body.append(Table([3, 5, 5], rows))
    else:
        body.append(RichText(_("Ningún evento cumple eso.")))
    shown = number(len(view.lines[:LINES_SHOWN]))
    body.append(
        small(
            _("{shown} de {total} eventos, {sealed} sellados").format(
                shown=shown, total=number(view.total), sealed=number(view.sealed)
            )
        )
    )
    if view.head:
        body.append(small(_("Cabeza de la cadena: {head}").format(head=fingerprint(view.head)), mono=True))
    return sheet(body, summary(view))


def summary(view: AuditView) -> str:
    return _("Auditoría: {events}. {chain}").format(
        events=plural("{n} evento", "{n} eventos", view.total), chain=_chain(view)
    )


def _chain(view: AuditView) -> str:
    if view.intact is None:
        return _("Todavía no hay nada sellado")
    if view.intact:
        return _("La cadena está entera")
    return _("La cadena está rota: un administrador tiene que ver qué se cambió")


def _row(line: AuditLine, frame: Frame) -> list[Cell]:
    who = [
        RichText(Run(line.actor, bold=True)),
        RichText(wording.clip(audit_words.action(line.action), 80), spacing="none"),
    ]
    outcome: list[Block] = [
        RichText(wording.dotted((line.subject, wording.clip(audit_words.outcome(line.outcome), 160))))
    ]
    if line.detail:
        outcome.append(RichText(Run(wording.clip(line.detail, 120), size="small"), spacing="none"))
    return [wording.when(line.at, frame), who, outcome]
