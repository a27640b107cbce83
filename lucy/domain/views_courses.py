"""What cards show of course rules: who they are for, what is wrong with a course, why a student gets one or not."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule. `who` says for whom; `problems` are those found at the last look at its course, as people say them."""

    course: str
    who: str
    active: bool = True
    problems: tuple[str, ...] = ()
    checked: bool = False


@dataclass(frozen=True, slots=True)
class RulesView:
    """All rules in the order of their courses. `checked_at`: the oldest of the last looks; None: never looked.

    `asked`: somebody has just had Moodle asked; the card is drawn again when it has answered.
    """

    lines: tuple[RuleLine, ...]
    checked_at: datetime | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class CourseLine:
    """A course of the tester: why the student gets it, or why not."""

    course: str
    why: str


@dataclass(frozen=True, slots=True)
class RuleTestView:
    """What the rules give one student. `document` as the reader may see it."""

    name: str
    document: str
    about: str
    given: tuple[CourseLine, ...]
    others: tuple[CourseLine, ...]
