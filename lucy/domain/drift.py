"""What is otherwise in Entra than Lucy knows it, account by account (FEATURES row 30)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lucy.domain.account_print import NAME_LENGTH
from lucy.domain.students import Student
from lucy.texts import _


class Drift(StrEnum):
    """The order is that in which the card tells them: what keeps students out comes first."""

    MISSING = "missing"
    SOMEBODY_ELSES = "somebody_elses"
    DISABLED = "disabled"
    UNLICENSED = "unlicensed"
    SIGN_IN_NAME = "sign_in_name"
    NAME = "name"
    UNKNOWN = "unknown"
    NOBODYS = "nobodys"


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account as Lucy has it."""

    upn: str
    enabled: bool
    licensed: bool


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """The same account as the directory has it."""

    upn: str
    employee_id: str
    enabled: bool
    licensed: bool
    given_name: str
    surname: str


def differences(student: Student, known: KnownAccount, seen: SeenAccount) -> frozenset[Drift]:
    """What differs; also what differed before and is still not put right is told by the caller."""
    if seen.employee_id and seen.employee_id != student.document_number:
        return frozenset({Drift.SOMEBODY_ELSES})
    names = (student.first_name[:NAME_LENGTH], student.last_name[:NAME_LENGTH])
    found = (
        (Drift.DISABLED, known.enabled and not seen.enabled),
        (Drift.UNLICENSED, known.licensed and not seen.licensed),
        (Drift.SIGN_IN_NAME, known.upn != seen.upn.lower()),
        (Drift.NAME, (seen.given_name, seen.surname) != names),
    )
    return frozenset(drift for drift, differs in found if differs)


def lasting(before: Iterable[Drift], seen: SeenAccount) -> frozenset[Drift]:
    """Of what was told before: what Lucy's record has followed since and is still not put right."""
    still = {Drift.DISABLED: not seen.enabled, Drift.UNLICENSED: not seen.licensed}
    return frozenset(drift for drift in before if still.get(drift, False))


def document_in(upn: str, *, prefix: str, domain: str) -> str:
    """The document number in a sign-in name that Lucy could have made; empty for any other name."""
    found = re.fullmatch(rf"{re.escape(prefix.lower())}([0-9]{{6,10}})@{re.escape(domain.lower())}", upn.lower())
    return found[1] if found else ""


def in_words(drift: Drift) -> str:
    """What it is, after a number of accounts."""
    return {
        Drift.MISSING: _("ya no están en Entra"),
        Drift.SOMEBODY_ELSES: _("tienen en Entra el documento de otra persona"),
        Drift.DISABLED: _("están deshabilitadas y Lucy no lo hizo"),
        Drift.UNLICENSED: _("perdieron la licencia"),
        Drift.SIGN_IN_NAME: _("cambiaron de nombre de usuario"),
        Drift.NAME: _("tienen otro nombre que en SIAL"),
        Drift.UNKNOWN: _("existen para alumnos sin cuenta en Lucy"),
        Drift.NOBODYS: _("llevan el nombre de un alumno que Lucy no conoce"),
    }[drift]


def remedy(drift: Drift) -> str:
    """Who does what about it; never anything by itself."""
    return {
        Drift.MISSING: _("Si fue un error: cuenta restaurar. Si otro día siguen sin estar, Lucy las olvida."),
        Drift.SOMEBODY_ELSES: _("Un administrador tiene que ver en Entra de quién son."),
        Drift.DISABLED: _("Si no corresponde: habilitar."),
        Drift.UNLICENSED: _("Para volver a darla: licencia."),
        Drift.SIGN_IN_NAME: _("Un administrador tiene que volverlo atrás en Entra, o avisar al alumno."),
        Drift.NAME: _("Para ponerles el de SIAL: cuenta actualizar."),
        Drift.UNKNOWN: _("Con «activar», Lucy las toma como están."),
        Drift.NOBODYS: _("Un administrador tiene que ver en Entra si sobran."),
    }[drift]
