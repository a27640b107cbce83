"""What the tables of operations promise each other."""

from lucy.domain.operations import FOR_WHAT_WAS_DONE, LETTERS, NEEDS, PATIENT_LETTERS, StepKind


def test_a_letters_kind_ends_as_the_quota_counts_it() -> None:
    """`ix_step_letters` and the count of the day's letters go by the end of the name."""
    assert {kind for kind in StepKind if kind.value.endswith("_mail")} == LETTERS


def test_what_a_step_needs_comes_before_it() -> None:
    """A step is settled after those that it waits for."""
    order = list(StepKind)
    for kind, needed in NEEDS.items():
        for one in needed:
            assert order.index(one) < order.index(kind), (kind, one)


def test_only_letters_are_patient_or_about_what_was_done() -> None:
    assert PATIENT_LETTERS <= LETTERS
    assert FOR_WHAT_WAS_DONE <= LETTERS
