"""Tables of letters: their texts, in versions, and what became of those that went out."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lucy.db.base import Base
from lucy.domain.batches import BatchId
from lucy.domain.letter_states import LetterState
from lucy.domain.letters import LetterName, TemplateState
from lucy.domain.steps import StepId
from lucy.domain.students import StudentId


class TemplateRow(Base):
    """A version of a letter. The one that is `live` is what goes out; the letter that came with Lucy has no row.

    `students` is for how many it was rendered when it was tried, `failed` for how many it could not be, and `failures`
    names some of them, masked. `checked_at` is empty until it was tried.
    """

    __tablename__ = "template"
    __table_args__ = (
        UniqueConstraint("name", "version"),
        Index("uq_template_live_name", "name", unique=True, postgresql_where=text("state = 'live'")),
    )

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    name: Mapped[LetterName]
    version: Mapped[int]
    subject: Mapped[str]
    html: Mapped[str]
    state: Mapped[TemplateState]
    written_by: Mapped[str]
    written_by_name: Mapped[str]
    written_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    students: Mapped[int] = mapped_column(server_default=text("0"))
    failed: Mapped[int] = mapped_column(server_default=text("0"))
    failures: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    decided_by_name: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")


class LetterRow(Base):
    """A letter that the mail server took. `detail` of one that came back: its enhanced status code."""

    __tablename__ = "letter"
    __table_args__ = (
        Index("ix_letter_student_id", "student_id"),
        Index("ix_letter_address", text("lower(address)")),
        Index("ix_letter_open", "step_id", postgresql_where=text("state in ('accepted', 'unused', 'bounced')")),
    )

    step_id: Mapped[StepId] = mapped_column(ForeignKey("step.id"), primary_key=True)
    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"))
    batch_id: Mapped[BatchId] = mapped_column(BigInteger())
    name: Mapped[LetterName]
    address: Mapped[str]
    state: Mapped[LetterState]
    accepted_at: Mapped[datetime]
    state_at: Mapped[datetime]
    detail: Mapped[str] = mapped_column(server_default="")


class ReturnMailboxRow(Base):
    """How far the mailbox was read to which letters come back: the IMAP UID, good while UIDVALIDITY stays the same."""

    __tablename__ = "return_mailbox"

    mailbox: Mapped[str] = mapped_column(primary_key=True)
    validity: Mapped[int] = mapped_column(BigInteger())
    uid: Mapped[int] = mapped_column(BigInteger())
    read_at: Mapped[datetime]


class LetterPictureRow(Base):
    """How a text looks, for a masked student. `digest` is of the text; `token` is the picture's address."""

    __tablename__ = "letter_picture"

    digest: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    png: Mapped[bytes]
    drawn_at: Mapped[datetime]


class LetterPageRow(Base):
    """A letter as a page, for a masked student, which is opened once. Only the token's hash is kept."""

    __tablename__ = "letter_page"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    html: Mapped[str]
    expires_at: Mapped[datetime]
