"""A student as the university's records know them."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

StudentId = NewType("StudentId", int)
Upn = NewType("Upn", str)


class Stage(StrEnum):
    """Where a student stands. The order of the members is the only direction of travel (contracts/sial.md, rule 2)."""

    PREINSCRIPTO = "preinscripto"
    ASPIRANTE = "aspirante"
    INGRESANTE = "ingresante"
    ALUMNO = "alumno"

    @property
    def rank(self) -> int:
        return list(Stage).index(self)


class SourceList(StrEnum):
    """The lists that SIAL publishes, by the name in its addresses."""

    PREINSCRIPTOS = "preinscriptos"
    ASPIRANTES = "aspirantes"
    INGRESANTES = "ingresantes"

    @property
    def stage(self) -> Stage:
        return Stage(self.value.removesuffix("s"))


class Modality(StrEnum):
    """On site or at a distance; SIAL writes "1" and "2"."""

    PRES = "PRES"
    DIST = "DIST"


@dataclass(frozen=True, slots=True)
class Career:
    """One enrolment of a student in a career.

    `commissions` are names as rules use them ("01", "02"), without the source's inconsistent 9999999.
    `enrolled_on` is an ISO date or empty.
    """

    career_id: int
    code: str
    name: str
    modality: Modality | None = None
    cohort: int | None = None
    commissions: tuple[str, ...] = ()
    enrolled_on: str = ""


@dataclass(frozen=True, slots=True)
class Student:
    """The facts that decide what is done for a student. `document_number` is digits only, kept as text."""

    id: StudentId
    document_type: str
    document_number: str
    first_name: str
    last_name: str
    personal_email: str
    stage: Stage
    cohort: int | None
    careers: tuple[Career, ...] = field(default=())
    locality: str = ""

    @property
    def display_name(self) -> str:
        """As the directory and the lists show it: surname first."""
        return f"{self.last_name}, {self.first_name}"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


# A test account's sign-in name begins so (DOMAIN.md, "account").
TEST_PREFIX = "test-"


def is_test_name(sign_in_name: str) -> bool:
    return sign_in_name.lower().startswith(TEST_PREFIX)


def forward(known: Stage | None, seen: Stage) -> Stage:
    """The stage after a list showed `seen`: never backwards."""
    if known is None or seen.rank > known.rank:
        return seen
    return known


_SEPARATORS = re.compile(r"[.\s\-]")


def parse_document_number(text: str) -> str | None:
    """Digits of a document number as people write it (40.123.456, 40 123 456), or None when it is not one.

    Argentine DNIs have 7 or 8 digits; foreign documents up to 10.
    """
    digits = _SEPARATORS.sub("", text.strip())
    return digits if re.fullmatch(r"[0-9]{6,10}", digits) else None


def format_document_number(number: str) -> str:
    """40123456 → 40.123.456; a leading zero stays."""
    return re.sub(r"(?<=[0-9])(?=(?:[0-9]{3})+$)", ".", number) if re.fullmatch(r"[0-9]+", number) else number


def mask_document_number(number: str) -> str:
    """What logs and the channel may show: ●●●●5432."""
    return "●●●●" + number[-4:]


_WHOLE_NUMBER = re.compile(r"(?<![\w.:/-])[0-9]{6,10}(?![\w:/-])")


def mask_document_numbers(text: str) -> str:
    """A selection as the channel may see it."""
    return _WHOLE_NUMBER.sub(lambda found: mask_document_number(found[0]), text)


def mask_email(address: str) -> str:
    """a●●●@example.com: enough to recognise, not enough to write to."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}●●●{at}{domain}" if at else "●●●"
