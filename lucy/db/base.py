"""The declarative base: how Python types become PostgreSQL columns."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Enum, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

from lucy.domain.batches import BatchId
from lucy.domain.steps import StepId
from lucy.domain.students import StudentId, Upn

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def _values(members: type[StrEnum]) -> list[str]:
    return [member.value for member in members]


class Base(DeclarativeBase):
    """Every time is aware UTC; every closed list of words is text, checked by its Python enum."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        Upn: Text(),
        BatchId: BigInteger(),
        StepId: BigInteger(),
        StudentId: BigInteger(),
        StrEnum: Enum(StrEnum, native_enum=False, create_constraint=False, length=40, values_callable=_values),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }
