"""What a press on a card asks for: the verb and the ids that travel with it.

Payloads hold ids and the version seen, never facts to be trusted: the bot reads the state again and checks the presser.
The names are an outside interface (DESIGN.md, section 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    BATCH_VIEW = "batch.view"  # refresh: the same card as this reader may see it
    BATCH_APPROVE = "batch.approve"
    BATCH_REJECT = "batch.reject"
    BATCH_CANCEL = "batch.cancel"
    BATCH_PAUSE = "batch.pause"
    BATCH_RESUME = "batch.resume"
    BATCH_RETRY = "batch.retry"
    BATCH_UNDO = "batch.undo"
    BATCH_PREVIEW = "batch.preview"  # the students of a batch, paged
    BATCH_SPLIT = "batch.split"
    BATCH_RELEASE = "batch.release"
    BATCH_DOWNLOAD = "batch.download"
    BATCH_PROPOSE = "batch.propose"  # ask for a batch over a selection
    STATUS_SHOW = "status.show"
    HELP_SHOW = "help.show"
    STUDENT_SHOW = "student.show"
    STUDENT_WHY = "student.why"
    STUDENT_REQUEST = "student.request"  # a batch for this one student
    INGEST_RELEASE = "ingest.release"  # write a reading that was held
    INGEST_DISCARD = "ingest.discard"
    LETTER_PAGE = "letter.page"  # how it looks, as a page
    LETTER_EDIT = "letter.edit"  # the form of a letter
    LETTER_PROPOSE = "letter.propose"
    LETTER_APPROVE = "letter.approve"
    LETTER_REJECT = "letter.reject"


@dataclass(frozen=True, slots=True)
class BatchPress:
    """A press on a batch card. `reason` and `confirm` come from the card's inputs, `first` pages the rows.

    `confirm` is the number of students as the approver typed it, where the card asks for it.
    """

    batch: int
    version: int
    reason: str = ""
    first: int = 1
    confirm: str = ""

    def data(self) -> dict[str, object]:
        """What the button carries; inputs are merged into it by the client."""
        data: dict[str, object] = {"batch": self.batch, "version": self.version}
        if self.first != 1:
            data["first"] = self.first
        return data

    @classmethod
    def parse(cls, data: Mapping[str, object]) -> "BatchPress | None":
        """None when the payload is not one of ours."""
        try:
            return cls(
                batch=_number(data["batch"]),
                version=_number(data["version"]),
                reason=str(data.get("reason", "")).strip()[:500],
                first=max(1, _number(data.get("first", 1))),
                confirm=str(data.get("confirm", "")).strip()[:20],
            )
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class IngestPress:
    """A press on the card of a reading that waits for a decision."""

    run: int

    def data(self) -> dict[str, object]:
        return {"run": self.run}

    @classmethod
    def parse(cls, data: Mapping[str, object]) -> "IngestPress | None":
        """None when the payload is not one of ours."""
        try:
            return cls(_number(data["run"]))
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class LetterPress:
    """A press on the card of a letter. `id` is the version shown, 0 for the one that came with Lucy.

    `version` is the newest that the presser had before them. `subject`, `html` and `reason` come from inputs.
    """

    name: str
    version: int
    id: int = 0
    subject: str = ""
    html: str = ""
    reason: str = ""

    def data(self) -> dict[str, object]:
        return {"letter": self.name, "version": self.version, "id": self.id}

    @classmethod
    def parse(cls, data: Mapping[str, object]) -> "LetterPress | None":
        """None when the payload is not one of ours."""
        try:
            return cls(
                name=str(data["letter"])[:40],
                version=_number(data["version"]),
                id=_number(data.get("id", 0)),
                subject=str(data.get("subject", "")),
                html=str(data.get("html", "")),
                reason=str(data.get("reason", "")).strip()[:500],
            )
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class StudentPress:
    """A press on the card of a student. `kind` is the operation asked for; empty where none is."""

    student: int
    kind: str = ""

    def data(self) -> dict[str, object]:
        return {"student": self.student} | ({"kind": self.kind} if self.kind else {})

    @classmethod
    def parse(cls, data: Mapping[str, object]) -> "StudentPress | None":
        """None when the payload is not one of ours."""
        try:
            return cls(student=_number(data["student"]), kind=str(data.get("kind", ""))[:20])
        except (KeyError, ValueError):
            return None


def _number(value: object) -> int:
    """Raises ValueError, also for what no database holds."""
    number = int(str(value)[:40])
    if not 0 <= number < 10**9:
        raise ValueError("not a number of ours")
    return number
