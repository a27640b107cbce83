"""The inverse of what one batch did, and only that."""

import dataclasses

import pytest

from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.plans import PlanRow
from lucy.domain.plans_undo import Traces, plan_undo
from lucy.domain.steps import StepState
from lucy.domain.students import StudentId

K = StepKind
WHOLE = Traces(
    StudentId(1),
    done=frozenset(
        {(kind, "") for kind in (K.ACCOUNT, K.LICENCE, K.CREDENTIALS_MAIL, K.MOODLE_USER)}
        | {(K.ENROLMENT, "A"), (K.ENROLMENT, "B")}
    ),
    has_account=True,
    account_made=True,
    enabled=True,
    licence_given=True,
    users=frozenset({""}),
    users_made=frozenset({""}),
    courses=frozenset({"A", "B", "C"}),
    made=frozenset({"A"}),
    revived=frozenset({"B"}),
)  # fmt: skip


def row(traces: Traces, options: BatchOptions | None = None) -> PlanRow:
    (found,) = plan_undo([traces], options or BatchOptions()).rows
    return found


def steps(found: PlanRow) -> list[tuple[str, str]]:
    return [(step.kind.value, step.target) for step in found.steps]


def test_everything_that_the_batch_made_is_taken_back_from_the_outside_in() -> None:
    found = row(WHOLE)
    assert steps(found) == [
        ("unenrol", "A"),
        ("suspend_enrolment", "B"),
        ("suspend_moodle_user", ""),
        ("remove_licence", ""),
        ("disable_account", ""),
        ("new_secret", ""),
        ("rectify_mail", ""),
    ]
    assert [step.kind for step in found.steps if step.state is StepState.DUE] == [
        K.UNENROL,
        K.SUSPEND_ENROLMENT,
        K.REMOVE_LICENCE,
    ]
    assert found.irreversible == (
        "la carta con credenciales ya fue aceptada; a cambio: contraseña nueva y carta de rectificación",
    )


def test_what_was_there_before_stays() -> None:
    adopted = dataclasses.replace(
        WHOLE, done=frozenset({(K.ENROLMENT, "A")}), account_made=False, licence_given=False, users_made=frozenset(),
        revived=frozenset(),
    )  # fmt: skip
    assert steps(row(adopted)) == [("unenrol", "A")]


def test_a_test_account_is_deleted_and_a_real_one_never() -> None:
    kinds = [kind for kind, _target in steps(row(dataclasses.replace(WHOLE, deletable=True)))]
    assert "delete_account" in kinds
    assert {"disable_account", "new_secret"}.isdisjoint(kinds)
    assert "delete_account" not in [kind for kind, _target in steps(row(WHOLE))]


def test_without_mail_no_letter_goes_out_and_the_password_is_changed_all_the_same() -> None:
    found = row(WHOLE, BatchOptions(mail=False))
    assert ("rectify_mail", "") not in steps(found)
    assert ("new_secret", "") in steps(found)
    assert found.irreversible == ("la carta con credenciales ya fue aceptada; a cambio: contraseña nueva",)


def test_another_batch_since_makes_the_whole_student_a_conflict() -> None:
    found = row(dataclasses.replace(WHOLE, later=frozenset({"L-0050"})))
    assert found.steps == ()
    assert found.impossible == ("otro lote les hizo algo después (L-0050): no se deshacen",)


@pytest.mark.parametrize(
    ("did", "undone"),
    [
        ({(K.DISABLE_ACCOUNT, "")}, [("enable_account", "")]),
        ({(K.ENABLE_ACCOUNT, "")}, [("disable_account", "")]),
        ({(K.UNENROL, "Z")}, [("enrolment", "Z")]),
        ({(K.SUSPEND_MOODLE_USER, "")}, [("moodle_user", "")]),
        ({(K.REMOVE_LICENCE, "")}, [("licence", "")]),
    ],
)
def test_what_took_away_is_given_back(did: set[tuple[StepKind, str]], undone: list[tuple[str, str]]) -> None:
    state = dataclasses.replace(
        WHOLE, done=frozenset(did), account_made=False, licence_given=False, users_made=frozenset(), made=frozenset(),
        revived=frozenset(), users_suspended=frozenset({""}), enabled=(K.ENABLE_ACCOUNT, "") in did,
    )  # fmt: skip
    assert steps(row(state)) == undone


@pytest.mark.parametrize("kind", [K.RECTIFY_MAIL, K.NEW_SECRET, K.DELETE_ACCOUNT])
def test_what_cannot_be_taken_back_is_named(kind: StepKind) -> None:
    found = row(Traces(StudentId(1), done=frozenset({(kind, "")})))
    assert found.steps == ()
    assert len(found.irreversible) == 1


def test_of_a_batch_that_did_nothing_there_is_nothing_to_undo() -> None:
    assert row(Traces(StudentId(1), done=frozenset())).impossible == ("ese lote no les hizo nada",)
