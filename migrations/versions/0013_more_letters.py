"""Letters of courses and of a changed situation: which situation somebody had before, and which they were told."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for column in ("former_stage", "told_stage"):
        op.add_column("student", sa.Column(column, sa.Text(), server_default="", nullable=False))
    op.drop_index("ix_step_letters", "step")
    # By the end of the kind's name, so that the next kind of letter needs no new index.
    letters = sa.text("state = 'done' and right(kind, 5) = '_mail'")
    op.create_index("ix_step_letters", "step", ["closed_at"], postgresql_where=letters)
