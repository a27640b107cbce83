"""Under fire: approvals of several, rows bound to what was shown, holds, pauses, outages, configuration, downloads."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
MOMENT = sa.DateTime(timezone=True)


def _added(table: str, *columns: sa.Column[object]) -> None:
    for column in columns:
        op.add_column(table, column)


def _text(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _flag(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def upgrade() -> None:
    _added(
        "batch",
        sa.Column("approvals_needed", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _flag("confirm"),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        _text("relation"),
        sa.Column("nudged_at", MOMENT, nullable=True),
        sa.Column("released", JSONB, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("irreversible", JSONB, server_default=sa.text("'[]'"), nullable=False),
    )
    op.create_index(
        "ix_batch_working",
        "batch",
        ["id"],
        postgresql_where=sa.text("state in ('running', 'paused', 'cancelled') and finished_at is null"),
    )
    op.create_index("ix_batch_parent_id", "batch", ["parent_id"], postgresql_where=sa.text("parent_id is not null"))
    _added("step", sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index(
        "ix_step_letters",
        "step",
        ["closed_at"],
        postgresql_where=sa.text("state = 'done' and kind in ('credentials_mail', 'rectify_mail')"),
    )
    _added("account", _text("made_print"))
    _added("moodle_user", _flag("suspended"))
    _added("enrolment", _flag("was_suspended"))
    _batches()
    _safety()


def _batches() -> None:
    op.create_table(
        "batch_student",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("basis", JSONB, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("basis_hash", sa.Text(), nullable=False),
        sa.Column("impossible", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=True),
        sa.Column("changed", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("asked_again_in", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_batch_student_batch_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_batch_student_student_id"),
        sa.PrimaryKeyConstraint("batch_id", "student_id", name="pk_batch_student"),
    )
    op.create_index(
        "ix_batch_student_to_ask_again",
        "batch_student",
        ["batch_id"],
        postgresql_where=sa.text("changed <> '[]' and asked_again_in is null"),
    )
    # What was asked for before this version has no basis: it goes on as it was approved.
    op.execute(
        """
        insert into batch_student (batch_id, student_id, position, basis_hash, begun_at)
        select batch_id, student_id, min(position), '', case when bool_or(attempts > 0) then min(first_claimed_at) end
        from step group by batch_id, student_id
        """
    )
    op.create_table(
        "student_hold",
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_student_hold_student_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_student_hold_batch_id"),
        sa.PrimaryKeyConstraint("student_id", name="pk_student_hold"),
    )
    op.create_index("ix_student_hold_batch_id", "student_hold", ["batch_id"])
    op.create_table(
        "approval",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("approver_id", sa.Text(), nullable=False),
        sa.Column("approver_name", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_approval_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "approver_id", name="pk_approval"),
    )


def _safety() -> None:
    op.create_table(
        "config_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", JSONB, nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_by_name", sa.Text(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_config_entry"),
        sa.UniqueConstraint("key", "version", name="uq_config_entry_key_version"),
    )
    op.create_table(
        "general_pause",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _text("system"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("owner_name", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        _text("lifted_by_name"),
        sa.PrimaryKeyConstraint("id", name="pk_general_pause"),
    )
    op.create_index("ix_general_pause_open", "general_pause", ["id"], postgresql_where=sa.text("lifted_at is null"))
    op.create_table(
        "outage",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("first_failed_at", MOMENT, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=True),
        sa.Column("next_try_at", MOMENT, nullable=True),
        sa.Column("probing_until", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("waiting", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outage"),
    )
    op.create_index(
        "uq_outage_open_system", "outage", ["system"], unique=True, postgresql_where=sa.text("closed_at is null")
    )
    op.create_table(
        "download",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_by_name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_download_batch_id"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_download"),
    )
    op.create_index("ix_download_expires_at", "download", ["expires_at"])
