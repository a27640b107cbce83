"""Tables of batches: who is in them, who approved them, their steps, the passwords sealed on their way to a letter."""

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
    """One request by one person. `version` grows with each change of what a decision is about: a click carries it.

    `approvals_needed` and `confirm` (the count must be typed) are fixed when it is asked for. `parent_id` is the batch
    it came from and `relation` how (`lucy.domain.batches.Relation`). `reason` is why it was rejected, or is held.
    """

    __tablename__ = "batch"
    __table_args__ = (
        Index("ix_batch_open", "state", postgresql_where=text("state in ('queued', 'running', 'awaiting_approval')")),
        # The claim reads these: a cancelled batch stays among them until the students in hand are finished.
        Index(
            "ix_batch_working",
            "id",
            postgresql_where=text("state in ('running', 'paused', 'cancelled') and finished_at is null"),
        ),
        Index("ix_batch_parent_id", "parent_id", postgresql_where=text("parent_id is not null")),
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
    approvals_needed: Mapped[int] = mapped_column(server_default=text("1"))
    confirm: Mapped[bool] = mapped_column(server_default=text("false"))
    parent_id: Mapped[int | None] = mapped_column(BigInteger())
    relation: Mapped[str] = mapped_column(server_default="")
    nudged_at: Mapped[datetime | None]
    released: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # extents somebody let pass
    irreversible: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    warnings: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))  # why a second person has to look


class BatchStudentRow(Base):
    """A student of a batch: what the approval was of, and what became of it.

    `basis` are the facts that the plan rests on (`lucy.domain.basis`), `basis_hash` their print. `begun_at` is set by
    the first claim: from then on the student is finished whatever happens to the batch. `changed` are the facts that
    differed when their turn came (then the student was dropped); `asked_again_in` is the batch that asks for them anew.
    """

    __tablename__ = "batch_student"
    __table_args__ = (
        Index(
            "ix_batch_student_to_ask_again",
            "batch_id",
            postgresql_where=text("changed <> '[]' and asked_again_in is null"),
        ),
    )

    batch_id: Mapped[BatchId] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    position: Mapped[int]
    basis: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    basis_hash: Mapped[str]
    impossible: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    begun_at: Mapped[datetime | None]
    changed: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    asked_again_in: Mapped[int | None] = mapped_column(BigInteger())


class StudentHoldRow(Base):
    """The one batch that has a student in hand; a second one waits. Gone when it has finished with the student."""

    __tablename__ = "student_hold"

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    batch_id: Mapped[BatchId] = mapped_column(ForeignKey("batch.id"), index=True)
    since: Mapped[datetime]


class ApprovalRow(Base):
    """One person's yes to a batch as it stood at `batch_version`."""

    __tablename__ = "approval"

    batch_id: Mapped[BatchId] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    approver_id: Mapped[str] = mapped_column(primary_key=True)
    approver_name: Mapped[str]
    at: Mapped[datetime]
    plan_hash: Mapped[str]


class StepRow(Base):
    """One operation for one student within a batch.

    `lease_id` names the claim that holds the step while it is running; only that claim may record its outcome.
    `attempts` counts claims; `tries` those that count towards giving up (a system that is down for hours does not).
    """

    __tablename__ = "step"
    __table_args__ = (
        UniqueConstraint("batch_id", "student_id", "kind", "target"),
        # The claim and the sweeper read only these two: a million closed steps cost them nothing.
        Index("ix_step_due", "kind", "batch_id", "due_at", "position", postgresql_where=text("state = 'due'")),
        Index("ix_step_running", "lease_until", postgresql_where=text("state = 'running'")),
        Index("ix_step_student", "student_id"),
        Index("ix_step_tally", "batch_id", "state", "kind"),
        # Letters accepted today, against the day's quota.
        Index(
            "ix_step_letters",
            "closed_at",
            postgresql_where=text("state = 'done' and right(kind, 5) = '_mail'"),
        ),
    )

    id: Mapped[StepId] = mapped_column(Identity(), primary_key=True)
    batch_id: Mapped[BatchId] = mapped_column(ForeignKey("batch.id"))
    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"))
    kind: Mapped[StepKind]
    target: Mapped[str] = mapped_column(server_default="")  # a course, a Moodle site, an Entra group; else empty
    reason: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # why it is in the plan
    position: Mapped[int]
    state: Mapped[StepState]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    tries: Mapped[int] = mapped_column(server_default=text("0"))
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
