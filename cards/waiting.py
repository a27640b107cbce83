"""The daily nudge: a batch that nobody has decided, for those who may."""

from cards import wording
from cards.actions import Execute
from cards.layout import heading, labelled, sheet
from cards.parts import Block, Mention, RichText, TextBlock
from cards.verbs import BatchPress, Verb
from lucy.domain.views import Frame, WaitingView
from lucy.texts import _

MENTIONS_SHOWN = 8


def waiting_card(view: WaitingView, frame: Frame) -> dict[str, object]:
    name = wording.dotted((view.code, view.title, wording.students(view.students)))
    asked = _("Pedida por {name}, {when}").format(name=view.requested_by, when=wording.when(view.since, frame))
    if view.outcome:
        return sheet([heading(name, frame, about=asked), RichText(view.outcome)], summary(view, frame), [_see(view)])
    body: list[Block] = [heading(name, frame, state=_state(view, frame), about=asked, style="warning")]
    people = [(Mention(name, id_) if id_ else None, name) for name, id_ in view.mentions[:MENTIONS_SHOWN]]
    if people:
        names = wording.listed(mention.text if mention else name for mention, name in people)
        body.append(TextBlock(_("Para decidir: {names}").format(names=names)))
    if view.expires_at is not None:
        text = _("{when}; después hay que pedirla de nuevo").format(when=wording.when(view.expires_at, frame))
        body.append(labelled(_("Vence"), text))
    return sheet(body, summary(view, frame), [_see(view)], mentions=[mention for mention, _name in people if mention])


def _see(view: WaitingView) -> Execute:
    press = BatchPress(batch=view.number, version=view.version)
    return Execute(_("Ver {code}").format(code=view.code), Verb.BATCH_VIEW, press.data())


def summary(view: WaitingView, frame: Frame) -> str:
    """L-0121 espera aprobación hace 2 días: Activación completa, 12 alumnos, pedida por Ana."""
    if view.outcome:
        return view.outcome
    state = _state(view, frame)
    asked = _("pedida por {name}").format(name=view.requested_by)
    what = wording.listed((view.title, wording.students(view.students), asked))
    return f"{view.code} {state[:1].lower()}{state[1:]}: {wording.clip(what, 300)}."


def _state(view: WaitingView, frame: Frame) -> str:
    text = _("Está retenida {age}") if view.held else _("Espera aprobación {age}")
    return text.format(age=wording.age(view.since, frame))
