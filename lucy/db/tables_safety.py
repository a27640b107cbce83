"""Tables of what staff set and of what holds Lucy back: configuration, general pauses, outages, one-time downloads."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lucy.db.base import Base
from lucy.domain.batches import BatchId


class ConfigEntryRow(Base):
    """One value that staff set, in one of its versions; the highest version counts. Null: back to the default."""

    __tablename__ = "config_entry"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    key: Mapped[str]
    version: Mapped[int]
    value: Mapped[Any] = mapped_column(JSONB(), nullable=True)
    changed_by: Mapped[str]
    changed_by_name: Mapped[str]
    changed_at: Mapped[datetime]


class GeneralPauseRow(Base):
    """Somebody stopped everything (`system` empty) or one system, until `until` or until it is lifted."""

    __tablename__ = "general_pause"
    __table_args__ = (Index("ix_general_pause_open", "id", postgresql_where=text("lifted_at is null")),)

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    system: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str]
    owner_id: Mapped[str]
    owner_name: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by_name: Mapped[str] = mapped_column(server_default="")


class OutageRow(Base):
    """A system that fails. Suspected while `opened_at` is empty; then its circuit is open until `closed_at`.

    `probing_until` is the lease of the one claim that tries whether it is back. `waiting` are the steps that waited for
    it when it came back.
    """

    __tablename__ = "outage"
    __table_args__ = (
        Index("uq_outage_open_system", "system", unique=True, postgresql_where=text("closed_at is null")),
    )

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    system: Mapped[str]
    failures: Mapped[int]
    code: Mapped[str]
    first_failed_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    probing_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    waiting: Mapped[int] = mapped_column(server_default=text("0"))


class DownloadRow(Base):
    """A one-time link to the rows of a batch. Only the token's hash is kept."""

    __tablename__ = "download"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    batch_id: Mapped[BatchId] = mapped_column(ForeignKey("batch.id"))
    requested_by: Mapped[str]
    requested_by_name: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
