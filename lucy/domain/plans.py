"""What a batch will do: the wanted state of each student against the present one, as steps."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lucy.domain.basis import Basis, Fact, basis_hash, listed, print_of
from lucy.domain.course_rules import CourseReason, CourseRule, courses_for
from lucy.domain.moodle_rules import MAIN_SITE, Leaving, MoodleRules, site_and_course
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.steps import GOOD_STATES, StepState, needed_by
from lucy.domain.students import Stage, Student, StudentId, Upn
from lucy.texts import _


@dataclass(frozen=True, slots=True)
class Present:
    """What Lucy knows that a student has already.

    `moodle_users` are the sites where they have a user that may enter (the main one is ""). `courses` are those they
    are active in, `ours` those of them that Lucy put them in. `groups` are the groups of each course, `account_groups`
    the ids of the Entra groups that they are in. `contact_changed`: their personal address is new, or another than the
    one that got their last password; `former_contact`: the one before is known, and letters reach it. `bounced`: a
    letter to the present address came back. `former_stage`: what they were before, where nobody has told them that they
    are something else now.
    """

    has_account: bool = False
    licensed: bool = False
    moodle_users: frozenset[str] = frozenset()
    courses: frozenset[str] = frozenset()
    enabled: bool = True
    ours: frozenset[str] = frozenset()
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    account_groups: frozenset[str] = frozenset()
    contact_changed: bool = False
    former_contact: bool = False
    bounced: bool = False
    welcomed: bool = False
    former_stage: str = ""


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What the installation has staff's requests mean.

    `sites` are the Moodle sites by name, `account_groups` the ids of the Entra groups that every account joins.
    `config` is a print of the settings that the plan rests on.
    """

    courses: Sequence[CourseRule] = ()
    sites: Mapping[str, MoodleRules] = field(default_factory=lambda: {MAIN_SITE: MoodleRules()})
    account_groups: tuple[str, ...] = ()
    config: str = ""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """`reason` is why it is in the plan, as it is kept (`CourseReason.stored`); empty where there is none to tell."""

    student_id: StudentId
    kind: StepKind
    target: str
    state: StepState
    reason: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One student: what will be done, what cannot be and why, and the facts that this rests on.

    `warnings`: why a second person has to look at it.
    """

    student_id: StudentId
    steps: tuple[PlannedStep, ...]
    impossible: tuple[str, ...] = ()
    irreversible: tuple[str, ...] = ()
    basis: Basis = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

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
    def warnings(self) -> tuple[tuple[StudentId, str], ...]:
        """What a second person has to look at, whatever the setting asks for."""
        return tuple((row.student_id, reason) for row in self.rows for reason in row.warnings)

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step to be; `present`: it is so already."""

    kind: StepKind
    target: str = ""
    present: bool = False
    reason: Mapping[str, Any] = field(default_factory=dict)


People = Iterable[tuple[Student, Present]]


def upn_for(document_number: str, *, prefix: str, domain: str) -> Upn:
    """The sign-in name of a student: {prefix}{DNI}@{domain}."""
    return Upn(f"{prefix}{document_number}@{domain}".lower())


def plan_activation(people: People, rules: PlanRules, options: BatchOptions) -> Plan:
    """Account, groups, licence and letter, and with `options.moodle` the Moodle user and the courses of the rules.

    A preinscripto gets mail only (DOMAIN.md). An account that exists gets no letter: its password is not ours to tell.
    """
    return Plan(tuple(_activation(student, present, rules, options) for student, present in people))


def _activation(student: Student, present: Present, rules: PlanRules, options: BatchOptions) -> PlanRow:
    courses = courses_for(student, rules.courses) if options.moodle else {}
    basis = _basis(student, present, courses, rules, moodle=options.moodle)
    if student.stage is Stage.PREINSCRIPTO:
        return PlanRow(student.id, (), (_("son preinscriptos: no llevan cuenta"),), basis=basis)
    if present.has_account and not present.enabled:
        return PlanRow(student.id, (), (_("su cuenta está deshabilitada: primero hay que habilitarla"),), basis=basis)
    impossible: tuple[str, ...] = ()
    wanted = [
        Wanted(StepKind.ACCOUNT, present=present.has_account),
        *(Wanted(StepKind.ACCOUNT_GROUP, one, one in present.account_groups) for one in rules.account_groups),
        Wanted(StepKind.LICENCE, present=present.licensed),
    ]
    if options.mail and not present.has_account:
        wanted.append(Wanted(StepKind.CREDENTIALS_MAIL))
    if options.moodle:
        if not courses:
            impossible = (_("ninguna regla les da curso: sólo cuenta y usuario de Moodle"),)
            wanted.append(Wanted(StepKind.MOODLE_USER, present=MAIN_SITE in present.moodle_users))
        wanted += _into_courses(present, courses, rules, told=options.course_mail)
    return PlanRow(student.id, steps_for(student.id, wanted), impossible, basis=basis)


def plan_enrolment(people: People, rules: PlanRules, options: BatchOptions) -> Plan:
    """The Moodle user and the courses of the rules; with `options.removals` out of the courses that Lucy put them in
    and no rule gives any more (FEATURES row 53: only enrolments Lucy made), as each site's setting has it (row 54)."""
    return Plan(tuple(_enrolment(student, present, rules, options) for student, present in people))


