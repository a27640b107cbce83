"""Which Moodle courses a student belongs in, and by which rule."""

from collections.abc import Iterable
from dataclasses import dataclass

from lucy.domain.students import Career, Student


@dataclass(frozen=True, slots=True)
class CourseRule:
    """Careers × modalities × commissions → a Moodle shortname. An empty set means any."""

    id: int
    course: str
    careers: frozenset[str]
    modalities: frozenset[str]
    commissions: frozenset[str] = frozenset()

    def covers(self, career: Career) -> bool:
        """Whether career and modality match; the commission is judged by `courses_for`."""
        modality = career.modality.value if career.modality else ""
        return (not self.careers or career.code in self.careers) and (
            not self.modalities or modality in self.modalities
        )


def courses_for(student: Student, rules: Iterable[CourseRule]) -> dict[str, int]:
    """Shortname → id of the rule that gave it, over all careers of the student.

    For each career the rules that name one of its commissions win over those that name none.
    """
    every = list(rules)
    chosen: dict[str, int] = {}
    for career in student.careers:
        covering = [rule for rule in every if rule.covers(career)]
        exact = [rule for rule in covering if rule.commissions & set(career.commissions)]
        for rule in exact or [rule for rule in covering if not rule.commissions]:
            chosen.setdefault(rule.course, rule.id)
    return dict(sorted(chosen.items()))
