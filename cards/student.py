"""Everything known of one student, for the one who asked."""

from collections.abc import Sequence

from cards import audit_words, wording
from cards.actions import Execute, ShowCard
from cards.layout import bullets, heading, labelled, section, sheet
from cards.parts import MAX_ACTIONS, Action, Block, Container, RichText, Table
from cards.verbs import StudentPress, Verb
from lucy.domain.operations import BatchKind
from lucy.domain.views import CourseState, Frame, Happening, StudentView
from lucy.texts import _, number, plural

HISTORY_SHOWN = 20
COURSES_SHOWN = 20


MOST_DEEDS = MAX_ACTIONS - 2  # beside why and history


def student_card(view: StudentView, frame: Frame, *, deeds: Sequence[BatchKind] = ()) -> dict[str, object]:
    """`deeds` are what this reader may ask for."""
    body: list[Block] = [heading(_title(view), frame, about=_careers(view))]
    body += [labelled(name, value, spacing="small") for name, value in _facts(view)]
    if view.courses:
        body.append(_courses(view.courses, frame))
    if view.open_cases:
        cases = [wording.clip(case, 300) for case in view.open_cases[:8]]
        title = _("Pendiente ({n})").format(n=number(len(view.open_cases)))
        body.append(section(title, bullets(cases)))
    return sheet(body, summary(view), _buttons(view, frame, deeds))


def _buttons(view: StudentView, frame: Frame, deeds: Sequence[BatchKind]) -> list[Action]:
    asked = [
        Execute(_deed(kind), Verb.STUDENT_REQUEST, StudentPress(view.id, kind.value).data())
        for kind in deeds[:MOST_DEEDS]
    ]
    why = [Execute(_("Por qué"), Verb.STUDENT_WHY, StudentPress(view.id).data())] if view.id else []
    history = [ShowCard(_("Historial"), _history(view, frame))] if view.history else []
    return [*why, *asked, *history]


def _deed(kind: BatchKind) -> str:
    match kind:
        case BatchKind.ACTIVATE:
            return _("Activar")
        case BatchKind.ENROL:
            return _("Matricular")
        case BatchKind.RESET:
            return _("Resetear contraseña")
        case BatchKind.RESEND:
            return _("Reenviar credenciales")
        case BatchKind.ENABLE:
            return _("Habilitar")
        case BatchKind.DISABLE:
            return _("Deshabilitar")
    raise ValueError(kind)


def summary(view: StudentView) -> str:
    return f"{_title(view)}. {_account(view)}."


def _title(view: StudentView) -> str:
    stage = f"{wording.stage(view.stage)} {view.cohort}" if view.cohort else wording.stage(view.stage)
    return wording.dotted((wording.clip(view.name, 120), f"{view.document_type} {view.document}", stage))


def _careers(view: StudentView) -> str:
    return "; ".join(wording.clip(career, 160) for career in view.careers[:4]) or _("Sin carrera en SIAL")


def _account(view: StudentView) -> str:
    if view.account_enabled is None:
        return _("Sin cuenta")
    state = _("activa") if view.account_enabled else _("deshabilitada")
    licence = _("con licencia") if view.licensed else _("sin licencia")
    return _("Cuenta {upn}, {state}, {licence}").format(upn=view.upn, state=state, licence=licence)


def _facts(view: StudentView) -> list[tuple[str, str]]:
    if view.account_enabled is None:
        account = _("no tiene")
    else:
        state = _("activa") if view.account_enabled else _("deshabilitada")
        account = wording.listed((view.upn, state, _("con licencia") if view.licensed else _("sin licencia")))
    return [
        (_("Cuenta"), account),
        (_("Carta"), wording.clip(view.letter, 200) or _("no se envió ninguna")),
        (_("Correo personal"), view.personal_email or _("no tiene en SIAL")),
        (_("Moodle"), view.moodle_username or _("sin usuario")),
    ]


def _courses(courses: tuple[CourseState, ...], frame: Frame) -> Container:
    lines = []
    for course in courses[:COURSES_SHOWN]:
        state = wording.clip(course.state, 160)
        if course.since is not None:
            state = _("{state} desde {when}").format(state=state, when=wording.when(course.since, frame))
        lines.append(f"{course.shortname}: {state}")
    if len(courses) > COURSES_SHOWN:
        lines.append(plural("{n} curso más", "{n} cursos más", len(courses) - COURSES_SHOWN))
    title = _("Cursos ({n})").format(n=number(len(courses)))
    return section(title, bullets(lines))


def _history(view: StudentView, frame: Frame) -> list[Block]:
    """The latest last, as told."""
    latest = view.history[-HISTORY_SHOWN:]
    blocks: list[Block] = []
    if rest := len(view.history) - len(latest):
        blocks.append(RichText(plural("{n} hecho anterior", "{n} hechos anteriores", rest)))
    rows: list[list[str]] = [[_("Cuándo"), _("Quién hizo qué")]]
    rows += [[wording.when(one.at, frame), _happening(one)] for one in latest]
    return [*blocks, Table([1, 3], rows)]


def _happening(one: Happening) -> str:
    what = f"{audit_words.action(one.action)}: {audit_words.outcome(one.outcome)}"
    return wording.clip(f"{one.actor}: {what}" + (f" ({one.about})" if one.about else ""), 240)
