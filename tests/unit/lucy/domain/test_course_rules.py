from collections.abc import Iterable

import pytest

from lucy.domain.course_rules import CourseReason, CourseRule, Miss, judge_rules, reason_from
from lucy.domain.course_rules import courses_for as reasons_for
from lucy.domain.students import Career, Modality, Stage, Student
from tests.unit.lucy.people import career, student


def rule(id_: int, course: str, careers: str = "", modalities: str = "", commissions: str = "") -> CourseRule:
    return CourseRule(id_, course, *(frozenset(words.split()) for words in (careers, modalities, commissions)))


def of_stage(id_: int, course: str, stages: str, careers: str = "", commissions: str = "") -> CourseRule:
    return CourseRule(
        id_,
        course,
        frozenset(careers.split()),
        frozenset(),
        frozenset(commissions.split()),
        frozenset(map(Stage, stages.split())),
    )


def courses_for(student: Student, rules: Iterable[CourseRule]) -> dict[str, int]:
    return {course: reason.rule for course, reason in reasons_for(student, rules).items()}


@pytest.mark.parametrize(
    ("careers", "modalities", "covered"),
    [
        ("", "", True),
        ("CP", "", True),
        ("LE CP", "DIST", True),
        ("", "PRES DIST", True),
        ("LA", "", False),
        ("CP", "PRES", False),
        ("", "PRES", False),
        ("LA", "DIST", False),
    ],
)
def test_career_and_modality_both_have_to_match(careers: str, modalities: str, covered: bool) -> None:
    found = courses_for(student(), [rule(7, "INTRO", careers, modalities)])
    assert found == ({"INTRO": 7} if covered else {})


def test_a_career_without_modality_matches_only_rules_for_any() -> None:
    unknown = student(careers=(career(modality=None),))
    rules = [rule(1, "CUALQUIERA"), rule(2, "DISTANCIA", "", "DIST"), rule(3, "AULA", "", "PRES")]
    assert courses_for(unknown, rules) == {"CUALQUIERA": 1}


def with_commissions(*names: str) -> tuple[Career, ...]:
    return (career(commissions=names),)


RULES = [rule(1, "GENERAL", "CP"), rule(2, "COM-01", "CP", "", "01"), rule(3, "COM-02", "CP", "", "02 03")]


@pytest.mark.parametrize(
    ("commissions", "courses"),
    [
        ((), {"GENERAL": 1}),
        (("01",), {"COM-01": 2}),
        (("03",), {"COM-02": 3}),
        (("01", "02"), {"COM-01": 2, "COM-02": 3}),
        (("09",), {"GENERAL": 1}),
        (("09", "01"), {"COM-01": 2}),
    ],
)
def test_rules_naming_the_commission_win_over_those_naming_none(
    commissions: tuple[str, ...], courses: dict[str, int]
) -> None:
    assert courses_for(student(careers=with_commissions(*commissions)), RULES) == courses


def test_a_commission_of_another_career_wins_nothing() -> None:
    elsewhere = [rule(1, "GENERAL", "CP"), rule(2, "COM-01", "LA", "", "01")]
    assert courses_for(student(careers=with_commissions("01")), elsewhere) == {"GENERAL": 1}


def test_all_careers_count_each_by_itself() -> None:
    """C.17, 11: not only the first career and commission."""
    both = student(careers=(career("CP", Modality.DIST, ("01",)), career("LA", Modality.PRES)))
    rules = [*RULES, rule(4, "ADMIN", "LA", "PRES"), rule(5, "TODOS")]
    assert courses_for(both, rules) == {"ADMIN": 4, "COM-01": 2, "TODOS": 5}


def test_two_rules_for_one_course_give_it_once_by_the_first() -> None:
    assert courses_for(student(), [rule(8, "INTRO", "CP"), rule(9, "INTRO", "", "DIST")]) == {"INTRO": 8}


def test_courses_come_in_order_of_name_whatever_the_order_of_rules() -> None:
    rules = [rule(number, course) for number, course in enumerate("CBA")]
    assert list(courses_for(student(), rules)) == ["A", "B", "C"]


