"""What differs between the courses of Moodle and what Lucy expects."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "course_drift",
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("course", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_course_drift_student_id"),
        sa.PrimaryKeyConstraint("student_id", "course", "kind", name="pk_course_drift"),
    )
    op.create_index("ix_course_drift_course", "course_drift", ["course"])
    schedule = sa.table("schedule", sa.column("name"), sa.column("task"), sa.column("cron"))
    op.bulk_insert(schedule, [{"name": "matriculas", "task": "enrolments", "cron": "0 5 * * mon"}])
