import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.domain.course_rules import CourseRule
from lucy.domain.operations import NEEDS, BatchOptions, StepKind
from lucy.domain.plans import Plan, PlannedStep, PlanRow, PlanRules, Present, plan_activation, upn_for
from lucy.domain.steps import StepState
from lucy.domain.students import Stage, StudentId
from tests.unit.lucy.people import THOROUGHLY, student

RULES = [CourseRule(1, "B-CONTA", frozenset({"CP"}), frozenset()), CourseRule(2, "A-INTRO", frozenset(), frozenset())]
FULL = BatchOptions()


def planned(present: Present, options: BatchOptions = FULL, **changes: Any) -> list[tuple[str, str, str]]:
    plan = plan_activation([(student(**changes), present)], PlanRules(RULES), options)
    return [(step.kind.value, step.target, step.state.value) for step in plan.steps]


def test_a_new_student_gets_everything_in_the_order_it_is_done() -> None:
    assert planned(Present()) == [
        ("account", "", "due"),
        ("licence", "", "waiting"),
        ("credentials_mail", "", "waiting"),
        ("moodle_user", "", "waiting"),
        ("enrolment", "A-INTRO", "waiting"),
        ("enrolment", "B-CONTA", "waiting"),
    ]


def test_an_account_that_exists_gets_no_letter() -> None:
    """C.17, 4: the letter would tell a password that was never set."""
    assert planned(Present(has_account=True)) == [
        ("account", "", "already"),
        ("licence", "", "due"),
        ("moodle_user", "", "due"),
        ("enrolment", "A-INTRO", "waiting"),
        ("enrolment", "B-CONTA", "waiting"),
    ]


def test_only_what_is_missing_is_done() -> None:
    present = Present(
        has_account=True, licensed=True, moodle_users=frozenset({""}), courses=frozenset({"A-INTRO", "OTRO"})
    )
    assert planned(present) == [
        ("account", "", "already"),
        ("licence", "", "already"),
        ("moodle_user", "", "already"),
        ("enrolment", "A-INTRO", "already"),
        ("enrolment", "B-CONTA", "due"),
    ]


def test_a_moodle_user_without_account_can_be_enrolled_at_once() -> None:
    states = {(kind, target): state for kind, target, state in planned(Present(moodle_users=frozenset({""})))}
    assert states["moodle_user", ""] == "already"
    assert states["enrolment", "A-INTRO"] == "due"
    assert states["credentials_mail", ""] == "waiting"


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (BatchOptions(), ["account", "licence", "credentials_mail", "moodle_user", "enrolment", "enrolment"]),
        (BatchOptions(mail=False), ["account", "licence", "moodle_user", "enrolment", "enrolment"]),
        (BatchOptions(moodle=False), ["account", "licence", "credentials_mail"]),
        (BatchOptions(mail=False, moodle=False), ["account", "licence"]),
    ],
)
def test_the_options_leave_steps_out(options: BatchOptions, kinds: list[str]) -> None:
    assert [kind for kind, _target, _state in planned(Present(), options)] == kinds


@pytest.mark.parametrize("present", [Present(), Present(has_account=True, moodle_users=frozenset({""}))])
def test_a_preinscripto_gets_no_step_and_a_reason(present: Present) -> None:
    plan = plan_activation([(student(stage=Stage.PREINSCRIPTO), present)], PlanRules(RULES), FULL)
    assert plan.steps == ()
    assert plan.impossible == ((1, "son preinscriptos: no llevan cuenta"),)
    assert plan.open_steps == 0


@pytest.mark.parametrize("stage", [Stage.ASPIRANTE, Stage.INGRESANTE, Stage.ALUMNO])
def test_all_other_stages_are_activated(stage: Stage) -> None:
    assert planned(Present(), stage=stage)[0] == ("account", "", "due")


def test_no_course_is_said_and_the_rest_is_done() -> None:
    plan = plan_activation([(student(), Present())], PlanRules(), FULL)
    assert [step.kind.value for step in plan.steps] == ["account", "licence", "credentials_mail", "moodle_user"]
    assert plan.impossible == ((1, "ninguna regla les da curso: sólo cuenta y usuario de Moodle"),)


def test_no_course_matters_only_where_moodle_is_wanted() -> None:
    assert plan_activation([(student(), Present())], PlanRules(), BatchOptions(moodle=False)).impossible == ()


