"""The nightly search for secrets where none may be."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    schedule = sa.table("schedule", sa.column("name"), sa.column("task"), sa.column("cron"))
    op.bulk_insert(schedule, [{"name": "canarios", "task": "canaries", "cron": "30 4 * * *"}])
