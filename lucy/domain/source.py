"""What SIAL says, before any rule reads it (contracts: both dialects give these)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SourceCommission:
    commission_id: int
    name: str


@dataclass(frozen=True, slots=True)
class SourceCareer:
    """A career as SIAL wrote it; nothing is interpreted yet. `cohort` may be None, `enrolled_on` is aware or None."""

    career_id: int | None
    name: str
    enrolled_on: datetime | None
    modality: str
    cohort: int | None
    commissions: tuple[SourceCommission, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One entry of a list. `document_number` is digits or whatever the source wrote; `raw` is the entry as received."""

    document_type: str
    document_number: str
    careers: tuple[SourceCareer, ...]
    raw: Mapping[str, object]
    personal: "SourcePerson | None" = None  # dialect v1 sends it with the list


@dataclass(frozen=True, slots=True)
class SourcePerson:
    """A personal record; empty strings where the source is silent."""

    document_number: str
    first_name: str
    last_name: str
    email: str
    phone: str = ""
    locality: str = ""
    born_on: date | None = None
    raw: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)  # as received


class Likeness(StrEnum):
    """In what two people are alike who may be one."""

    NUMBER = "number"
    NAME = "name"
    EMAIL = "email"
