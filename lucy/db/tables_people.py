"""Tables of students and of their accounts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lucy.db.base import Base
from lucy.domain.students import Stage, StudentId, Upn


class StudentRow(Base):
    """A person known from SIAL. `careers` holds `Career` values."""

    __tablename__ = "student"
    __table_args__ = (
        UniqueConstraint("document_type", "document_number"),
        Index("ix_student_stage_cohort", "stage", "cohort"),
        Index("ix_student_document_number", "document_number"),
    )

    id: Mapped[StudentId] = mapped_column(Identity(), primary_key=True)
    document_type: Mapped[str]
    document_number: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    personal_email: Mapped[str]
    phone: Mapped[str] = mapped_column(server_default="")
    locality: Mapped[str] = mapped_column(server_default="")
    born_on: Mapped[date | None]
    stage: Mapped[Stage]
    cohort: Mapped[int | None] = mapped_column(SmallInteger())
    careers: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    welcomed_at: Mapped[datetime | None]
    former_stage: Mapped[str] = mapped_column(server_default="")  # before the present one; empty: it never changed
    told_stage: Mapped[str] = mapped_column(server_default="")  # the present one as it was told in a letter


class FormerEmailRow(Base):
    """An address that an account holder had, until when: a password that goes to the new one is told there."""

    __tablename__ = "former_email"
    __table_args__ = (Index("ix_former_email_student_id", "student_id", "replaced_at"),)

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"))
    email: Mapped[str]
    replaced_at: Mapped[datetime]


class AccountRow(Base):
    """The student's Entra ID user. `secret_fingerprint` is the salted print of the last password Lucy set.

    `made_print` is the print of the properties that Lucy gave it: another one in Entra means that somebody changed it.
    """

    __tablename__ = "account"

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    upn: Mapped[Upn] = mapped_column(unique=True)
    entra_id: Mapped[str]
    enabled: Mapped[bool]
    licensed: Mapped[bool] = mapped_column(server_default=text("false"))
    made_by_batch: Mapped[int | None] = mapped_column(BigInteger())
    licensed_by_batch: Mapped[int | None] = mapped_column(BigInteger())
    secret_fingerprint: Mapped[str] = mapped_column(server_default="")
    made_print: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    verified_at: Mapped[datetime]
    mailed_at: Mapped[datetime | None]
    mailed_to: Mapped[str] = mapped_column(server_default="")  # where the last password went


class AccountGroupRow(Base):
    """An Entra group that Lucy put an account into. `made_by_batch` is empty where she had not made the account."""

    __tablename__ = "account_group"

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    group_id: Mapped[str] = mapped_column(primary_key=True)
    made_by_batch: Mapped[int | None] = mapped_column(BigInteger())
    joined_at: Mapped[datetime]


class DriftRow(Base):
    """What is not in Entra as Lucy knows it, since when. Gone as soon as it is so again.

    `student_id` is empty for an account that bears Lucy's mark and belongs to nobody she knows; `entra_id` tells
    which. `kind` is of `lucy.domain.drift`, Drift.
    """

    __tablename__ = "drift"
    __table_args__ = (UniqueConstraint("entra_id", "kind"),)

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    student_id: Mapped[StudentId | None] = mapped_column(ForeignKey("student.id"))
    entra_id: Mapped[str]
    kind: Mapped[str]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class DirectoryCursorRow(Base):
    """Where to go on reading the directory's changes: one row. `link` is Graph's, `whole_at` the last whole read."""

    __tablename__ = "directory_cursor"

    id: Mapped[int] = mapped_column(SmallInteger(), primary_key=True, server_default=text("1"))
    link: Mapped[str]
    whole_at: Mapped[datetime | None]
    read_at: Mapped[datetime]
