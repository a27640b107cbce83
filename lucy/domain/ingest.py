"""The rules of ingest: what a source entry means, and when it cannot be used (contracts/sial.md)."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from lucy.domain.selections import fold
from lucy.domain.source import SourceCareer, SourceCommission, SourceEntry, SourcePerson
from lucy.domain.students import Career, Modality, parse_document_number
from lucy.texts import _

INCONSISTENT_COMMISSION = 9999999
MODALITIES = {"1": Modality.PRES, "2": Modality.DIST}
_LOCAL = r"[^@\s<>,;:\"()\[\]\\.\x00-\x1f\x7f]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_EMAIL = re.compile(rf"{_LOCAL}(?:\.{_LOCAL})*@(?:{_LABEL}\.)+(?!\d+$){_LABEL}(?<=\w\w)")
_PARTICLES = {"de", "del", "la", "las", "los", "y", "e", "da", "do", "dos", "di", "van", "von"}


class HeldReason(StrEnum):
    """Why an entry (or a part of it) cannot be used."""

    NO_DOCUMENT = "no_document"
    NO_NAME = "no_name"
    BAD_EMAIL = "bad_email"
    UNKNOWN_CAREER = "unknown_career"
    NO_PERSONAL_RECORD = "no_personal_record"
    PERSONAL_FAILED = "personal_failed"
    INCONSISTENT_COMMISSION = "inconsistent_commission"


def explain(reason: HeldReason) -> tuple[str, str]:
    """A reason as staff read it, and who must mend it (empty: nobody, it heals by itself)."""
    registry, admin = _("Registro de Alumnos"), _("un administrador: reglas")
    return {
        HeldReason.NO_DOCUMENT: (_("sin número de documento"), registry),
        HeldReason.NO_NAME: (_("sin nombre o apellido"), registry),
        HeldReason.BAD_EMAIL: (_("sin correo válido"), registry),
        HeldReason.UNKNOWN_CAREER: (_("con una carrera desconocida"), admin),
        HeldReason.NO_PERSONAL_RECORD: (_("sin datos personales en SIAL"), registry),
        HeldReason.PERSONAL_FAILED: (
            _("sin respuesta de SIAL para sus datos: se vuelve a leer en la próxima ingesta"),
            "",
        ),
        HeldReason.INCONSISTENT_COMMISSION: (_("con la comisión 9999999, que no se usa para matricular"), registry),
    }[reason]


@dataclass(frozen=True, slots=True)
class StudentFacts:
    """A usable entry: what is stored of a student."""

    first_name: str
    last_name: str
    personal_email: str
    phone: str
    locality: str
    born_on: str  # ISO date or empty
    careers: tuple[Career, ...]
    cohort: int | None


@dataclass(frozen=True, slots=True)
class Held:
    reason: HeldReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class KnownCareer:
    id: int
    code: str
    name: str


def person_key(entry: SourceEntry) -> tuple[str, str] | None:
    """Document type and number; None when the entry has no usable number. A missing type means DNI."""
    return key_of(entry.document_type, entry.document_number)


def key_of(document_type: str, document_number: str) -> tuple[str, str] | None:
    """The same from the two as the source wrote them."""
    number = parse_document_number(document_number)
    return (tidy(document_type).upper() or "DNI", number) if number else None


def entry_print(element: object) -> str:
    """Of an entry as the source wrote it, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(element, sort_keys=True).encode()).hexdigest()[:32]


def join_prints(prints: Iterable[str]) -> str:
    """One print of several entries, in whatever order; of one entry it is that one's own."""
    in_order = sorted(prints)
    return in_order[0] if len(in_order) == 1 else hashlib.sha256("\n".join(in_order).encode()).hexdigest()[:32]


