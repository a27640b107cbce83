import itertools

import pytest

from lucy.domain.course_drift import CourseDrift, in_words, judge_place, remedy

M, S, E = CourseDrift.MISSING, CourseDrift.SUSPENDED, CourseDrift.EXTRA
NONE: frozenset[CourseDrift] = frozenset()


@pytest.mark.parametrize(
    ("told", "recorded", "expected", "inside", "suspended", "drift"),
    [
        (NONE, True, True, True, False, None),
        (NONE, True, True, False, False, M),
        (NONE, False, True, False, False, None),  # nobody has enrolled them yet
        (frozenset({M}), False, True, False, False, M),  # told until it is put right
        (frozenset({M}), False, False, False, False, None),  # no rule gives it any more
        (NONE, True, True, False, True, S),
        (frozenset({S}), False, True, False, True, S),
        (NONE, False, True, False, True, None),  # Lucy suspended them herself
        (NONE, True, False, True, False, E),
        (NONE, False, False, True, False, E),
        (NONE, False, False, False, False, None),
    ],
)
def test_a_student_and_a_course(
    told: frozenset[CourseDrift],
    recorded: bool,
    expected: bool,
    inside: bool,
    suspended: bool,
    drift: CourseDrift | None,
) -> None:
    found = judge_place(told=told, recorded=recorded, expected=expected, inside=inside, suspended=suspended)
    assert found is drift


def test_what_no_rule_gives_is_never_missed() -> None:
    for recorded, inside, suspended in itertools.product([True, False], repeat=3):
        found = judge_place(
            told=frozenset(CourseDrift), recorded=recorded, expected=False, inside=inside, suspended=suspended
        )
        assert found in {None, E}


def test_each_has_words_and_a_remedy() -> None:
    assert len({in_words(one) for one in CourseDrift}) == len({remedy(one) for one in CourseDrift}) == 3
