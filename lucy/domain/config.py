"""What staff may set from the channel: the keys, their defaults, and how each value is read.

Values are text, as people write them; a value that cannot be read is refused when it is set, so what is stored is good.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lucy.domain.ingest_guard import parse_share
from lucy.domain.list_windows import ListWindow, parse_window
from lucy.domain.safety import NAMES, Safety, parse_approvals, parse_phases, parse_threshold
from lucy.domain.students import SourceList
from lucy.errors import RequestError
from lucy.texts import _

APPROVALS, THRESHOLD = "aprobaciones.", "umbral."
LIST = "lista."
PHASES, LETTERS_A_DAY, INGEST_SHARE = "fases", "correo.por_dia", "ingesta.proporcion"
CONTACT_DAYS = "correo.dias_de_cambio"
UNUSED_DAYS = "credenciales.dias_sin_uso"

_THRESHOLDS = {
    "activar": "10000",  # a first day of term fits; seats, letters and a second person watch over it, too
    "matricular": "10000",
    "matricular.bajas": "50 10%",
    "desmatricular": "50 10%",
    "deshabilitar": "100 10%",
    "habilitar": "2000",
    "resetear": "100",
    "reenviar": "500",
    "bienvenida": "10000",
    "situacion": "10000",
    "licencia": "10000",
    "licencia.quitar": "100 10%",
    "cuenta.actualizar": "10000",
    "cuenta.restaurar": "200",
    "deshacer": "200 20%",
}
_TAKING = ("desmatricular", "licencia.quitar", "deshabilitar", "deshacer")
_APPROVALS = dict.fromkeys(NAMES.values(), "1") | dict.fromkeys(_TAKING, "50:1 2")


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: what it is for, its default, and what refuses a bad value (RequestError)."""

    name: str
    means: str
    default: str
    read: Callable[[str], object]


def letters_a_day(text: str) -> int:
    """Exchange Online takes 10,000 recipients a day (FEATURES, section 3); 0 is no quota. Raises RequestError."""
    if not re.fullmatch(r"[0-9]{1,7}", text.strip()):
        raise RequestError(
            _("«{text}» no es una cantidad de cartas por día. Escribí un número; 0 es sin tope.").format(text=text)
        )
    return int(text)


def contact_days(text: str) -> int:
    """Raises RequestError."""
    if not re.fullmatch(r"[0-9]{1,3}", text.strip()):
        raise RequestError(
            _("«{text}» no es una cantidad de días. Escribí un número, por ejemplo 30.").format(text=text)
        )
    return int(text)


def unused_days(text: str) -> int:
    """Raises RequestError."""
    days = contact_days(text)
    if not days:
        raise RequestError(_("Tiene que ser un día o más: Entra tarda hasta un día en decir quién entró."))
    return days


def _phases(text: str) -> object:
    return parse_phases(text, frozenset(_THRESHOLDS))


KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        *(
            Key(
                APPROVALS + name,
                "Cuántas personas tienen que aprobar, según cuántos alumnos son",
                text,
                parse_approvals,
            )
            for name, text in _APPROVALS.items()
        ),
        *(
            Key(THRESHOLD + name, "Cuántos alumnos a la vez, antes de retener y preguntar", text, parse_threshold)
            for name, text in _THRESHOLDS.items()
        ),
        *(
            Key(LIST + one.value, "Qué días se lee sola esa lista de SIAL", "siempre", parse_window)
            for one in SourceList
        ),
        Key(PHASES, "Fases del año con umbrales propios", "", _phases),
        Key(
            INGEST_SHARE,
            "Qué parte de los conocidos de una lista puede cambiar o faltar antes de preguntar",
            "20%",
            parse_share,
        ),
        Key(
            CONTACT_DAYS,
            "Días en que un correo nuevo en SIAL todavía pide otra persona para mandarle una contraseña",
            "30",
            contact_days,
        ),
        Key(
            UNUSED_DAYS,
            "Días desde su carta sin que nadie entre, para contar una contraseña como sin estrenar",
            "10",
            unused_days,
        ),
        Key(LETTERS_A_DAY, "Cartas por día que acepta el servidor de correo", "10000", letters_a_day),
    )
}


def key(name: str) -> Key:
    """Raises RequestError naming the keys there are."""
    found = KEYS.get(name.strip().lower())
    if found is None:
        said = _("No conozco «{name}». Lo que se puede cambiar: {names}.")
        raise RequestError(said.format(name=name, names=", ".join(KEYS)))
    return found


def safety_from(values: Mapping[str, str]) -> Safety:
    """What is in force; `values` are those that staff set, the rest is the default."""

    def value(name: str) -> str:
        return values.get(name, KEYS[name].default)

    return Safety(
        approvals={kind: parse_approvals(value(APPROVALS + name)) for kind, name in NAMES.items()},
        thresholds={name: parse_threshold(value(THRESHOLD + name)) for name in _THRESHOLDS},
        phases=parse_phases(value(PHASES), frozenset(_THRESHOLDS)),
    )


def letters_quota(values: Mapping[str, str]) -> int:
    return letters_a_day(values.get(LETTERS_A_DAY, KEYS[LETTERS_A_DAY].default))


def list_window(values: Mapping[str, str], source_list: SourceList) -> ListWindow:
    name = LIST + source_list.value
    return parse_window(values.get(name, KEYS[name].default))


def list_of(name: str) -> SourceList | None:
    """The list that a setting is about."""
    return SourceList(name.removeprefix(LIST)) if name.startswith(LIST) else None


def days_of_a_new_contact(values: Mapping[str, str]) -> int:
    return contact_days(values.get(CONTACT_DAYS, KEYS[CONTACT_DAYS].default))


def days_unused(values: Mapping[str, str]) -> int:
    return unused_days(values.get(UNUSED_DAYS, KEYS[UNUSED_DAYS].default))


def ingest_share(values: Mapping[str, str]) -> float:
    """Above 0, at most 1."""
    return parse_share(values.get(INGEST_SHARE, KEYS[INGEST_SHARE].default))
