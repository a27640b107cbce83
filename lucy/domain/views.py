"""What the cards show: plain values, read from the database by `lucy/flows`, drawn by `cards/`.

Times are aware; a card writes them in the frame's zone. Students appear masked except in StudentView and BatchRow,
which are for one reader.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from lucy.domain.batches import BatchState, Relation
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.steps import StepState
from lucy.domain.students import Stage
from lucy.domain.views_ingest import HeldReason, ListReport
from lucy.errors import Remedy


@dataclass(frozen=True, slots=True)
class Frame:
    """What every card says of itself. `environment` is SIMULADOR, PRUEBA or PRODUCCIÓN."""

    environment: str
    zone: ZoneInfo
    drawn_at: datetime


class BatchAction(StrEnum):
    """What a reader may press on a batch card; the flow decides which, the card only draws them."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    UNDO = "undo"
    ROWS = "rows"
    SPLIT = "split"  # in two: what fits, and the rest
    RELEASE = "release"  # out of `held`, to be approved
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Tally:
    """How far the steps of one kind are. The counts add up to `total`."""

    kind: StepKind
    done: int = 0
    already: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    dropped: int = 0
    conflicts: int = 0  # not undone, because somebody changed it since
    left: int = 0

    @property
    def total(self) -> int:
        ended = self.done + self.already + self.failed + self.skipped + self.cancelled + self.dropped
        return ended + self.conflicts + self.left

    @property
    def to_do(self) -> int:
        """What the plan means to do: everything but what was true already when it was made."""
        return self.total - self.already


@dataclass(frozen=True, slots=True)
class Problem:
    """Steps that did not end well, grouped by what they have in common."""

    kind: StepKind
    state: StepState
    code: str
    text: str
    remedy: Remedy
    count: int
    sample: tuple[str, ...] = ()  # masked document numbers, a few


@dataclass(frozen=True, slots=True)
class Impossible:
    """Students of the selection for whom the plan can do nothing (or not all), by reason."""

    reason: str
    count: int
    sample: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the batch will take. None where it cannot be known (the system did not answer).

    `letters_today` were accepted today already, of `letters_quota` a day (0: no quota). `fits` are the students of the
    plan's order for whom seats and letters suffice; None when they suffice for all. `courses` are those in which nobody
    can be enrolled now, each with the code of why.
    """

    seats_free: int | None = None
    seats_total: int | None = None
    letters: int = 0
    letters_today: int = 0
    letters_quota: int = 0
    moodle_calls: int = 0
    duration_s: float | None = None
    fits: int | None = None
    courses: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's yes."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kin:
    """A batch that this one came from, or that came from it."""

    code: str
    relation: Relation


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why lanes stand still: a general pause (`owner` set, `until` where named) or a system that does not answer.

    `system` is empty for everything; `waiting` are this batch's steps that wait for it.
    """

    system: str
    reason: str
    owner: str = ""
    since: datetime | None = None
    until: datetime | None = None
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as one reader sees it. `version` goes into the buttons: a click on an older card changes nothing."""

    number: int
    code: str
    kind: BatchKind
    options: BatchOptions
    state: BatchState
    version: int
    selection: str
    students: int
    tallies: tuple[Tally, ...]
    requested_by: str
    requested_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    expires_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    approvers: tuple[str, ...] = ()
    requester_teams_id: str = ""  # the client that gets a view of its own (no approve button)
    impossible: tuple[Impossible, ...] = ()
    problems: tuple[Problem, ...] = ()
    forecast: Forecast | None = None
    per_minute: float | None = None
    eta_s: float | None = None
    notes: tuple[str, ...] = ()  # what a system asked for, a breakdown survived
    actions: frozenset[BatchAction] = frozenset()
    approvals: tuple[Approval, ...] = ()
    approvals_needed: int = 1  # 0: nobody has to approve
    confirm: bool = False  # whoever approves types the number of students
    sample: tuple[str, ...] = ()  # the first students, masked, each with what would be done
    parent: Kin | None = None  # where it came from; of an undo, what it undoes
    children: tuple[Kin, ...] = ()
    changes: tuple[Impossible, ...] = ()  # what changed after the approval: of its own dropped, or its parent's
    dropped: int = 0  # students
    irreversible: tuple[Impossible, ...] = ()  # what an undo cannot take back, and what is done instead
    warnings: tuple[Impossible, ...] = ()  # why a second person has to look
    obstacles: tuple[Obstacle, ...] = ()
    waits_for: tuple[tuple[str, int], ...] = ()  # batches that have some of its students in hand, and how many
    maybe_twice: int = 0  # letters whose acceptance could not be known and that were sent again


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One student of a batch, for the list behind "Ver los 37"."""

    name: str
    document: str
    steps: tuple[tuple[StepKind, str, StepState], ...]  # kind, target, state
    reasons: tuple[str, ...] = ()  # why some of it cannot be done, was dropped or failed
    conflicts: tuple[tuple[StepKind, str], ...] = ()  # those of the skipped steps that somebody changed since


