"""What became of letters after the mail server took them: they came back, or their password was used, or was not."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
# The last password of each student that was mailed before letters were kept here.
_MAILED_BEFORE = """
    insert into letter (step_id, student_id, batch_id, name, address, state, accepted_at, state_at)
    select distinct on (step.student_id) step.id, step.student_id, step.batch_id,
           case step.kind when 'password_mail' then 'contraseña' else 'credenciales' end,
           account.mailed_to, 'accepted', account.mailed_at, account.mailed_at
    from step join account on account.student_id = step.student_id
    where step.kind in ('credentials_mail', 'password_mail') and step.state = 'done'
      and account.mailed_at is not null and account.mailed_to <> ''
    order by step.student_id, step.closed_at desc nulls last, step.id desc
"""


def upgrade() -> None:
    op.create_table(
        "letter",
        sa.Column("step_id", sa.BigInteger(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("accepted_at", MOMENT, nullable=False),
        sa.Column("state_at", MOMENT, nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name="fk_letter_step_id"),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name="fk_letter_student_id"),
        sa.PrimaryKeyConstraint("step_id", name="pk_letter"),
    )
    op.create_index("ix_letter_student_id", "letter", ["student_id"])
    op.create_index("ix_letter_address", "letter", [sa.text("lower(address)")])
    still_open = sa.text("state in ('accepted', 'unused', 'bounced')")
    op.create_index("ix_letter_open", "letter", ["step_id"], postgresql_where=still_open)
    op.create_table(
        "return_mailbox",
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name="pk_return_mailbox"),
    )
    op.execute(_MAILED_BEFORE)
    schedule = sa.table("schedule", sa.column("name"), sa.column("task"), sa.column("cron"))
    op.bulk_insert(
        schedule,
        [
            {"name": "devoluciones", "task": "returns", "cron": "10 * * * *"},
            {"name": "estrenos", "task": "first_use", "cron": "15 5 * * *"},
        ],
    )
