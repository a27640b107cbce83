"""Conversations that Lucy was taken out of: nothing is posted there until she is let in again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("conversation", sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True))