def interpret(
    entries: Iterable[SourceEntry], person: SourcePerson | None, careers: Mapping[int, KnownCareer]
) -> tuple[StudentFacts | None, list[Held]]:
    """What the entries of one person on one list mean, together with the personal record.

    Returns the facts, or None where the entry cannot be used, and what was put aside. Several entries of one person
    (the source repeats some) count as one with all their careers.
    """
    held: list[Held] = []
    if person is None:
        return None, [Held(HeldReason.NO_PERSONAL_RECORD)]
    first, last = tidy_name(person.first_name), tidy_name(person.last_name)
    if not all(any(sign.isalpha() for sign in name) for name in (first, last)):
        return None, [Held(HeldReason.NO_NAME)]
    email = tidy(person.email)
    if not is_email(email):
        return None, [Held(HeldReason.BAD_EMAIL)]

    sources = [career for entry in entries for career in entry.careers]
    known, unknown = _careers(sources, careers)
    if unknown and not known:
        return None, [Held(HeldReason.UNKNOWN_CAREER, ", ".join(unknown))]
    if unknown:
        held.append(Held(HeldReason.UNKNOWN_CAREER, ", ".join(unknown)))
    if any(one.commission_id == INCONSISTENT_COMMISSION for career in sources for one in career.commissions):
        held.append(Held(HeldReason.INCONSISTENT_COMMISSION))
    cohorts = [career.cohort for career in known if career.cohort]
    facts = StudentFacts(
        first_name=first,
        last_name=last,
        personal_email=email,
        phone=tidy(person.phone),
        locality=tidy(person.locality),
        born_on=person.born_on.isoformat() if person.born_on else "",
        careers=known,
        cohort=max(cohorts, default=None),
    )
    return facts, held


def _careers(
    sources: Iterable[SourceCareer], careers: Mapping[int, KnownCareer]
) -> tuple[tuple[Career, ...], list[str]]:
    known: dict[tuple[int, Modality | None], Career] = {}
    unknown: list[str] = []
    for source in sources:
        definition = careers.get(source.career_id) if source.career_id is not None else _by_name(source.name, careers)
        if definition is None:
            unknown.append(str(source.career_id or source.name or "?"))
            continue
        career = Career(
            career_id=definition.id,
            code=definition.code,
            name=definition.name,
            modality=MODALITIES.get(source.modality.strip()),
            cohort=source.cohort or (source.enrolled_on.year if source.enrolled_on else None),
            commissions=tuple(sorted({commission_name(one.name) for one in _usable(source)} - {""})),
            enrolled_on=source.enrolled_on.date().isoformat() if source.enrolled_on else "",
        )
        key = (career.career_id, career.modality)
        known[key] = _joined(known[key], career) if key in known else career
    return tuple(known[key] for key in sorted(known, key=str)), list(dict.fromkeys(unknown))


def _joined(one: Career, other: Career) -> Career:
    """A career that the source lists twice: all its commissions, the latest cohort and enrolment."""
    return replace(
        one,
        cohort=max((year for year in (one.cohort, other.cohort) if year), default=None),
        commissions=tuple(sorted({*one.commissions, *other.commissions})),
        enrolled_on=max(one.enrolled_on, other.enrolled_on),
    )


def _by_name(name: str, careers: Mapping[int, KnownCareer]) -> KnownCareer | None:
    """Dialect v1 names careers only by their name."""
    wanted = fold(tidy(name))
    return next((career for career in careers.values() if fold(career.name) == wanted), None)


def _usable(source: SourceCareer) -> list[SourceCommission]:
    return [one for one in source.commissions if one.commission_id != INCONSISTENT_COMMISSION]


def commission_name(text: str) -> str:
    """COMISION 01 → 01, COMISIÓN 1 → 01, as rules and people write it."""
    name = re.sub(r"^comisi[oó]n\s+", "", tidy(text), flags=re.IGNORECASE).upper()
    return name.zfill(2) if name.isdigit() else name


def is_email(text: str) -> bool:
    """An address that a letter can be sent to: one @, a dotted domain, nothing that could split a header."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def tidy(text: str) -> str:
    """Composed letters, one blank between words, and no sign that cannot be seen (PostgreSQL refuses some)."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(sign for sign in composed if sign.isprintable() or sign.isspace()).split())


def tidy_name(text: str) -> str:
    """`tidy`, and a name all in capitals is written as people write it: O'HIGGINS DE LA PUENTE, O'Higgins de la Puente.

    Particles are small only inside a name: the first word begins the surname, the last may be an initial (MARÍA E).
    """
    words = tidy(text).split()
    if not any(word.upper() == word and len(word) > 1 for word in words) or any(c.islower() for w in words for c in w):
        return " ".join(words)
    return " ".join(
        word.lower() if 0 < place < len(words) - 1 and word.lower() in _PARTICLES else _capitalise(word)
        for place, word in enumerate(words)
    )


def _capitalise(word: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda part: part.group(0).capitalize(), word)
