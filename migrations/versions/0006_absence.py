"""Absence: whom two readings of a list, hours apart, did not have."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("listing", sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True))
    schedule = sa.table(
        "schedule", sa.column("name"), sa.column("task"), sa.column("cron"), sa.column("args", sa.JSON())
    )
    # Who is absent is told by whole readings; they also mend what a window ever lost.
    op.bulk_insert(
        schedule, [{"name": "ingesta-completa", "task": "ingest", "cron": "0 3 * * sun,wed", "args": ["full"]}]
    )
