"""Courses: stages, sites, groups, and why somebody is in one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def _texts(name: str) -> "sa.Column[list[str]]":
    return sa.Column(name, postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)


def _reason() -> "sa.Column[object]":
    return sa.Column("reason", JSONB, server_default=sa.text("'{}'"), nullable=False)


def upgrade() -> None:
    op.add_column("course_rule", _texts("stages"))
    op.create_table(
        "course_check",
        sa.Column("course", sa.Text(), nullable=False),
        sa.Column("fullname", sa.Text(), server_default="", nullable=False),
        _texts("problems"),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("course", name="pk_course_check"),
    )
    op.add_column("moodle_user", sa.Column("site", sa.Text(), server_default="", nullable=False))
    op.drop_constraint("pk_moodle_user", "moodle_user", type_="primary")
    op.create_primary_key("pk_moodle_user", "moodle_user", ["student_id", "site"])
    op.add_column("enrolment", sa.Column("suspended", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("enrolment", _reason())
    op.add_column("enrolment", _texts("groups"))
    op.add_column("step", _reason())
    schedule = sa.table("schedule", sa.column("name"), sa.column("task"), sa.column("cron"))
    op.bulk_insert(schedule, [{"name": "cursos", "task": "courses", "cron": "30 6 * * *"}])
