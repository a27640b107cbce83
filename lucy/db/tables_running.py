"""Tables of what keeps the house running: audit, messages in and out, cards, schedules, people's grants."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lucy.db.base import Base
from lucy.domain.roles import Role


class AuditEventRow(Base):
    """Who did what to whom, when, with what outcome. Append-only: triggers refuse UPDATE and DELETE."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_batch_id", "batch_id"),
        Index("ix_audit_event_student_id", "student_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[str]  # an Entra object id, or the name of the process that acted by itself
    actor_name: Mapped[str]
    action: Mapped[str]
    batch_id: Mapped[int | None] = mapped_column(BigInteger())
    student_id: Mapped[int | None] = mapped_column(BigInteger())
    outcome: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class AuditSealRow(Base):
    """A link of the chain: the hash over the events since the previous link and over that link's hash."""

    __tablename__ = "audit_seal"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    first_event: Mapped[int] = mapped_column(BigInteger(), unique=True)
    last_event: Mapped[int] = mapped_column(BigInteger())
    events: Mapped[int]
    previous_hash: Mapped[str]
    hash: Mapped[str]
    sealed_at: Mapped[datetime]


class OutboxRow(Base):
    """A nudge to be sent once the transaction that wrote it has committed."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_not_before", "not_before"),)

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    actor: Mapped[str]
    args: Mapped[list[Any]]
    not_before: Mapped[datetime]


class InboxDedupRow(Base):
    """An activity or a press that was handled already."""

    __tablename__ = "inbox_dedup"

    key: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(index=True)


class ConversationRow(Base):
    """Where Lucy may post: learnt from authenticated activities only."""

    __tablename__ = "conversation"

    conversation_id: Mapped[str] = mapped_column(primary_key=True)  # without ;messageid=
    kind: Mapped[str]  # channel, personal
    service_url: Mapped[str]
    tenant_id: Mapped[str]
    team_id: Mapped[str] = mapped_column(server_default="")
    channel_id: Mapped[str] = mapped_column(server_default="")
    updated_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]  # Lucy was taken out of it; what comes from there brings it back


class PostedCardRow(Base):
    """A card in a conversation. It is redrawn while `drawn_version` is behind `wanted_version`.

    `lease_until` keeps two processes from drawing it at once. `activity_id` is empty until it is posted.
    """

    __tablename__ = "posted_card"
    __table_args__ = (
        Index("ix_posted_card_subject", "shows", "subject"),
        Index("ix_posted_card_behind", "id", postgresql_where=text("drawn_version < wanted_version")),
    )

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    shows: Mapped[str]  # batch, report
    subject: Mapped[str]  # the batch's number, the report's day
    service_url: Mapped[str]
    tenant_id: Mapped[str] = mapped_column(server_default="")
    conversation_id: Mapped[str]  # with ;messageid= once it has a thread
    new_thread: Mapped[bool] = mapped_column(server_default=text("false"))
    reader_id: Mapped[str] = mapped_column(server_default="")  # the one who reads it in a personal chat
    activity_id: Mapped[str] = mapped_column(server_default="")
    wanted_version: Mapped[int] = mapped_column(server_default=text("1"))
    drawn_version: Mapped[int] = mapped_column(server_default=text("0"))
    drawn_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))


class ScheduleRow(Base):
    """Something that happens by itself. `cron` is in the faculty's time zone; the scheduler keeps `next_run_at`."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str]
    args: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    cron: Mapped[str]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    next_run_at: Mapped[datetime | None]
    last_run_at: Mapped[datetime | None]
    times_run: Mapped[int] = mapped_column(server_default=text("0"))


class ScheduleRunRow(Base):
    """One run of a schedule; the planned time makes it unique, so that it runs once."""

    __tablename__ = "schedule_run"
    __table_args__ = (UniqueConstraint("schedule", "planned_at"),)

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    schedule: Mapped[str] = mapped_column(ForeignKey("schedule.name"))
    planned_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(server_default="")


class MemberRow(Base):
    """A person who has spoken to Lucy or holds a grant. Without a role (and not in LUCY_ADMINS) they may do nothing."""

    __tablename__ = "member"

    entra_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    teams_id: Mapped[str] = mapped_column(server_default="")
    role: Mapped[Role | None]
    granted_by: Mapped[str] = mapped_column(server_default="")
    granted_at: Mapped[datetime | None]


class TrialLetterRow(Base):
    """A letter of trial that somebody asked for, and how the server answered. `taken_at`: a worker has sent it."""

    __tablename__ = "trial_letter"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    address: Mapped[str]
    asked_by_name: Mapped[str]
    asked_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    code: Mapped[str] = mapped_column(server_default="")
    reply: Mapped[str] = mapped_column(server_default="")
