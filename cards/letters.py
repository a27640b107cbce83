"""`plantillas`: the letters, a version of one with what changed and how it reads, and the form that edits it."""

from collections.abc import Sequence
from dataclasses import dataclass

from cards import wording
from cards.actions import Execute, OpenUrl, ShowCard
from cards.inputs import TextInput
from cards.layout import bullets, heading, labelled, section, sheet, small
from cards.parts import Action, Block, Picture, RichText, Run, Style
from cards.verbs import LetterPress, Verb
from lucy.domain.letter_check import LONGEST_HTML, LONGEST_SUBJECT
from lucy.domain.letters import TemplateState
from lucy.domain.views import Frame
from lucy.domain.views_letters import LetterLine, LetterView
from lucy.texts import _, number, plural

CHANGES_SHOWN, CHANGE_LIMIT = 30, 160
TEXT_LIMIT, FAULTS_SHOWN, BEFORE_SHOWN = 1800, 12, 6


def letters_card(lines: Sequence[LetterLine], frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_("Cartas"), frame)]
    body += bullets([_line(one, frame) for one in lines])
    body.append(small(_("Para ver una o cambiarla: plantillas {name}").format(name=lines[0].name if lines else "")))
    return sheet(body, letters_summary(lines))


def letters_summary(lines: Sequence[LetterLine]) -> str:
    return _("Cartas: {names}").format(names=wording.listed(one.name for one in lines))


def _line(one: LetterLine, frame: Frame) -> str:
    text = f"{one.name}: {one.means}. "
    if one.version and one.at is not None:
        text += _("Versión {n}, de {who}, {when}").format(
            n=one.version, who=wording.clip(one.by, 60), when=wording.when(one.at, frame)
        )
    else:
        text += _("Como vino con Lucy")
    return text + (_("; la versión {n} espera aprobación").format(n=one.waiting) if one.waiting else "")


def letter_card(view: LetterView, frame: Frame) -> dict[str, object]:
    style: Style = "warning" if view.failed else "emphasis"
    body: list[Block] = [heading(_title(view), frame, state=_state(view), about=_about(view, frame), style=style)]
    body += [labelled(_("Para qué"), view.means), labelled(_("Asunto"), view.subject)]
    if view.id:
        body += _trial(view, frame)
    if view.changes:
        shown = [RichText(Run(wording.clip(one, CHANGE_LIMIT), mono=True, size="small"), spacing="small")
                 for one in view.changes[:CHANGES_SHOWN]]  # fmt: skip
        rest = len(view.changes) - len(shown)
        more = [small(plural("{n} renglón más", "{n} renglones más", rest))] if rest else []
        body.append(section(_("Qué cambia (− sale, + entra)"), [*shown, *more]))
    body.append(_preview(view))
    if view.before:
        body.append(section(_("Otras versiones"), bullets(list(view.before[:BEFORE_SHOWN]))))
    return sheet(body, letter_summary(view), _buttons(view))


def letter_summary(view: LetterView) -> str:
    return wording.dotted((_title(view), _state(view)))


def letter_form(
    view: LetterView, frame: Frame, *, subject: str, html: str, faults: Sequence[str] = ()
) -> dict[str, object]:
    """What was typed stays, and what is wrong with it stands above."""
    title = form_summary(view)
    body: list[Block] = [heading(title, frame, about=view.means, style="warning" if faults else "emphasis")]
    if faults:
        told = bullets([wording.clip(one, 240) for one in faults[:FAULTS_SHOWN]])
        if rest := len(faults) - FAULTS_SHOWN:
            told += [small(plural("{n} problema más", "{n} problemas más", rest))] if rest > 0 else []
        body.append(section(_("No se guardó: hay que corregir esto"), told))
    names = ", ".join(f"{{{one}}}" for one in view.places)
    body += [
        small(_("Variables: {names}").format(names=names)),
        TextInput(
            "subject", _("Asunto"), value=subject, required=True, error=_("Escribí el asunto."),
            max_length=LONGEST_SUBJECT,
        ),
        TextInput(
            "html", _("Texto, en HTML; el marco y el texto plano los pone Lucy"), value=html[:LONGEST_HTML],
            required=True, error=_("Escribí la carta."), max_length=LONGEST_HTML, multiline=True,
        ),
    ]  # fmt: skip
    press = LetterPress(view.name, view.newest)
    propose = Execute(_("Proponer"), Verb.LETTER_PROPOSE, press.data(), style="positive")
    return sheet(body, title, [propose])


