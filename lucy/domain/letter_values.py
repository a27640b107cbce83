"""What letters are filled with: a student's own values, examples of what only a batch knows, and both masked."""

from collections.abc import Mapping

from lucy.domain.letters import PLACE, LetterName, Template, courses_html, neutral, render
from lucy.domain.students import Stage, Student, format_document_number, mask_document_number, mask_email
from lucy.texts import _

LONGEST_SUBJECT = 200  # filled; beyond that clients cut it
LARGEST_HTML = 100_000  # bytes; Gmail cuts a message at 102 kB

_WITH_ACCOUNT = (Stage.ASPIRANTE, Stage.INGRESANTE)
SCOPE: dict[LetterName, tuple[Stage, ...]] = dict.fromkeys(LetterName, _WITH_ACCOUNT) | {
    LetterName.WELCOME: (Stage.PREINSCRIPTO, Stage.ASPIRANTE),
    LetterName.STATUS: tuple(Stage),
    LetterName.TEST: (),
}
EXAMPLES = {
    "password": "Ejemplo-2.de=Clave",
    "moodle_url": "https://aula.example.org",
    "cursos_html": courses_html({"INGRESO": "", "CONTABILIDAD I": ""}),
    "curso": "CONTABILIDAD I",
    "antes": Stage.ASPIRANTE.value,
    "ahora": Stage.INGRESANTE.value,
    "quien": "Ana",
    "cuando": "01/03/2027 09:00",
    "ambiente": "PRUEBA",
}


def values_of(student: Student, upn: str) -> dict[str, str]:
    """What every letter may name of a student. `upn` is empty where there is no account."""
    return {
        "nombre": student.first_name,
        "apellido": student.last_name,
        "dni": format_document_number(student.document_number),
        "email": student.personal_email,
        "upn": upn,
    }


def example_values(student: Student, upn: str) -> dict[str, str]:
    return {**EXAMPLES, **values_of(student, upn)}


def masked_values(student: Student, upn: str) -> dict[str, str]:
    """A real student whom the channel cannot recognise, and no password."""
    return {
        **EXAMPLES,
        "nombre": f"{student.first_name[:1]}●●●",
        "apellido": f"{student.last_name[:1]}●●●",
        "dni": mask_document_number(student.document_number),
        "email": mask_email(student.personal_email),
        "upn": mask_email(upn),
        "password": "●●●●●●●●",
    }


def holes(template: Template, values: Mapping[str, str]) -> str:
    """Why the letter does not come out right for somebody; empty where it does."""
    used = {found[1] for found in PLACE.finditer(template.subject + template.html)} & template.places
    empty = sorted(name for name in used if not neutral(values.get(name, "")))
    if empty:
        return _("no tiene {names}").format(names=", ".join(f"{{{name}}}" for name in empty))
    rendered = render(template, values)
    if len(rendered.subject) > LONGEST_SUBJECT:
        return _("el asunto queda demasiado largo")
    if len(rendered.html.encode()) > LARGEST_HTML:
        return _("la carta queda demasiado grande")
    return ""
