"""What cards show of letters: those of trial, and the texts of the others."""

from dataclasses import dataclass
from datetime import datetime

from lucy.domain.letters import TemplateState


@dataclass(frozen=True, slots=True)
class TrialLetterView:
    """A letter of trial. `address` is masked; `code` is empty while it is under way and when it was accepted."""

    address: str
    asked_by: str
    finished: bool = False
    code: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class LetterLine:
    """A letter of the list. Version 0 came with Lucy; `waiting` is the version that waits for a second person."""

    name: str
    means: str
    version: int
    by: str = ""
    at: datetime | None = None
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class LetterView:
    """A version of a letter, or with `id` 0 the one that came with Lucy.

    `changes` are the lines of a diff with the version before it; `text` is how it reads for a real student, masked;
    `newest` is the newest version there is; `tried_at` is empty until it was rendered for `students`. `picture` is the
    address of how it looks, empty where it was not drawn; `linkable`: a page of it can be offered.
    """

    name: str
    means: str
    places: tuple[str, ...]
    subject: str
    html: str
    text: str
    version: int = 0
    newest: int = 0
    id: int = 0
    state: TemplateState = TemplateState.LIVE
    by: str = ""
    at: datetime | None = None
    tried_at: datetime | None = None
    students: int = 0
    failed: int = 0
    failures: tuple[str, ...] = ()
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    changes: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    picture: str = ""
    linkable: bool = False
