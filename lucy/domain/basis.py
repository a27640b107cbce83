"""What a plan rests on, student by student: the facts that an approval is of.

A batch is approved as it was shown. When the turn of a student comes, the facts are read again; where one differs, the
student drops out and is asked for anew (FEATURES row 61). Facts that name a person are kept as prints: that they
changed can be told, what they were cannot.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum

from lucy.texts import _

Basis = Mapping[str, str]


class Fact(StrEnum):
    """What may differ between the approval and the run."""

    NAME = "name"
    EMAIL = "email"
    STAGE = "stage"
    CAREERS = "careers"
    ACCOUNT = "account"
    LICENCE = "licence"
    MOODLE_USER = "moodle_user"
    COURSES = "courses"
    RULES = "rules"
    CONFIG = "config"
    SINCE = "since"


def basis_hash(basis: Basis) -> str:
    """The same for the same facts; empty for none (a batch from before there was a basis)."""
    return print_of(basis) if basis else ""


def print_of(value: object) -> str:
    """A short print of anything that JSON can write."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=sorted)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)) or "—"


_SILENT = {
    Fact.NAME: "cambió el nombre",
    Fact.EMAIL: "cambió el correo",
    Fact.CAREERS: "cambió la carrera, la modalidad o la comisión",
    Fact.RULES: "cambiaron las reglas de cursos que le tocan",
    Fact.CONFIG: "cambió la configuración",
    Fact.SINCE: "otro lote le hizo algo",
    Fact.ACCOUNT: "cambió su cuenta",
    Fact.LICENCE: "cambió su licencia",
    Fact.MOODLE_USER: "cambió su usuario de Moodle",
}


def changed_since(approved: Basis, now: Basis) -> tuple[str, ...]:
    """What differs among the facts that were approved; what the approval does not rest on is left aside."""
    return changes(approved, {fact: value for fact, value in now.items() if fact in approved})


def changes(before: Basis, after: Basis) -> tuple[str, ...]:
    """What differs, in the words of the card, in the order of `Fact`."""
    found: list[str] = []
    for fact in Fact:
        old, new = before.get(fact.value, ""), after.get(fact.value, "")
        if old == new:
            continue
        if fact is Fact.STAGE:
            found.append(_("pasó de {old} a {new}").format(old=old or "—", new=new or "—"))
        elif fact is Fact.COURSES:
            found.append(_("cambiaron sus cursos: antes {old}; ahora {new}").format(old=old or "—", new=new or "—"))
        else:
            found.append(_(_SILENT[fact]))
    return tuple(found)
