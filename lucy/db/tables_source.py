"""Tables of what is read from SIAL: the runs, up to when, and what could not be used."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lucy.db.base import Base
from lucy.domain.students import SourceList, StudentId


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
    unanswered: Mapped[int] = mapped_column(server_default=text("0"))  # personal records that SIAL did not give
    emails: Mapped[int] = mapped_column(server_default=text("0"))  # account holders with another address
    received_at: Mapped[datetime | None]  # the whole answer is kept: from here on SIAL need not be asked again
    waits_for: Mapped[str] = mapped_column(server_default="")  # `HeldRun`: nothing was written, a person is asked
    comparison: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    released_by: Mapped[str] = mapped_column(server_default="")
    error_code: Mapped[str] = mapped_column(server_default="")


class IngestPayloadRow(Base):
    """A part of what a reading received, as compressed JSON: the entries of the list, then the personal records."""

    __tablename__ = "ingest_payload"

    run_id: Mapped[int] = mapped_column(ForeignKey("ingest_run.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes]


class ListingRow(Base):
    """A student as one list has them: the print of their entries, and in how many whole readings they were missing.

    `missed_at` is when that was counted last: readings of one bad night count once.
    """

    __tablename__ = "listing"
    __table_args__ = (Index("ix_listing_source_list", "source_list", "missing"),)

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id", ondelete="CASCADE"), primary_key=True)
    source_list: Mapped[SourceList] = mapped_column(primary_key=True)
    hash: Mapped[str]
    seen_at: Mapped[datetime]
    missing: Mapped[int] = mapped_column(SmallInteger(), server_default=text("0"))
    missed_at: Mapped[datetime | None]


class CheckpointRow(Base):
    """Up to when a list was last read whole. Only a successful run moves it."""

    __tablename__ = "checkpoint"

    source_list: Mapped[SourceList] = mapped_column(primary_key=True)
    read_until: Mapped[datetime]
