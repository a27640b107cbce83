"""What a batch will do: the wanted state of each student against the present one, as steps."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from lucy.domain.course_rules import CourseRule, courses_for
from lucy.domain.operations import NEEDS, BatchOptions, StepKind
from lucy.domain.steps import GOOD_STATES, StepState
from lucy.domain.students import Stage, Student, StudentId, Upn
from lucy.texts import _


@dataclass(frozen=True, slots=True)
class Present:
    """What Lucy knows that a student has already."""

    has_account: bool = False
    licensed: bool = False
    has_moodle_user: bool = False
    courses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlannedStep:
    student_id: StudentId
    kind: StepKind
    target: str
    state: StepState


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for every student, in the order they were selected, and the reasons for what cannot be done."""

    steps: tuple[PlannedStep, ...]
    impossible: tuple[tuple[StudentId, str], ...]

    @property
    def open_steps(self) -> int:
        return sum(1 for step in self.steps if step.state is not StepState.ALREADY)

    @property
    def hash(self) -> str:
        """The same for the same plan; the approval is of this."""
        rows = [(step.student_id, step.kind.value, step.target, step.state.value) for step in self.steps]
        return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


def upn_for(document_number: str, *, prefix: str, domain: str) -> Upn:
    """The sign-in name of a student: {prefix}{DNI}@{domain}."""
    return Upn(f"{prefix}{document_number}@{domain}".lower())


def plan_activation(
    students: Iterable[tuple[Student, Present]], rules: Iterable[CourseRule], options: BatchOptions
) -> Plan:
    """Account, licence and letter, and with `options.moodle` the Moodle user and the courses of the rules.

    A preinscripto gets mail only (DOMAIN.md). An account that exists gets no letter: its password is not ours to tell.
    """
    every_rule = list(rules)
    steps: list[PlannedStep] = []
    impossible: list[tuple[StudentId, str]] = []
    for student, present in students:
        if student.stage is Stage.PREINSCRIPTO:
            impossible.append((student.id, _("son preinscriptos: no llevan cuenta")))
            continue
        wanted: list[tuple[StepKind, str, bool]] = [
            (StepKind.ACCOUNT, "", present.has_account),
            (StepKind.LICENCE, "", present.licensed),
        ]
        if options.mail and not present.has_account:
            wanted.append((StepKind.CREDENTIALS_MAIL, "", False))
        if options.moodle:
            courses = courses_for(student, every_rule)
            if not courses:
                impossible.append((student.id, _("ninguna regla les da curso: sólo cuenta y usuario de Moodle")))
            wanted.append((StepKind.MOODLE_USER, "", present.has_moodle_user))
            wanted += [(StepKind.ENROLMENT, course, course in present.courses) for course in courses]
        steps += _with_states(student.id, wanted)
    return Plan(tuple(steps), tuple(impossible))


def _with_states(student_id: StudentId, wanted: list[tuple[StepKind, str, bool]]) -> list[PlannedStep]:
    states: dict[StepKind, StepState] = {}
    planned: list[PlannedStep] = []
    for kind, target, present in wanted:
        if present:
            state = StepState.ALREADY
        elif all(states.get(needed, StepState.ALREADY) in GOOD_STATES for needed in NEEDS[kind]):
            state = StepState.DUE
        else:
            state = StepState.WAITING
        if kind is not StepKind.ENROLMENT:
            states[kind] = state
        planned.append(PlannedStep(student_id, kind, target, state))
    return planned
