"""What a batch will do: the wanted state of each student against the present one, as steps."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from lucy.domain.basis import Basis, Fact, basis_hash, listed, print_of
from lucy.domain.course_rules import CourseRule, courses_for
from lucy.domain.operations import NEEDS, BatchKind, BatchOptions, StepKind
from lucy.domain.steps import GOOD_STATES, StepState
from lucy.domain.students import Stage, Student, StudentId, Upn
from lucy.texts import _


@dataclass(frozen=True, slots=True)
class Present:
    """What Lucy knows that a student has already. `ours` are the courses that Lucy put them in."""

    has_account: bool = False
    licensed: bool = False
    has_moodle_user: bool = False
    courses: frozenset[str] = frozenset()
    enabled: bool = True
    ours: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlannedStep:
    student_id: StudentId
    kind: StepKind
    target: str
    state: StepState


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One student: what will be done, what cannot be and why, and the facts that this rests on."""

    student_id: StudentId
    steps: tuple[PlannedStep, ...]
    impossible: tuple[str, ...] = ()
    irreversible: tuple[str, ...] = ()
    basis: Basis = field(default_factory=dict)

    @property
    def basis_hash(self) -> str:
        return basis_hash(self.basis)


@dataclass(frozen=True, slots=True)
class Plan:
    """A row for every student, in the order they were selected."""

    rows: tuple[PlanRow, ...]

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        return tuple(step for row in self.rows for step in row.steps)

    @property
    def impossible(self) -> tuple[tuple[StudentId, str], ...]:
        return tuple((row.student_id, reason) for row in self.rows for reason in row.impossible)

    @property
    def irreversible(self) -> tuple[tuple[StudentId, str], ...]:
        return tuple((row.student_id, reason) for row in self.rows for reason in row.irreversible)

    @property
    def open_steps(self) -> int:
        return sum(1 for step in self.steps if step.state is not StepState.ALREADY)

    @property
    def hash(self) -> str:
        """The same for the same plan over the same facts; the approval is of this."""
        rows = [
            (row.student_id, row.basis_hash, [(one.kind.value, one.target, one.state.value) for one in row.steps])
            for row in self.rows
        ]
        return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


People = Iterable[tuple[Student, Present]]
Wanted = tuple[StepKind, str, bool]  # kind, target, whether it is so already


def upn_for(document_number: str, *, prefix: str, domain: str) -> Upn:
    """The sign-in name of a student: {prefix}{DNI}@{domain}."""
    return Upn(f"{prefix}{document_number}@{domain}".lower())


def plan_activation(people: People, rules: Iterable[CourseRule], options: BatchOptions, config: str = "") -> Plan:
    """Account, licence and letter, and with `options.moodle` the Moodle user and the courses of the rules.

    A preinscripto gets mail only (DOMAIN.md). An account that exists gets no letter: its password is not ours to tell.
    `config` is a print of the settings that the plan rests on.
    """
    every_rule = list(rules)
    return Plan(tuple(_activation(student, present, every_rule, options, config) for student, present in people))


def _activation(
    student: Student, present: Present, rules: Sequence[CourseRule], options: BatchOptions, config: str
) -> PlanRow:
    courses = courses_for(student, rules) if options.moodle else {}
    basis = _basis(student, present, courses, rules, moodle=options.moodle, config=config)
    if student.stage is Stage.PREINSCRIPTO:
        return PlanRow(student.id, (), (_("son preinscriptos: no llevan cuenta"),), basis=basis)
    if present.has_account and not present.enabled:
        return PlanRow(student.id, (), (_("su cuenta está deshabilitada: primero hay que habilitarla"),), basis=basis)
    impossible: tuple[str, ...] = ()
    wanted: list[Wanted] = [
        (StepKind.ACCOUNT, "", present.has_account),
        (StepKind.LICENCE, "", present.licensed),
    ]
    if options.mail and not present.has_account:
        wanted.append((StepKind.CREDENTIALS_MAIL, "", False))
    if options.moodle:
        if not courses:
            impossible = (_("ninguna regla les da curso: sólo cuenta y usuario de Moodle"),)
        wanted.append((StepKind.MOODLE_USER, "", present.has_moodle_user))
        wanted += [(StepKind.ENROLMENT, course, course in present.courses) for course in courses]
    return PlanRow(student.id, steps_for(student.id, wanted), impossible, basis=basis)


