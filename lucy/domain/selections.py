"""The language of selections: which students a command is about.

Words are joined by AND: `aspirantes cohorte:2026 carrera:CP modalidad:dist sin:cuenta`. Document numbers may be pasted
with any separators; then only those students are meant.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from lucy.domain.students import Modality, Stage, parse_document_number
from lucy.errors import RequestError
from lucy.texts import _

T = TypeVar("T")


class LetterFate(StrEnum):
    """Of the last letter with a password: `carta:sin-estrenar`.

    `corregida`: it came back, and SIAL has another address by now. `fallida`: the server did not take it.
    """

    ACCEPTED = "aceptada"
    UNUSED = "sin-estrenar"
    USED = "estrenada"
    BOUNCED = "rebotada"
    MENDED = "corregida"
    FAILED = "fallida"


class Thing(StrEnum):
    """What a student may have or lack: `con:cuenta`, `sin:moodle`."""

    ACCOUNT = "cuenta"
    LICENCE = "licencia"
    MOODLE = "moodle"
    ENROLMENT = "matricula"
    LETTER = "carta"
    EMAIL = "correo"


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter over students. Empty sets mean any; `since` is the first day on which they were seen or changed.

    `absent`: only those whom no list has any more, as two whole readings of each, hours apart, agree.
    """

    documents: tuple[str, ...] = ()
    stages: frozenset[Stage] = frozenset()
    cohorts: frozenset[int] = frozenset()
    careers: frozenset[str] = frozenset()
    modalities: frozenset[Modality] = frozenset()
    commissions: frozenset[str] = frozenset()
    localities: frozenset[str] = frozenset()
    having: frozenset[Thing] = frozenset()
    lacking: frozenset[Thing] = frozenset()
    new_since: date | None = None
    changed_since: date | None = None
    absent: bool = False
    letters: frozenset[LetterFate] = frozenset()

    def __str__(self) -> str:
        """The selection in its own language; parsing it again gives the same."""
        words = [f"{stage.value}s" for stage in Stage if stage in self.stages]
        words += ["ausentes"] if self.absent else []
        words += [f"cohorte:{year}" for year in sorted(self.cohorts)]
        words += [f"carrera:{_written(code)}" for code in sorted(self.careers)]
        words += [f"modalidad:{one.value.lower()}" for one in Modality if one in self.modalities]
        words += [f"comision:{_written(name)}" for name in sorted(self.commissions)]
        words += [f'localidad:"{name}"' for name in sorted(self.localities)]
        words += [f"con:{thing.value}" for thing in Thing if thing in self.having]
        words += [f"sin:{thing.value}" for thing in Thing if thing in self.lacking]
        words += [f"carta:{fate.value}" for fate in LetterFate if fate in self.letters]
        words += [f"nuevos:{self.new_since.isoformat()}"] if self.new_since else []
        words += [f"desde:{self.changed_since.isoformat()}"] if self.changed_since else []
        words += list(self.documents)
        return " ".join(words) or "todos"


def _written(value: str) -> str:
    """A value as it can be read again: in quotes where it holds more than a plain word."""
    return value if re.fullmatch(r"[\w./-]+", value) else f'"{value}"'


