"""What Lucy says where she was just added: who may do what, and the first steps of an administrator."""

from cards import wording
from cards.actions import Execute
from cards.layout import bullets, heading, section, sheet
from cards.parts import Action, Block, RichText
from cards.verbs import Verb
from lucy.domain.views import Frame, WelcomeView
from lucy.texts import _, plural

NAMES_SHOWN = 5


def welcome_card(view: WelcomeView, frame: Frame) -> dict[str, object]:
    about = _("Me sumaron a {channel}").format(channel=wording.clip(view.channel, 80))
    does = _(
        "Recibo estudiantes de SIAL, les creo la cuenta, les mando las credenciales y los matriculo en Moodle. Lo que "
        "toca a muchas personas espera que lo apruebe otra."
    )
    body: list[Block] = [
        heading(_("Hola, soy Lucy"), frame, about=about),
        RichText(does),
        section(_("Primeros pasos de quien administra"), bullets(_steps(view))),
    ]
    status = Execute(_("Ver cómo está todo"), Verb.STATUS_SHOW, {})
    actions: list[Action] = [status, Execute(_("Ayuda"), Verb.HELP_SHOW, {})]
    return sheet(body, summary(view), actions)


def summary(view: WelcomeView) -> str:
    return _("Hola, soy Lucy. Me sumaron a {channel}.").format(channel=wording.clip(view.channel, 80))


def _steps(view: WelcomeView) -> list[str]:
    return [
        _("1. Control: «estado» dice si todo contesta; en el servidor, lucy check prueba cada sistema"),
        _("2. Canal: acá publico el informe de cada noche y lo que espera una decisión ({channels})").format(
            channels=plural("{n} canal hasta ahora", "{n} canales hasta ahora", view.channels)
        ),
        _("3. Quién aprueba: {names}. Para sumar a alguien: permisos dar aprobador").format(
            names=_named(view.approvers)
        ),
        _("4. Quién pide: {names}. Para sumar a alguien: permisos dar operador").format(names=_named(view.operators)),
        _("5. Cursos: {rules}. Se cargan con lucy rules import; «reglas» las muestra").format(
            rules=plural("{n} regla", "{n} reglas", view.rules)
        ),
    ]


def _named(names: tuple[str, ...]) -> str:
    shown = [wording.clip(one, 60) for one in names[:NAMES_SHOWN]]
    if rest := len(names) - len(shown):
        shown.append(plural("{n} más", "{n} más", rest))
    return wording.listed(shown) if shown else _("nadie todavía")
