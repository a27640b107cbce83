"""Tables of the letters' texts, in versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lucy.db.base import Base
from lucy.domain.letters import LetterName, TemplateState


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