def test_nobody_without_careers_or_rules_gets_courses() -> None:
    assert courses_for(student(careers=()), [rule(1, "TODOS")]) == {}
    assert courses_for(student(), []) == {}


def test_rules_may_be_read_only_once() -> None:
    both = student(careers=(career("CP"), career("LA")))
    assert courses_for(both, iter([rule(1, "CONTA", "CP"), rule(2, "ADMIN", "LA")])) == {"ADMIN": 2, "CONTA": 1}


# Courses of a stage


def test_a_rule_for_a_stage_is_for_nobody_else() -> None:
    rules = [of_stage(1, "INGRESO", "aspirante ingresante", "CP"), of_stage(2, "PRIMERO", "alumno", "CP")]
    assert courses_for(student(stage=Stage.ASPIRANTE), rules) == {"INGRESO": 1}
    assert courses_for(student(stage=Stage.ALUMNO), rules) == {"PRIMERO": 2}


def test_the_courses_of_a_stage_come_beside_those_of_the_commission() -> None:
    mine = student(careers=with_commissions("01"), stage=Stage.INGRESANTE)
    assert courses_for(mine, [*RULES, of_stage(4, "BIENVENIDA", "ingresante")]) == {"BIENVENIDA": 4, "COM-01": 2}
    assert courses_for(mine, [*RULES, of_stage(4, "BIENVENIDA", "ingresante", "CP")]) == {"COM-01": 2}


def test_the_courses_of_a_stage_need_no_career() -> None:
    assert courses_for(student(careers=(), stage=Stage.ASPIRANTE), [of_stage(4, "CURSILLO", "aspirante")]) == {
        "CURSILLO": 4
    }


# Reasons


def test_the_reason_names_the_career_that_matched_and_its_commissions() -> None:
    both = student(careers=(career("LA", Modality.PRES, ("07",)), career("CP", Modality.DIST, ("01", "02"))))
    reason = reasons_for(both, [rule(9, "CONTA", "CP", "", "01")])["CONTA"]
    assert reason == CourseReason(9, both.stage.value, "CP", "DIST", ("01",))
    assert reason_from(reason.stored()) == reason
    assert reason_from({}) is None


@pytest.mark.parametrize(
    ("modality", "commissions", "groups"),
    [
        (Modality.PRES, ("02", "01"), ("PRES 01", "PRES 02")),
        (Modality.DIST, (), ("DIST",)),
        (None, ("03",), ("03",)),
        (None, (), ()),
    ],
)
def test_groups_are_of_modality_and_commission(
    modality: Modality | None, commissions: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    mine = student(careers=(career("CP", modality, commissions),))
    assert reasons_for(mine, [rule(1, "CONTA", "CP")])["CONTA"].groups == groups


def test_a_rule_that_fails_says_on_which_field_for_the_career_that_comes_nearest() -> None:
    both = student(careers=(career("LA", Modality.PRES, ("07",)), career("CP", Modality.PRES, ("01",))))
    rules = [
        rule(1, "GENERAL", "CP"),
        rule(2, "COM-01", "CP", "", "01"),
        rule(3, "COM-02", "CP", "", "02"),
        rule(4, "LEJOS", "LE", "DIST"),
        rule(5, "DISTANCIA", "CP", "DIST"),
        of_stage(6, "EGRESO", "alumno"),
    ]
    missed = {verdict.rule.course: verdict.missed for verdict in judge_rules(both, rules)}
    assert missed == {
        "GENERAL": (Miss.OUTDONE,),
        "COM-01": (),
        "COM-02": (Miss.COMMISSION,),
        "LEJOS": (Miss.CAREER, Miss.MODALITY),
        "DISTANCIA": (Miss.MODALITY,),
        "EGRESO": (Miss.STAGE,),
    }


def test_without_careers_every_rule_of_a_career_fails_on_it() -> None:
    assert [one.missed for one in judge_rules(student(careers=()), [rule(1, "TODOS")])] == [(Miss.CAREER,)]
