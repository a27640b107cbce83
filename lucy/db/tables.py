"""Every table, so that the metadata is whole: what migrations are compared with."""

from lucy.db.base import Base
from lucy.db.tables_batches import BatchRow, SealedSecretRow, StepRow
from lucy.db.tables_people import (
    AccountRow,
    CareerRow,
    CheckpointRow,
    CourseRuleRow,
    EnrolmentRow,
    HeldRecordRow,
    IngestRunRow,
    MoodleUserRow,
    StudentRow,
)
from lucy.db.tables_running import (
    AuditEventRow,
    AuditSealRow,
    ConversationRow,
    InboxDedupRow,
    MemberRow,
    OutboxRow,
    PostedCardRow,
    ScheduleRow,
    ScheduleRunRow,
)

__all__ = [
    "AccountRow",
    "AuditEventRow",
    "AuditSealRow",
    "Base",
    "BatchRow",
    "CareerRow",
    "CheckpointRow",
    "ConversationRow",
    "CourseRuleRow",
    "EnrolmentRow",
    "HeldRecordRow",
    "InboxDedupRow",
    "IngestRunRow",
    "MemberRow",
    "MoodleUserRow",
    "OutboxRow",
    "PostedCardRow",
    "ScheduleRow",
    "ScheduleRunRow",
    "SealedSecretRow",
    "StepRow",
    "StudentRow",
]