def fold(text: str) -> str:
    """Lower case without accents, for comparing what people type."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


_STAGES = {f"{stage.value}{plural}": stage for stage in Stage for plural in ("", "s")}
_THINGS = {
    **{thing.value: thing for thing in Thing},
    **{f"{thing.value}s": thing for thing in Thing},
    "teams": Thing.ACCOUNT, "account": Thing.ACCOUNT, "licence": Thing.LICENCE, "license": Thing.LICENCE,
    "matriculacion": Thing.ENROLMENT, "matriculaciones": Thing.ENROLMENT, "cursos": Thing.ENROLMENT,
    "enrolment": Thing.ENROLMENT, "letter": Thing.LETTER, "mail": Thing.EMAIL, "email": Thing.EMAIL,
}  # fmt: skip
_MODALITIES = {
    "pres": Modality.PRES, "presencial": Modality.PRES, "1": Modality.PRES,
    "dist": Modality.DIST, "distancia": Modality.DIST, "a distancia": Modality.DIST, "2": Modality.DIST,
}  # fmt: skip
_FATES = {
    **{fate.value: fate for fate in LetterFate},
    "sin-uso": LetterFate.UNUSED, "sin-usar": LetterFate.UNUSED, "unused": LetterFate.UNUSED,
    "usada": LetterFate.USED, "used": LetterFate.USED, "rebote": LetterFate.BOUNCED,
    "bounced": LetterFate.BOUNCED, "accepted": LetterFate.ACCEPTED, "mended": LetterFate.MENDED,
    "failed": LetterFate.FAILED,
}  # fmt: skip
FILTERS = (
    "preinscriptos, aspirantes, ingresantes, alumnos, todos, nuevos, ausentes, cohorte:2026, carrera:CP, "
    "modalidad:pres|dist, comision:01, localidad:…, con:/sin:cuenta|licencia|moodle|matricula|carta|correo, "
    "carta:aceptada|sin-estrenar|estrenada|rebotada|corregida|fallida, desde:ayer|2026-11-20"
)


def parse_selection(text: str, *, today: date) -> Selection:
    """Read a selection. Raises RequestError naming the word that was not understood and the valid filters.

    An empty text is refused: nobody means everybody by saying nothing (`todos` says so).
    """
    words = _words(text)
    if not words:
        raise RequestError(_("¿De quiénes? Decime una selección, por ejemplo: aspirantes sin:cuenta."))
    selection = Selection()
    for word in words:
        selection = _add(selection, word, today)
    return replace(selection, documents=tuple(dict.fromkeys(selection.documents)))


_DOCUMENT = re.compile(r"(?<![\w.:/-])(\d{1,3})[. ](\d{3})[. ](\d{3})(?![\d:/-]|\.\d)")
_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](\d{2}|\d{4})")
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')


def _words(text: str) -> list[str]:
    """The words of a selection; what stands in quotes is kept as it is written, but for signs that cannot be seen."""
    visible = "".join(sign if sign.isprintable() else " " for sign in text)  # pasted blanks of every kind, too
    parts = visible.replace("“", '"').replace("”", '"').split('"')  # every second one stands in quotes
    if len(parts) % 2 == 0:
        raise RequestError(_('Hay unas comillas sin cerrar. Escribí, por ejemplo: localidad:"Río Cuarto".'))
    parts[::2] = [_DOCUMENT.sub(r"\1\2\3", re.sub(r" *: *", ":", re.sub("[,;]+", " ", part))) for part in parts[::2]]
    return [word.replace('"', "") for word in _WORD.findall('"'.join(parts))]


def _add(selection: Selection, word: str, today: date) -> Selection:
    name, colon, written = word.partition(":")
    key, value = fold(name), " ".join(written.split())
    if not colon:
        return _add_bare(selection, word, key, today)
    adder = _FILTERS.get(key)
    if adder is None:
        raise RequestError(
            _("No conozco el filtro «{name}». Los que hay: {filters}.").format(name=name, filters=FILTERS)
        )
    if not value:
        raise RequestError(_("Al filtro «{name}:» le falta el valor.").format(name=name))
    return adder(selection, value, today)


def _add_bare(selection: Selection, word: str, key: str, today: date) -> Selection:
    if key in _STAGES:
        return replace(selection, stages=selection.stages | {_STAGES[key]})
    if key in {"todos", "todas", "all"}:
        return selection
    if key in {"nuevos", "nuevas", "new"}:
        return replace(selection, new_since=today - timedelta(days=1))
    if key in {"ausentes", "ausente", "absent"}:
        return replace(selection, absent=True)
    if any(c.isdigit() for c in word):
        return replace(selection, documents=(*selection.documents, *_documents(word)))
    raise RequestError(_("No entiendo «{word}». Los filtros que hay: {filters}.").format(word=word, filters=FILTERS))


def _documents(word: str) -> list[str]:
    """The document number of a word, or the several of one pasted without blanks (40123456/41222333)."""
    if _DAY.fullmatch(word):
        raise RequestError(_("«{word}» parece una fecha. Escribí, por ejemplo, desde:20/11/2026.").format(word=word))
    whole = parse_document_number(word)
    numbers = [whole] if whole else [parse_document_number(part) for part in re.split(r"[^\w.]+", word) if part]
    if None in numbers or not numbers:
        text = _("«{word}» no es un número de documento: van de 6 a 10 cifras, con o sin puntos.")
        raise RequestError(text.format(word=word))
    return [number for number in numbers if number]


def _one_of(table: Mapping[str, T], value: str, filter_name: str, valid: str) -> T:
    try:
        return table[fold(value)]
    except KeyError:
        text = _("«{value}» no vale para {name}. Puede ser: {valid}.")
        raise RequestError(text.format(value=value, name=filter_name, valid=valid)) from None


def _cohort(selection: Selection, value: str, today: date) -> Selection:
    if not re.fullmatch(r"(19|20)\d\d", value):
        raise RequestError(_("«{value}» no es un año de cohorte, por ejemplo cohorte:2026.").format(value=value))
    return replace(selection, cohorts=selection.cohorts | {int(value)})


def _career(selection: Selection, value: str, today: date) -> Selection:
    return replace(selection, careers=selection.careers | {value.upper()})


def _modality(selection: Selection, value: str, today: date) -> Selection:
    return replace(
        selection, modalities=selection.modalities | {_one_of(_MODALITIES, value, "modalidad", "pres, dist")}
    )


def _commission(selection: Selection, value: str, today: date) -> Selection:
    name = value.upper().zfill(2) if value.isdigit() else value.upper()
    return replace(selection, commissions=selection.commissions | {name})


def _locality(selection: Selection, value: str, today: date) -> Selection:
    return replace(selection, localities=selection.localities | {value})


def _having(selection: Selection, value: str, today: date) -> Selection:
    return replace(selection, having=selection.having | {_one_of(_THINGS, value, "con", ", ".join(Thing))})


def _lacking(selection: Selection, value: str, today: date) -> Selection:
    return replace(selection, lacking=selection.lacking | {_one_of(_THINGS, value, "sin", ", ".join(Thing))})


def _letter(selection: Selection, value: str, today: date) -> Selection:
    return replace(
        selection,
        letters=selection.letters | {_one_of(_FATES, value.replace(" ", "-"), "carta", ", ".join(LetterFate))},
    )


def _new_since(selection: Selection, value: str, today: date) -> Selection:
    return replace(selection, new_since=parse_day(value, today=today))


def _changed_since(selection: Selection, value: str, today: date) -> Selection:
    return replace(selection, changed_since=parse_day(value, today=today))


def parse_day(text: str, *, today: date) -> date:
    """hoy, ayer, 2026-11-20, 20/11/2026, 20/11. Raises RequestError."""
    relative = {"hoy": 0, "today": 0, "ayer": 1, "yesterday": 1, "anteayer": 2}
    if fold(text) in relative:
        return today - timedelta(days=relative[fold(text)])
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    local = re.fullmatch(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}))?", text)
    with suppress(ValueError):  # a 31/02 is answered like any other text that is no date
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if local:
            return date(int(local[3] or today.year), int(local[2]), int(local[1]))
    raise RequestError(_("«{text}» no es una fecha. Escribí hoy, ayer o 20/11/2026.").format(text=text))


_FILTERS: dict[str, Callable[[Selection, str, date], Selection]] = {
    "cohorte": _cohort, "cohort": _cohort,
    "carrera": _career, "career": _career,
    "modalidad": _modality, "modality": _modality,
    "comision": _commission, "commission": _commission,
    "localidad": _locality, "locality": _locality,
    "con": _having, "with": _having,
    "sin": _lacking, "without": _lacking,
    "carta": _letter, "letter": _letter,
    "nuevos": _new_since, "nuevas": _new_since,
    "desde": _changed_since, "since": _changed_since,
}  # fmt: skip
