"""What SIAL said is kept: payloads of runs, runs that wait for a person, who each list has."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
MOMENT = sa.DateTime(timezone=True)


def _count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def upgrade() -> None:
    for column in (
        _count("unanswered"),
        _count("emails"),
        sa.Column("received_at", MOMENT, nullable=True),
        _text("waits_for"),
        sa.Column("comparison", JSONB, server_default=sa.text("'{}'"), nullable=False),
        _text("released_by"),
    ):
        op.add_column("ingest_run", column)
    op.create_table(
        "ingest_payload",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["ingest_run.id"], name="fk_ingest_payload_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "kind", "position", name="pk_ingest_payload"),
    )
    op.create_table(
        "listing",
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("source_list", sa.String(40), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("missing", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_listing_student_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("student_id", "source_list", name="pk_listing"),
    )
    op.create_index("ix_listing_source_list", "listing", ["source_list", "missing"])
    # The print that was kept was of the list read last, and made in another way: the next reading of each list takes
    # everybody for new to it, asks for their personal records once more, and writes the rows of `listing`.
    op.drop_column("student", "source_hash")
