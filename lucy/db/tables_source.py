"""Tables of what is read from SIAL: the runs, up to when, and what could not be used."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lucy.db.base import Base
from lucy.domain.students import SourceList


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
    error_code: Mapped[str] = mapped_column(server_default="")


class CheckpointRow(Base):
    """Up to when a list was last read whole. Only a successful run moves it."""

    __tablename__ = "checkpoint"

    source_list: Mapped[SourceList] = mapped_column(primary_key=True)
    read_until: Mapped[datetime]
