"""Letters: where the last password went, which addresses there were before, who was welcomed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
_LETTERS = "'credentials_mail', 'password_mail', 'notice_mail', 'welcome_mail', 'rectify_mail'"


def upgrade() -> None:
    op.add_column("account", sa.Column("mailed_to", sa.Text(), server_default="", nullable=False))
    op.add_column("student", sa.Column("welcomed_at", MOMENT, nullable=True))
    op.add_column(
        "batch",
        sa.Column(
            "warnings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.create_table(
        "former_email",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_former_email_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_former_email"),
    )
    op.create_index("ix_former_email_student_id", "former_email", ["student_id", "replaced_at"])
    op.drop_index("ix_step_letters", "step")
    op.create_index(
        "ix_step_letters", "step", ["closed_at"], postgresql_where=sa.text(f"state = 'done' and kind in ({_LETTERS})")
    )
