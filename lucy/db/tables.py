"""Every table, so that the metadata is whole: what migrations are compared with."""

from lucy.db.base import Base
from lucy.db.tables_batches import (
    ApprovalRow,
    BatchRow,
    BatchStudentRow,
    SealedSecretRow,
    StepRow,
    StudentHoldRow,
)
from lucy.db.tables_courses import CareerRow, CourseCheckRow, CourseDriftRow, CourseRuleRow, EnrolmentRow, MoodleUserRow
from lucy.db.tables_letters import LetterPageRow, LetterPictureRow, LetterRow, ReturnMailboxRow, TemplateRow
from lucy.db.tables_people import AccountGroupRow, AccountRow, DirectoryCursorRow, DriftRow, FormerEmailRow, StudentRow
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
    TrialLetterRow,
)
from lucy.db.tables_safety import ConfigEntryRow, DownloadRow, GeneralPauseRow, OutageRow
from lucy.db.tables_source import CheckpointRow, HeldRecordRow, IngestPayloadRow, IngestRunRow, ListingRow

__all__ = [
    "AccountGroupRow",
    "AccountRow",
    "ApprovalRow",
    "AuditEventRow",
    "AuditSealRow",
    "Base",
    "BatchRow",
    "BatchStudentRow",
    "CareerRow",
    "CheckpointRow",
    "ConfigEntryRow",
    "ConversationRow",
    "CourseCheckRow",
    "CourseDriftRow",
    "CourseRuleRow",
    "DirectoryCursorRow",
    "DownloadRow",
    "DriftRow",
    "EnrolmentRow",
    "FormerEmailRow",
    "GeneralPauseRow",
    "HeldRecordRow",
    "InboxDedupRow",
    "IngestPayloadRow",
    "IngestRunRow",
    "LetterPageRow",
    "LetterPictureRow",
    "LetterRow",
    "ListingRow",
    "MemberRow",
    "MoodleUserRow",
    "OutageRow",
    "OutboxRow",
    "PostedCardRow",
    "ReturnMailboxRow",
    "ScheduleRow",
    "ScheduleRunRow",
    "SealedSecretRow",
    "StepRow",
    "StudentHoldRow",
    "StudentRow",
    "TemplateRow",
    "TrialLetterRow",
]