def form_summary(view: LetterView) -> str:
    return _("Cambiar la carta {name}").format(name=view.name)


@dataclass(frozen=True, slots=True)
class LetterPage:
    """A letter as a page; the address is good once."""

    name: str
    url: str
    valid_min: int


def page_card(page: LetterPage, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(page_summary(page), frame), RichText(_page_terms(page))]
    return sheet(body, page_summary(page), [OpenUrl(_("Abrir la carta"), page.url)])


def page_summary(page: LetterPage) -> str:
    return _("Carta {name} · Cómo se ve").format(name=page.name)


def _page_terms(page: LetterPage) -> str:
    text = _("Con un alumno de verdad, enmascarado. El enlace se abre una sola vez y dura {time}.")
    return text.format(time=plural("{n} minuto", "{n} minutos", page.valid_min))


def _preview(view: LetterView) -> Block:
    """A picture where somebody drew it, else the text."""
    title = _("Cómo se ve, con un alumno de verdad, enmascarado")
    text = wording.clip(view.text, TEXT_LIMIT)
    if view.picture:
        return section(title, [Picture(view.picture, " ".join(text.split()))])
    lines: list[Block] = [RichText(Run(one, size="small"), spacing="none") for one in text.split("\n") if one.strip()]
    return section(title, lines)


def _title(view: LetterView) -> str:
    version = _("versión {n}").format(n=view.version) if view.version else _("como vino con Lucy")
    return wording.dotted((_("Carta {name}").format(name=view.name), version))


def _state(view: LetterView) -> str:
    return {
        TemplateState.PROPOSED: _("Espera a otra persona"),
        TemplateState.LIVE: _("Es la que sale"),
        TemplateState.REJECTED: _("Rechazada"),
        TemplateState.REPLACED: _("Reemplazada por otra"),
    }[view.state]


def _about(view: LetterView, frame: Frame) -> str:
    if view.at is None:
        return ""
    text = _("Escrita por {who}, {when}").format(who=wording.clip(view.by, 80), when=wording.when(view.at, frame))
    if view.decided_at is not None:
        text += _("; decidió {who}, {when}").format(
            who=wording.clip(view.decided_by, 80), when=wording.when(view.decided_at, frame)
        )
    return text + (f": {wording.clip(view.reason, 200)}" if view.reason else "")


def _trial(view: LetterView, frame: Frame) -> list[Block]:
    if view.tried_at is None:
        return [RichText(_("Probándola con todos los alumnos a los que les puede llegar…"))]
    when = wording.when(view.tried_at, frame)
    tried = _("Probada con {students}, {when}").format(students=wording.students(view.students), when=when)
    if not view.failed:
        return [RichText(_("{tried}: sale bien con todos.").format(tried=tried))]
    said = _("{tried}: con {failed} no sale bien, y así no se puede aprobar.")
    text = said.format(tried=tried, failed=number(view.failed))
    return [RichText(text), *bullets(list(view.failures))]


def _buttons(view: LetterView) -> list[Action]:
    edit = Execute(_("Cambiar el texto"), Verb.LETTER_EDIT, LetterPress(view.name, view.newest, id=view.id).data())
    shown = LetterPress(view.name, view.newest, id=view.id).data()
    page = [Execute(_("Verla como página"), Verb.LETTER_PAGE, shown)] if view.linkable else []
    if view.state is not TemplateState.PROPOSED:
        return [edit, *page]
    press = LetterPress(view.name, view.version, id=view.id).data()
    approve = Execute(_("Aprobar"), Verb.LETTER_APPROVE, press, style="positive")
    reason = TextInput(
        "reason", _("Por qué la rechazás"), required=True, error=_("Escribí el motivo: lo lee quien la escribió."),
        max_length=500, multiline=True,
    )  # fmt: skip
    reject = ShowCard(_("Rechazar"), [reason], actions=[Execute(_("Rechazar"), Verb.LETTER_REJECT, press)])
    return [approve, reject, edit, *page]