def plan_enrolment(people: People, rules: Iterable[CourseRule], options: BatchOptions, config: str = "") -> Plan:
    """The Moodle user and the courses of the rules; with `options.removals` out of the courses that Lucy put them in
    and no rule gives any more (FEATURES row 53: only enrolments Lucy made)."""
    every_rule = list(rules)
    return Plan(tuple(_enrolment(student, present, every_rule, options, config) for student, present in people))


def _enrolment(
    student: Student, present: Present, rules: Sequence[CourseRule], options: BatchOptions, config: str
) -> PlanRow:
    courses = courses_for(student, rules)
    basis = _basis(student, present, courses, rules, moodle=True, config=config)
    if not present.has_account:
        return PlanRow(student.id, (), (_("no tienen cuenta: primero hay que activarlos"),), basis=basis)
    stale = sorted(present.ours - set(courses)) if options.removals else []
    if not options.additions:
        # Courses that they were put in meanwhile are no reason to ask again whether they leave the others.
        basis |= {Fact.COURSES.value: listed(stale), Fact.MOODLE_USER.value: ""}
        return PlanRow(
            student.id, steps_for(student.id, [(StepKind.UNENROL, one, False) for one in stale]), basis=basis
        )
    impossible = () if courses else (_("ninguna regla les da curso"),)
    wanted: list[Wanted] = []
    if courses:
        wanted.append((StepKind.MOODLE_USER, "", present.has_moodle_user))
        wanted += [(StepKind.ENROLMENT, course, course in present.courses) for course in courses]
    wanted += [(StepKind.UNENROL, course, False) for course in stale]
    return PlanRow(student.id, steps_for(student.id, wanted), impossible, basis=basis)


def plan_switch(people: People, kind: BatchKind) -> Plan:
    """Accounts disabled, or enabled again."""
    return Plan(tuple(_switch(student, present, enable=kind is BatchKind.ENABLE) for student, present in people))


def _switch(student: Student, present: Present, *, enable: bool) -> PlanRow:
    basis = {Fact.ACCOUNT.value: _account_fact(present)}
    if not present.has_account:
        return PlanRow(student.id, (), (_("no tienen cuenta"),), basis=basis)
    kind = StepKind.ENABLE_ACCOUNT if enable else StepKind.DISABLE_ACCOUNT
    wanted = [(kind, "", present.enabled is enable)]
    return PlanRow(student.id, steps_for(student.id, wanted), basis=basis)


def _basis(
    student: Student,
    present: Present,
    courses: Iterable[str],
    rules: Iterable[CourseRule],
    *,
    moodle: bool,
    config: str,
) -> dict[str, str]:
    """Only the facts that the plan uses: a change of any other is nobody's business."""
    facts = {
        Fact.NAME: print_of([student.first_name, student.last_name, student.document_number]),
        Fact.EMAIL: print_of(student.personal_email),
        Fact.STAGE: student.stage.value,
        Fact.ACCOUNT: _account_fact(present),
        Fact.LICENCE: str(present.licensed),
        Fact.CONFIG: config,
    }
    if moodle:
        wanted = set(courses)
        facts |= {
            Fact.CAREERS: print_of([asdict(career) for career in student.careers]),
            Fact.MOODLE_USER: str(present.has_moodle_user),
            Fact.COURSES: listed(present.courses),
            Fact.RULES: print_of(sorted(_rule_fact(rule) for rule in rules if rule.course in wanted)),
        }
    return {fact.value: value for fact, value in facts.items()}


def _account_fact(present: Present) -> str:
    return f"{present.has_account} {present.enabled}"


def _rule_fact(rule: CourseRule) -> list[str]:
    """A rule by what it says: the same rule imported again has another id."""
    return [rule.course, *(listed(one) for one in (rule.careers, rule.modalities, rule.commissions))]


def steps_for(student_id: StudentId, wanted: Iterable[Wanted]) -> tuple[PlannedStep, ...]:
    """Steps with their first states: already so, due, or waiting for another step of the same student."""
    every = list(wanted)
    states: dict[StepKind, StepState] = {}
    planned: list[PlannedStep] = []
    for kind, target, present in every:
        needed = [states.get(one, StepState.ALREADY) for one in NEEDS[kind]]
        if present:
            state = StepState.ALREADY
        else:
            state = StepState.DUE if all(one in GOOD_STATES for one in needed) else StepState.WAITING
        if states.get(kind) is None or state not in GOOD_STATES:
            states[kind] = state
        planned.append(PlannedStep(student_id, kind, target, state))
    return tuple(planned)