@dataclass(frozen=True, slots=True)
class BatchRows:
    code: str
    total: int
    first: int  # 1-based position of the first row
    rows: tuple[BatchRow, ...]
    number: int = 0  # for the paging buttons; 0: taken from the code
    version: int = 0


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    code: str
    title: str
    students: int
    requested_by: str
    since: datetime
    held: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A batch that the reader may ask for with one press; `selection` is what would be typed."""

    label: str
    selection: str
    kind: BatchKind = BatchKind.ACTIVATE


@dataclass(frozen=True, slots=True)
class ReportView:
    """The nightly report. `new_per_day` is oldest first; `absent` have an open account and are on no list any more.

    `unsent` were set a password whose letter failed, `leaks` are places where the nightly search found a secret.
    `unused`: nobody has used their password in `unused_days`. `bounced`: their letter came back, and SIAL has the same
    address; `mended`: by now it has another.
    """

    day: date
    lists: tuple[ListReport, ...]
    held: tuple[HeldReason, ...] = ()
    waiting: tuple[WaitingBatch, ...] = ()
    new_per_day: tuple[tuple[date, int], ...] = ()
    audit_head: str = ""
    audit_events: int = 0
    proposals: tuple[Proposal, ...] = ()
    absent: int = 0
    unused: int = 0
    unused_days: int = 0
    bounced: int = 0
    mended: int = 0
    unsent: int = 0
    leaks: int = 0


@dataclass(frozen=True, slots=True)
class WelcomeView:
    """Where Lucy was just added. `approvers` are administrators too; `channels` those where she posts."""

    channel: str
    administrators: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    rules: int = 0
    channels: int = 0


@dataclass(frozen=True, slots=True)
class CourseState:
    shortname: str
    state: str  # "matriculado", "pendiente", or the text of what went wrong
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of history; `action` and `outcome` are the audit's short names, which the card puts into words."""

    at: datetime
    actor: str
    action: str
    outcome: str
    about: str = ""  # a course, a batch


@dataclass(frozen=True, slots=True)
class StudentView:
    """Everything known of one student, for a reader who may see it."""

    name: str
    document: str  # written with points: 40.123.456
    document_type: str
    stage: Stage
    cohort: int | None
    careers: tuple[str, ...]  # "Contador Público, a distancia, comisión 01"
    personal_email: str
    upn: str = ""
    account_enabled: bool | None = None  # None: no account
    licensed: bool = False
    letter: str = ""  # "Carta aceptada hoy 08:15", empty when none
    moodle_username: str = ""
    courses: tuple[CourseState, ...] = ()
    open_cases: tuple[str, ...] = ()
    history: tuple[Happening, ...] = ()
    id: int = 0
    may: tuple[BatchKind, ...] = ()  # what makes sense to ask for, where the reader may


@dataclass(frozen=True, slots=True)
class SystemState:
    """One outside system, for `estado`: steps waiting for it and what it asked for."""

    name: str
    waiting_steps: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class OutageView:
    """A system that does not answer, or did not. `waiting`: steps that wait for it, or did when it was back."""

    name: str
    since: datetime
    waiting: int
    next_try_at: datetime | None = None
    closed_at: datetime | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class StatusView:
    students: tuple[tuple[Stage, int], ...]
    with_account: int
    licensed: int
    with_moodle: int
    held: int
    systems: tuple[SystemState, ...]
    last_ingest: tuple[ListReport, ...] = ()
    open_batches: tuple[WaitingBatch, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A row of `lotes`."""

    code: str
    title: str
    state: BatchState
    students: int
    requested_by: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An event; `action` and `outcome` are the audit's short names, which the card puts into words."""

    at: datetime
    actor: str
    action: str
    subject: str  # a batch code or a masked document number
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AuditView:
    """The latest events and whether the chain over all of them holds."""

    lines: tuple[AuditLine, ...]
    total: int
    sealed: int
    head: str
    intact: bool | None = None  # None: nothing sealed yet
    filter: str = ""


@dataclass(frozen=True, slots=True)
class HelpEntry:
    command: str
    does: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class HelpView:
    role: str
    entries: tuple[HelpEntry, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A batch that nobody has decided for days, for the daily nudge. `outcome` is how it was decided since.

    `mentions` are those who may decide: name and Teams id (`29:…`, empty where Lucy never met them in Teams).
    """

    code: str
    number: int
    version: int
    title: str
    students: int
    requested_by: str
    since: datetime
    expires_at: datetime | None = None
    held: bool = False
    mentions: tuple[tuple[str, str], ...] = ()
    outcome: str = ""
