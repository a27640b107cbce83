"""Plans on several Moodle sites, with groups, and out of courses."""

import dataclasses
from collections.abc import Iterable

import pytest

from lucy.domain.course_rules import CourseRule
from lucy.domain.moodle_rules import Leaving, MoodleRules
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.plans import Plan, PlanRules, Present, plan_activation, plan_enrolment, plan_unenrolment
from lucy.domain.steps import Sibling, StepEvent, StepId, StepState, settle
from lucy.domain.students import Modality
from tests.unit.lucy.people import career, student

FULL, REMOVING = BatchOptions(), BatchOptions(removals=True)
HERE = CourseRule(1, "CONT-1", frozenset({"CP"}), frozenset())
THERE = CourseRule(2, "posgrado:TALLER", frozenset({"CP"}), frozenset())
SITES = {"": MoodleRules(groups=True), "posgrado": MoodleRules()}
BOTH = PlanRules([HERE, THERE], SITES)
INSIDE = Present(True, True, frozenset({""}), frozenset({"CONT-1"}), ours=frozenset({"CONT-1"}))
CP = student(careers=(career("CP", Modality.PRES, ("01",)),))


def said(plan: Plan) -> list[tuple[str, str, str]]:
    return [(step.kind.value, step.target, step.state.value) for step in plan.steps]


def test_courses_on_two_sites_need_a_user_on_each() -> None:
    plan = plan_activation([(CP, Present(has_account=True, licensed=True))], BOTH, FULL)
    assert said(plan)[2:] == [
        ("moodle_user", "", "due"),
        ("moodle_user", "posgrado", "due"),
        ("enrolment", "CONT-1", "waiting"),
        ("enrolment", "posgrado:TALLER", "waiting"),
        ("course_group", "CONT-1", "waiting"),
    ]


def test_an_enrolment_waits_for_the_user_of_its_own_site() -> None:
    plan = plan_activation([(CP, INSIDE)], BOTH, FULL)
    states = {(kind, target): state for kind, target, state in said(plan)}
    assert states["enrolment", "CONT-1"] == "already"
    assert states["course_group", "CONT-1"] == "due"
    assert states["moodle_user", "posgrado"] == "due"
    assert states["enrolment", "posgrado:TALLER"] == "waiting"


def siblings(*steps: tuple[StepKind, str, StepState]) -> list[Sibling]:
    return [Sibling(StepId(place), kind, state, target) for place, (kind, target, state) in enumerate(steps)]


def test_a_site_that_fails_skips_its_own_courses_and_no_other() -> None:
    moves = settle(
        siblings(
            (StepKind.MOODLE_USER, "", StepState.DONE),
            (StepKind.MOODLE_USER, "posgrado", StepState.FAILED),
            (StepKind.ENROLMENT, "CONT-1", StepState.WAITING),
            (StepKind.ENROLMENT, "posgrado:TALLER", StepState.WAITING),
            (StepKind.ENROLMENT, "HIST:1", StepState.WAITING),  # a shortname of the main site with a colon in it
        )
    )
    assert {(one.target, event) for one, event in moves} == {
        ("CONT-1", StepEvent.RELEASE),
        ("HIST:1", StepEvent.RELEASE),
        ("posgrado:TALLER", StepEvent.SKIP),
    }


def test_the_group_of_a_course_waits_for_that_course_alone() -> None:
    moves = settle(
        siblings(
            (StepKind.ENROLMENT, "A", StepState.FAILED),
            (StepKind.ENROLMENT, "B", StepState.DONE),
            (StepKind.COURSE_GROUP, "A", StepState.WAITING),
            (StepKind.COURSE_GROUP, "B", StepState.WAITING),
        )
    )
    assert {(one.target, event) for one, event in moves} == {("A", StepEvent.SKIP), ("B", StepEvent.RELEASE)}


def test_groups_that_they_are_in_are_not_joined_again() -> None:
    present = dataclasses.replace(INSIDE, groups={"CONT-1": frozenset({"PRES 01"})})
    assert ("course_group", "CONT-1", "already") in said(plan_enrolment([(CP, present)], BOTH, FULL))


def test_enrolments_keep_their_reason() -> None:
    plan = plan_enrolment([(CP, INSIDE)], BOTH, FULL)
    reasons = {step.target: dict(step.reason) for step in plan.steps if step.kind is StepKind.ENROLMENT}
    assert reasons["CONT-1"] == {
        "rule": 1,
        "stage": CP.stage.value,
        "career": "CP",
        "modality": "PRES",
        "commissions": ("01",),
    }


@pytest.mark.parametrize(
    ("leaving", "steps"),
    [
        (Leaving.UNENROL, [("unenrol", "VIEJO", "due")]),
        (Leaving.SUSPEND, [("suspend_enrolment", "VIEJO", "due")]),
        (Leaving.KEEP, []),
    ],
)
def test_leaving_a_course_is_done_as_the_site_says(leaving: Leaving, steps: list[tuple[str, str, str]]) -> None:
    """FEATURES row 54."""
    present = Present(True, True, frozenset({""}), frozenset({"VIEJO"}), ours=frozenset({"VIEJO"}))
    rules = PlanRules([], {"": MoodleRules(leaving=leaving)})
    assert said(plan_enrolment([(CP, present)], rules, REMOVING)) == steps


def out(present: Present, courses: Iterable[str] = (), leaving: Leaving = Leaving.UNENROL) -> Plan:
    rules = PlanRules([HERE], {"": MoodleRules(leaving=leaving)})
    return plan_unenrolment([(CP, present)], rules, BatchOptions(courses=tuple(courses)))


def test_staff_take_out_of_what_lucy_put_them_in() -> None:
    present = dataclasses.replace(INSIDE, courses=frozenset({"CONT-1", "AJENO"}))
    plan = out(present)
    assert said(plan) == [("unenrol", "CONT-1", "due")]
    assert plan.impossible == ((CP.id, "en algún curso no los matriculó Lucy: de ése no los saca"),)
    assert said(out(present, ["CONT-1"])) == [("unenrol", "CONT-1", "due")]
    assert out(present, ["CONT-1"]).impossible == ()


def test_who_asks_by_name_is_not_stopped_by_a_site_that_keeps() -> None:
    assert said(out(INSIDE, ["CONT-1"], Leaving.KEEP)) == [("unenrol", "CONT-1", "due")]
    assert said(out(INSIDE, ["CONT-1"], Leaving.SUSPEND)) == [("suspend_enrolment", "CONT-1", "due")]


def test_who_is_in_none_of_the_courses_is_told() -> None:
    assert out(INSIDE, ["OTRO"]).impossible == ((CP.id, "no están en esos cursos"),)
    assert out(Present()).impossible == ((CP.id, "no están en ningún curso"),)


def test_groups_of_accounts_are_joined_after_the_account() -> None:
    rules = PlanRules(account_groups=("g-1", "g-2"))
    options = BatchOptions(mail=False, moodle=False)
    there = Present(has_account=True, licensed=True, account_groups=frozenset({"g-1"}))
    assert ("account_group", "g-1", "waiting") in said(plan_activation([(CP, Present())], rules, options))
    assert said(plan_activation([(CP, there)], rules, options))[1:3] == [
        ("account_group", "g-1", "already"),
        ("account_group", "g-2", "due"),
    ]