def test_students_keep_the_order_of_the_selection() -> None:
    people = [(student(number), Present()) for number in (3, 1, 2)]
    people.insert(1, (student(4, stage=Stage.PREINSCRIPTO), Present()))
    plan = plan_activation(people, PlanRules(RULES), BatchOptions(mail=False, moodle=False))
    assert [step.student_id for step in plan.steps] == [3, 3, 1, 1, 2, 2]
    assert [student_id for student_id, _reason in plan.impossible] == [4]


def test_open_steps_are_those_not_true_already() -> None:
    everything = Present(True, True, frozenset({""}), frozenset({"A-INTRO", "B-CONTA"}))
    plan = plan_activation([(student(1), Present()), (student(2), everything)], PlanRules(RULES), FULL)
    assert (len(plan.steps), plan.open_steps) == (11, 6)
    assert plan_activation([(student(2), everything)], PlanRules(RULES), FULL).open_steps == 0


PRESENTS = st.builds(
    Present,
    st.booleans(),
    st.booleans(),
    st.sampled_from([frozenset(), frozenset({""})]),
    st.frozensets(st.sampled_from(["A-INTRO", "B-CONTA", "OTRO"])),
)


@THOROUGHLY
@given(PRESENTS, st.builds(BatchOptions, st.booleans(), st.booleans()))
def test_a_step_waits_exactly_for_what_is_not_there_yet(present: Present, options: BatchOptions) -> None:
    steps = plan_activation([(student(), present)], PlanRules(RULES), options).steps
    assert len({(step.kind, step.target) for step in steps}) == len(steps)
    for place, step in enumerate(steps):
        needed = [one for one in steps[:place] if one.kind in NEEDS[step.kind]]
        if step.state is StepState.WAITING:
            assert any(one.state is not StepState.ALREADY for one in needed)
        elif step.state is StepState.DUE:
            assert all(one.state is StepState.ALREADY for one in needed)
    has_letter = any(step.kind is StepKind.CREDENTIALS_MAIL for step in steps)
    assert has_letter == (options.mail and not present.has_account)


STEP = PlannedStep(StudentId(1), StepKind.ACCOUNT, "", StepState.DUE)
OTHER = PlannedStep(StudentId(2), StepKind.ENROLMENT, "A-INTRO", StepState.WAITING)
ROW, OTHER_ROW = PlanRow(StudentId(1), (STEP,)), PlanRow(StudentId(2), (OTHER,))


def test_the_hash_is_the_same_for_the_same_plan_for_ever() -> None:
    """It is stored with the approval: another way of computing it would make old approvals look forged."""
    # sha256 of [[1,"",[["account","","due"]]],[2,"",[["enrolment","A-INTRO","waiting"]]]]
    expected = "82a15996761a741a084d331309ba15f9bf62d2c736761fd0ca7b835429ebe003"
    assert Plan((ROW, OTHER_ROW)).hash == expected
    in_words = dataclasses.replace(OTHER_ROW, impossible=("en cualquier idioma",))
    assert Plan((ROW, in_words)).hash == expected


@pytest.mark.parametrize(
    "change",
    [
        {"kind": StepKind.MOODLE_USER},
        {"target": "B-CONTA"},
        {"state": StepState.DUE},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_tells_every_change(change: dict[str, Any]) -> None:
    changed = dataclasses.replace(OTHER_ROW, steps=(dataclasses.replace(OTHER, **change),))
    assert Plan((ROW, changed)).hash != Plan((ROW, OTHER_ROW)).hash


@pytest.mark.parametrize("change", [{"student_id": StudentId(7)}, {"basis": {"stage": "alumno"}}])
def test_the_hash_tells_who_and_on_what_facts(change: dict[str, Any]) -> None:
    assert Plan((ROW, dataclasses.replace(OTHER_ROW, **change))).hash != Plan((ROW, OTHER_ROW)).hash


def test_the_hash_tells_order_and_number_of_steps() -> None:
    many: list[tuple[PlannedStep, ...]] = [(), (STEP,), (OTHER,), (STEP, OTHER), (OTHER, STEP), (STEP, STEP)]
    hashes = {Plan((PlanRow(StudentId(1), steps),)).hash for steps in many}
    assert len(hashes) == 6


@pytest.mark.parametrize(
    ("prefix", "domain", "upn"),
    [
        ("a", "eco.unrc.edu.ar", "a40123456@eco.unrc.edu.ar"),
        ("test-a", "Eco.UNRC.edu.ar", "test-a40123456@eco.unrc.edu.ar"),
        ("A", "x.org", "a40123456@x.org"),
    ],
)
def test_the_sign_in_name(prefix: str, domain: str, upn: str) -> None:
    assert upn_for("40123456", prefix=prefix, domain=domain) == upn
