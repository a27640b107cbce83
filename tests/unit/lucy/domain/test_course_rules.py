import pytest

from lucy.domain.course_rules import CourseRule, courses_for
from lucy.domain.students import Career, Modality
from tests.unit.lucy.people import career, student


def rule(id_: int, course: str, careers: str = "", modalities: str = "", commissions: str = "") -> CourseRule:
    return CourseRule(id_, course, *(frozenset(words.split()) for words in (careers, modalities, commissions)))


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
