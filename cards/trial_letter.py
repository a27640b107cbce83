"""`correo de prueba`: whether the server took the letter, and if not, what is wrong and who mends it."""

from cards import wording
from cards.layout import heading, labelled, sheet, small
from cards.parts import Block, RichText, Style
from lucy.domain.error_codes import explain
from lucy.domain.views import Frame
from lucy.domain.views_letters import TrialLetterView
from lucy.texts import _


def trial_letter_card(view: TrialLetterView, frame: Frame) -> dict[str, object]:
    about = _("Pedida por {name}").format(name=wording.clip(view.asked_by, 90))
    style: Style = "attention" if view.code else "good" if view.finished else "emphasis"
    body: list[Block] = [heading(_("Correo de prueba"), frame, state=_state(view), about=about, style=style)]
    body.append(labelled(_("Para"), view.address))
    if view.code:
        body.append(RichText(f"{view.code}. {explain(view.code)}"))
    elif view.finished:
        body.append(
            RichText(_("Que lo haya aceptado no dice que llegó: mirá la casilla, también el correo no deseado."))
        )
    if view.reply:
        body.append(small(wording.clip(view.reply, 200), mono=True))
    return sheet(body, summary(view))


def summary(view: TrialLetterView) -> str:
    return _("Correo de prueba a {address}: {state}").format(address=view.address, state=_state(view).lower())


def _state(view: TrialLetterView) -> str:
    if not view.finished:
        return _("En camino")
    return _("No salió") if view.code else _("Aceptada por el servidor")