def _enrolment(student: Student, present: Present, rules: PlanRules, options: BatchOptions) -> PlanRow:
    courses = courses_for(student, rules.courses)
    basis = _basis(student, present, courses, rules, moodle=True)
    if not present.has_account:
        return PlanRow(student.id, (), (_("no tienen cuenta: primero hay que activarlos"),), basis=basis)
    stale = sorted(present.ours - set(courses)) if options.removals else []
    leaving = [one for course in stale if (one := _out_of(course, rules)) is not None]
    if not options.additions:
        # Courses that they were put in meanwhile are no reason to ask again whether they leave the others.
        basis |= {Fact.COURSES.value: listed(stale), Fact.MOODLE_USER.value: ""}
        return PlanRow(student.id, steps_for(student.id, leaving), basis=basis)
    impossible = () if courses else (_("ninguna regla les da curso"),)
    entering = _into_courses(present, courses, rules, told=options.course_mail)
    return PlanRow(student.id, steps_for(student.id, [*entering, *leaving]), impossible, basis=basis)


def _into_courses(
    present: Present, courses: Mapping[str, CourseReason], rules: PlanRules, *, told: bool
) -> list[Wanted]:
    """A user on each site of the courses, the enrolments, and the groups where the site has them.

    `told`: a letter, where there is something new in it.
    """
    places = {course: site_and_course(course, rules.sites)[0] for course in courses}
    wanted = [Wanted(StepKind.MOODLE_USER, site, site in present.moodle_users) for site in sorted(set(places.values()))]
    for course, reason in courses.items():
        wanted.append(Wanted(StepKind.ENROLMENT, course, course in present.courses, reason.stored()))
    for course, reason in courses.items():
        if rules.sites[places[course]].groups and reason.groups:
            joined = set(reason.groups) <= present.groups.get(course, frozenset())
            wanted.append(Wanted(StepKind.COURSE_GROUP, course, joined, reason.stored()))
    if told and set(courses) - present.courses:
        wanted.append(Wanted(StepKind.ENROLMENT_MAIL))
    return wanted


def _out_of(course: str, rules: PlanRules, *, at_all_costs: bool = False) -> Wanted | None:
    """As the course's site says; None where it keeps them. `at_all_costs`: somebody asked for it by name."""
    leaving = rules.sites[site_and_course(course, rules.sites)[0]].leaving
    if leaving is Leaving.KEEP and not at_all_costs:
        return None
    return Wanted(StepKind.SUSPEND_ENROLMENT if leaving is Leaving.SUSPEND else StepKind.UNENROL, course)


def plan_unenrolment(people: People, rules: PlanRules, options: BatchOptions) -> Plan:
    """Out of the courses that Lucy put them in: of `options.courses`, or of all where none is named."""
    return Plan(tuple(_unenrolment(student, present, rules, options) for student, present in people))


def _unenrolment(student: Student, present: Present, rules: PlanRules, options: BatchOptions) -> PlanRow:
    meant = set(options.courses)
    theirs = {one for one in present.courses if not meant or one in meant}
    ours = sorted(theirs & present.ours)
    basis = {Fact.COURSES.value: listed(ours), Fact.CONFIG.value: rules.config}
    leaving = [one for course in ours if (one := _out_of(course, rules, at_all_costs=True)) is not None]
    impossible: tuple[str, ...] = ()
    if theirs - present.ours:
        impossible = (_("en algún curso no los matriculó Lucy: de ése no los saca"),)
    elif not theirs:
        impossible = (_("no están en esos cursos") if meant else _("no están en ningún curso"),)
    return PlanRow(student.id, steps_for(student.id, leaving), impossible, basis=basis)


def _basis(
    student: Student, present: Present, courses: Iterable[str], rules: PlanRules, *, moodle: bool
) -> dict[str, str]:
    """Only the facts that the plan uses: a change of any other is nobody's business."""
    facts = {
        Fact.NAME: print_of([student.first_name, student.last_name, student.document_number]),
        Fact.EMAIL: print_of(student.personal_email),
        Fact.STAGE: student.stage.value,
        Fact.ACCOUNT: account_fact(present),
        Fact.LICENCE: str(present.licensed),
        Fact.CONFIG: rules.config,
    }
    if moodle:
        wanted = set(courses)
        facts |= {
            Fact.CAREERS: print_of([asdict(career) for career in student.careers]),
            Fact.MOODLE_USER: " ".join([str(MAIN_SITE in present.moodle_users), *sorted(present.moodle_users - {""})]),
            Fact.COURSES: listed(present.courses),
            Fact.RULES: print_of(sorted(_rule_fact(rule) for rule in rules.courses if rule.course in wanted)),
        }
    return {fact.value: value for fact, value in facts.items()}


def account_fact(present: Present) -> str:
    return f"{present.has_account} {present.enabled}"


def _rule_fact(rule: CourseRule) -> list[str]:
    """A rule by what it says: the same rule imported again has another id."""
    said = [rule.course, *(listed(one) for one in (rule.careers, rule.modalities, rule.commissions))]
    return [*said, listed(rule.stages)] if rule.stages else said


def steps_for(student_id: StudentId, wanted: Iterable[Wanted]) -> tuple[PlannedStep, ...]:
    """Steps with their first states: already so, due, or waiting for another step of the same student."""
    every = list(wanted)
    states: dict[tuple[StepKind, str], StepState] = {}
    for one in every:
        needed = [states.get((each.kind, each.target), StepState.WAITING) for each in needed_by(one, every)]
        if one.present:
            state = StepState.ALREADY
        else:
            state = StepState.DUE if all(each in GOOD_STATES for each in needed) else StepState.WAITING
        states[one.kind, one.target] = state
    return tuple(
        PlannedStep(student_id, one.kind, one.target, states[one.kind, one.target], one.reason) for one in every
    )
