"""Which Moodle courses a student belongs in, by which rule, and why not by the others.

For each career the rules that name one of its commissions win over those that name none (DOMAIN.md, "course rule").
A rule that names a stage and nothing of the career gives the courses of the stage, beside those of the careers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from lucy.domain.students import Career, Stage, Student


@dataclass(frozen=True, slots=True)
class CourseRule:
    """Careers × modalities × commissions × stages → a course (a shortname, or site:shortname). An empty set: any."""

    id: int
    course: str
    careers: frozenset[str]
    modalities: frozenset[str]
    commissions: frozenset[str] = frozenset()
    stages: frozenset[Stage] = frozenset()
    active: bool = True

    @property
    def of_the_stage(self) -> bool:
        """It asks for a stage and for nothing of the career."""
        return bool(self.stages) and not (self.careers or self.modalities or self.commissions)

    def misses(self, stage: Stage, career: Career) -> tuple["Miss", ...]:
        """What does not match, in the order of `Miss`; nothing: the rule is for them."""
        modality = career.modality.value if career.modality else ""
        found = (
            (Miss.STAGE, not self.stages or stage in self.stages),
            (Miss.CAREER, not self.careers or career.code in self.careers),
            (Miss.MODALITY, not self.modalities or modality in self.modalities),
            (Miss.COMMISSION, not self.commissions or bool(self.commissions & set(career.commissions))),
        )
        return tuple(miss for miss, matches in found if not matches)


class Miss(StrEnum):
    """Why a rule does not give its course."""

    STAGE = "stage"
    CAREER = "career"
    MODALITY = "modality"
    COMMISSION = "commission"
    OUTDONE = "outdone"  # it matches, and one that names the commission wins


@dataclass(frozen=True, slots=True)
class CourseReason:
    """By what a student belongs in a course: the rule as it stood, and the career it matched (empty: the stage).

    `commissions` are those of the career that the rule names, all of them where it names none.
    """

    rule: int
    stage: str
    career: str = ""
    modality: str = ""
    commissions: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of the course for modality and commission (FEATURES row 52): PRES 01; PRES without commission."""
        if not self.commissions:
            return (self.modality,) if self.modality else ()
        return tuple(f"{self.modality} {one}".strip() for one in sorted(self.commissions))

    def stored(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}


def reason_from(value: Mapping[str, Any]) -> CourseReason | None:
    """A stored reason; None where none was kept."""
    if "rule" not in value:
        return None
    return CourseReason(
        rule=int(value["rule"]),
        stage=str(value.get("stage", "")),
        career=str(value.get("career", "")),
        modality=str(value.get("modality", "")),
        commissions=tuple(map(str, value.get("commissions", ()))),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule and one student: why it gives its course, or what is missing for the career that comes nearest."""

    rule: CourseRule
    reason: CourseReason | None = None
    missed: tuple[Miss, ...] = ()


def judge_rules(student: Student, rules: Iterable[CourseRule]) -> list[Verdict]:
    """A verdict for every rule, in their order, over all careers of the student."""
    every = list(rules)
    best: dict[int, Verdict] = {}
    for career in student.careers:
        missed = {place: rule.misses(student.stage, career) for place, rule in enumerate(every)}
        exact = any(not missed[place] and rule.commissions for place, rule in enumerate(every))
        for place, rule in enumerate(every):
            outdone = exact and not missed[place] and not rule.commissions and not rule.of_the_stage
            verdict = _verdict(rule, student, career, (Miss.OUTDONE,) if outdone else missed[place])
            if place not in best or _rank(verdict) < _rank(best[place]):
                best[place] = verdict
    for place, rule in enumerate(every):
        if rule.of_the_stage and (place not in best or best[place].reason is None):
            best[place] = _of_the_stage(rule, student)
    nothing = (Miss.CAREER,)
    return [best.get(place) or Verdict(rule, missed=nothing) for place, rule in enumerate(every)]


def courses_for(student: Student, rules: Iterable[CourseRule]) -> dict[str, CourseReason]:
    """Course → why, by name; of two rules that give one course the first is told."""
    chosen: dict[str, CourseReason] = {}
    for verdict in judge_rules(student, rules):
        if verdict.reason is not None:
            chosen.setdefault(verdict.rule.course, verdict.reason)
    return dict(sorted(chosen.items()))


def _verdict(rule: CourseRule, student: Student, career: Career, missed: Sequence[Miss]) -> Verdict:
    if missed:
        return Verdict(rule, missed=tuple(missed))
    named = [one for one in career.commissions if not rule.commissions or one in rule.commissions]
    modality = career.modality.value if career.modality else ""
    return Verdict(rule, CourseReason(rule.id, student.stage.value, career.code, modality, tuple(named)))


def _of_the_stage(rule: CourseRule, student: Student) -> Verdict:
    """Also for who has no career (yet)."""
    if student.stage in rule.stages:
        return Verdict(rule, CourseReason(rule.id, student.stage.value))
    return Verdict(rule, missed=(Miss.STAGE,))


def _rank(verdict: Verdict) -> tuple[int, int]:
    """Given first, then outdone, then the fewest misses."""
    if verdict.reason is not None:
        return 0, 0
    return (1, 0) if verdict.missed == (Miss.OUTDONE,) else (2, len(verdict.missed))
