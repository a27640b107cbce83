"""Tables of careers, course rules, and what students have in Moodle."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Integer, Text

from lucy.db.base import Base
from lucy.domain.students import StudentId


class CareerRow(Base):
    """SIAL's career id → the code that people and rules use."""

    __tablename__ = "career"

    id: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class CourseRuleRow(Base):
    """Who belongs in a Moodle course: a shortname, or site:shortname. An empty list means any."""

    __tablename__ = "course_rule"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    course: Mapped[str]
    careers: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    modalities: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    commissions: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default=text("'{}'"))
    stages: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class CourseCheckRow(Base):
    """The last look at a course that rules name: the codes of what is wrong with it; none: it can be used."""

    __tablename__ = "course_check"

    course: Mapped[str] = mapped_column(primary_key=True)
    fullname: Mapped[str] = mapped_column(server_default="")
    problems: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default=text("'{}'"))
    checked_at: Mapped[datetime]


class MoodleUserRow(Base):
    """The student's user on a Moodle site; the main one is ""."""

    __tablename__ = "moodle_user"

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True, server_default="")
    moodle_id: Mapped[int] = mapped_column(BigInteger())
    username: Mapped[str]
    suspended: Mapped[bool] = mapped_column(server_default=text("false"))
    made_by_batch: Mapped[int | None] = mapped_column(BigInteger())
    created_at: Mapped[datetime]


class EnrolmentRow(Base):
    """The student in a Moodle course. `made_by_batch` is empty where the enrolment was there before Lucy.

    `was_suspended` when it was there, suspended, and `made_by_batch` re-activated it: undone, it is suspended again.
    `suspended` by Lucy, where no rule gave it any more. `reason` is why they are in it (`lucy.domain.course_rules`,
    CourseReason), as it stood then; `groups` are those of the course's groups that Lucy put them in.
    """

    __tablename__ = "enrolment"

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)  # shortname, or site:shortname
    course_id: Mapped[int] = mapped_column(BigInteger())
    was_suspended: Mapped[bool] = mapped_column(server_default=text("false"))
    suspended: Mapped[bool] = mapped_column(server_default=text("false"))
    reason: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    groups: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default=text("'{}'"))
    made_by_batch: Mapped[int | None] = mapped_column(BigInteger())
    created_at: Mapped[datetime]


class CourseDriftRow(Base):
    """A student who is otherwise in a course than expected (`lucy.domain.course_drift`), until it is right again."""

    __tablename__ = "course_drift"
    __table_args__ = (Index("ix_course_drift_course", "course"),)

    student_id: Mapped[StudentId] = mapped_column(ForeignKey("student.id"), primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    first_seen_at: Mapped[datetime]
