"""The facts that an approval is of."""

import dataclasses
from typing import Any

import pytest

from lucy.domain.basis import Fact, basis_hash, changes
from lucy.domain.course_rules import CourseRule
from lucy.domain.operations import BatchOptions
from lucy.domain.plans import PlanRow, PlanRules, Present, plan_activation
from lucy.domain.students import Modality, Stage
from tests.unit.lucy.people import career, student

RULES = [CourseRule(1, "CONT-1", frozenset({"CP"}), frozenset())]
FULL, NO_MOODLE = BatchOptions(), BatchOptions(moodle=False)


def row(present: Present | None = None, options: BatchOptions = FULL, config: str = "", **facts: Any) -> PlanRow:
    (found,) = plan_activation(
        [(student(**facts), present or Present())], PlanRules(RULES, config=config), options
    ).rows
    return found


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"first_name": "Eva"}, "cambió el nombre"),
        ({"last_name": "Otra"}, "cambió el nombre"),
        ({"personal_email": "otra@example.com"}, "cambió el correo"),
        ({"stage": Stage.INGRESANTE}, "pasó de aspirante a ingresante"),
        ({"careers": (career(modality=Modality.PRES),)}, "cambió la carrera, la modalidad o la comisión"),
        ({"careers": (career(commissions=("07",)),)}, "cambió la carrera, la modalidad o la comisión"),
    ],
)
def test_a_fact_of_the_source_that_differs_is_named_without_its_value(facts: dict[str, Any], says: str) -> None:
    before, after = row(), row(**facts)
    assert before.basis_hash != after.basis_hash
    assert changes(before.basis, after.basis) == (says,)
    assert not any("example.com" in value or "Suárez" in value for value in before.basis.values())


@pytest.mark.parametrize(
    ("present", "says"),
    [
        (Present(has_account=True), "cambió su cuenta"),
        (Present(has_account=True, licensed=True), "cambió su licencia"),
        (Present(moodle_users=frozenset({""})), "cambió su usuario de Moodle"),
        (Present(courses=frozenset({"X-1"})), "cambiaron sus cursos: antes —; ahora X-1"),
    ],
)
def test_what_a_student_has_by_now_is_told(present: Present, says: str) -> None:
    assert says in changes(row().basis, row(present).basis)


@pytest.mark.parametrize("facts", [{"locality": "Otra"}, {"cohort": 2027}, {"document_type": "PAS"}])
def test_what_the_plan_does_not_use_does_not_count(facts: dict[str, Any]) -> None:
    assert row().basis_hash == row(**facts).basis_hash


def test_without_moodle_neither_careers_nor_courses_count() -> None:
    other = row(Present(courses=frozenset({"X-1"})), NO_MOODLE, careers=(career("LA"),))
    assert row(options=NO_MOODLE).basis_hash == other.basis_hash


def test_a_rule_counts_by_what_it_says_not_by_its_number() -> None:
    def with_rules(*rules: CourseRule) -> PlanRow:
        (found,) = plan_activation([(student(), Present())], PlanRules(rules), FULL).rows
        return found

    same = with_rules(dataclasses.replace(RULES[0], id=99))
    stricter = with_rules(dataclasses.replace(RULES[0], modalities=frozenset({"DIST"})))
    foreign = with_rules(*RULES, CourseRule(2, "ADM-1", frozenset({"LA"}), frozenset()))
    assert row().basis_hash == same.basis_hash == foreign.basis_hash
    assert changes(row().basis, stricter.basis) == ("cambiaron las reglas de cursos que le tocan",)


def test_the_configuration_counts_for_everybody() -> None:
    assert changes(row().basis, row(config="other").basis) == ("cambió la configuración",)


def test_nothing_is_told_twice_and_everything_has_words() -> None:
    for fact in Fact:
        (told,) = changes({fact.value: "a"}, {fact.value: "b"})
        assert told
        assert told == told.strip().rstrip(".")
    assert basis_hash({}) == ""
