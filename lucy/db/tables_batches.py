"""Tables of batches, their steps and the passwords sealed on their way to a letter."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lucy.db.base import Base
from lucy.domain.batches import BatchId, BatchState
from lucy.domain.operations import BatchKind, StepKind
from lucy.domain.steps import StepId, StepState
from lucy.domain.students import StudentId


class BatchRow(Base):
    """One request by one person. `version` grows with each change of state: a click carries the version it saw."""

    __tablename__ = "batch"
    __table_args__ = (
        Index("ix_batch_open", "state", postgresql_where=text("state in ('queued', 'running', 'awaiting_approval')")),
    )

    id: Mapped[BatchId] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[BatchKind]
    options: Mapped[dict[str, Any]]
    selection: Mapped[str]
    state: Mapped[BatchState]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    plan_hash: Mapped[str]
    students: Mapped[int]
    impossible: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    forecast: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    notes: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    requested_by: Mapped[str]
    requested_by_name: Mapped[str]
    requested_by_teams_id: Mapped[str] = mapped_column(server_default="")
    requested_at: Mapped[datetime]
    decided_by: Mapped[str] = mapped_column(server_default="")
    decided_by_name: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class StepRow(Base):
    """One operation for one student within a batch.

    `lease_id` names the claim that holds the step while it is running; only that claim may record its outcome.
    """

    __tablename__ = "step"
    __table_args__ = (
        UniqueConstraint("batch_id", "student_id", "kind", "target"),
        # The claim and the sweeper read only these two: a million closed steps cost them nothing.
        Index("ix_step_due", "kind", "batch_id", "due_at", "position", postgresql_where=text("state = 'due'")),
        Index("ix_step_running", "lease_until", postgresql_where=text("state = 'running'")),
        Index("ix_step_student", "student_id"),
        Index("ix_step_tally", "batch_id", "state", "kind"),
    )

    id: Mapped[StepId] = mapped_column(Identity(), primary_key=True)
    batch_id: Mapped[BatchId] = mapped_column(ForeignKey("batch.id"))
    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"))
    kind: Mapped[StepKind]
    target: Mapped[str] = mapped_column(server_default="")  # a course's shortname, else empty
    position: Mapped[int]
    state: Mapped[StepState]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    due_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_id: Mapped[str] = mapped_column(server_default="")
    first_claimed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    error_code: Mapped[str] = mapped_column(server_default="")
    error_detail: Mapped[str] = mapped_column(server_default="")
    remedy: Mapped[str] = mapped_column(server_default="")
    outcome: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class SealedSecretRow(Base):
    """A temporary password on its way from the account's creation to the letter; gone once the letter is accepted."""

    __tablename__ = "sealed_secret"

    step_id: Mapped[StepId] = mapped_column(ForeignKey("step.id"), primary_key=True)  # the step that sets the password
    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), index=True)
    batch_id: Mapped[BatchId] = mapped_column(BigInteger())
    ciphertext: Mapped[str]
    fingerprint: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
