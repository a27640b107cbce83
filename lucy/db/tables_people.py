"""Tables of students and of what they have in the outside systems."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Integer, Text

from lucy.db.base import Base
from lucy.domain.students import SourceList, Stage, StudentId, Upn


class StudentRow(Base):
    """A person known from SIAL. `careers` holds `Career` values; the hashes tell an unchanged source entry at once."""

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
    source_hash: Mapped[str] = mapped_column(server_default="")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class HeldRecordRow(Base):
    """A source entry that cannot be used, kept with its reason until the source mends it (`resolved_at`)."""

    __tablename__ = "held_record"
    __table_args__ = (UniqueConstraint("source_list", "entry_key"),)

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    source_list: Mapped[SourceList]
    entry_key: Mapped[str]  # document type and number, or the payload's hash where there is no number
    document_number: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str] = mapped_column(server_default="")
    payload: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


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


class MoodleUserRow(Base):
    """The student's Moodle user."""

    __tablename__ = "moodle_user"

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    moodle_id: Mapped[int] = mapped_column(BigInteger())
    username: Mapped[str]
    suspended: Mapped[bool] = mapped_column(server_default=text("false"))
    made_by_batch: Mapped[int | None] = mapped_column(BigInteger())
    created_at: Mapped[datetime]


class EnrolmentRow(Base):
    """The student in a Moodle course. `made_by_batch` is empty where the enrolment was there before Lucy.

    `was_suspended` when it was there, suspended, and `made_by_batch` re-activated it: undone, it is suspended again.
    """

    __tablename__ = "enrolment"

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)  # shortname
    course_id: Mapped[int] = mapped_column(BigInteger())
    was_suspended: Mapped[bool] = mapped_column(server_default=text("false"))
    made_by_batch: Mapped[int | None] = mapped_column(BigInteger())
    created_at: Mapped[datetime]


class CareerRow(Base):
    """SIAL's career id → the code that people and rules use."""

    __tablename__ = "career"

    id: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class CourseRuleRow(Base):
    """Who belongs in a Moodle course. Empty `commissions` means any; empty `stages` means any."""

    __tablename__ = "course_rule"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    course: Mapped[str]  # Moodle shortname
    careers: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    modalities: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    commissions: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class IngestRunRow(Base):
    """One reading of one list. `error_code` is set when it failed; then the checkpoint stayed where it was.

    `lease_until` tells a run that its process still reads from one that died with it.
    """

    __tablename__ = "ingest_run"
    __table_args__ = (
        Index("ix_ingest_run_open", "id", postgresql_where=text("finished_at is null")),
        Index("ix_ingest_run_finished_at", "finished_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    source_list: Mapped[SourceList]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    full: Mapped[bool] = mapped_column(server_default=text("false"))
    windowed: Mapped[bool] = mapped_column(server_default=text("false"))  # asked for with dates: moves no checkpoint
    since: Mapped[datetime | None]
    until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seen: Mapped[int] = mapped_column(server_default=text("0"))
    new: Mapped[int] = mapped_column(server_default=text("0"))
    changed: Mapped[int] = mapped_column(server_default=text("0"))
    held: Mapped[int] = mapped_column(server_default=text("0"))
    error_code: Mapped[str] = mapped_column(server_default="")


class CheckpointRow(Base):
    """Up to when a list was last read whole. Only a successful run moves it."""

    __tablename__ = "checkpoint"

    source_list: Mapped[SourceList] = mapped_column(primary_key=True)
    read_until: Mapped[datetime]
