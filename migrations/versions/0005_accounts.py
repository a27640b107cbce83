"""Accounts: groups they are in, what differs from what Lucy knows."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "account_group",
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("made_by_batch", sa.BigInteger(), nullable=True),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_account_group_student_id"),
        sa.PrimaryKeyConstraint("student_id", "group_id", name="pk_account_group"),
    )
    op.create_table(
        "drift",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=True),
        sa.Column("entra_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_drift_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_drift"),
        sa.UniqueConstraint("entra_id", "kind", name="uq_drift_entra_id_kind"),
    )
    op.create_table(
        "directory_cursor",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), autoincrement=False, nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("whole_at", MOMENT, nullable=True),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_directory_cursor"),
    )
    schedule = sa.table(
        "schedule", sa.column("name"), sa.column("task"), sa.column("cron"), sa.column("args", postgresql.JSONB)
    )
    op.bulk_insert(
        schedule,
        [
            {"name": "cuentas", "task": "accounts", "cron": "0 6 * * mon", "args": ["whole"]},
            {"name": "cuentas-cambios", "task": "accounts", "cron": "0 6 * * tue-sun", "args": []},
        ],
    )
