"""Plans about accounts alone."""

import pytest

from lucy.domain.operations import BatchKind
from lucy.domain.plans import Present
from lucy.domain.plans_accounts import ACCOUNT_KINDS, plan_accounts
from tests.unit.lucy.people import student

THERE = Present(has_account=True, licensed=True)


@pytest.mark.parametrize(
    ("kind", "present", "steps"),
    [
        (BatchKind.DISABLE, THERE, [("disable_account", "due")]),
        (BatchKind.DISABLE, Present(has_account=True, enabled=False), [("disable_account", "already")]),
        (BatchKind.ENABLE, THERE, [("enable_account", "already")]),
        (BatchKind.LICENSE, Present(has_account=True), [("licence", "due")]),
        (BatchKind.LICENSE, THERE, [("licence", "already")]),
        (BatchKind.UNLICENSE, THERE, [("remove_licence", "due")]),
        (BatchKind.UNLICENSE, Present(has_account=True), [("remove_licence", "already")]),
        (BatchKind.UPDATE, THERE, [("update_account", "due")]),
        (BatchKind.RESTORE, Present(), [("restore_account", "due")]),
        (BatchKind.RESTORE, THERE, []),
    ],
)
def test_what_is_so_already_is_not_done(kind: BatchKind, present: Present, steps: list[tuple[str, str]]) -> None:
    plan = plan_accounts([(student(), present)], kind)
    assert [(step.kind.value, step.state.value) for step in plan.steps] == steps


@pytest.mark.parametrize("kind", sorted(ACCOUNT_KINDS))
def test_everybody_with_nothing_to_do_is_told_why(kind: BatchKind) -> None:
    present = THERE if kind is BatchKind.RESTORE else Present()
    (row,) = plan_accounts([(student(), present)], kind).rows
    assert row.steps == ()
    assert len(row.impossible) == 1


def test_a_new_name_is_a_reason_to_ask_again_where_names_are_written() -> None:
    def basis(kind: BatchKind, name: str) -> str:
        (row,) = plan_accounts([(student(first_name=name), THERE)], kind).rows
        return row.basis_hash

    assert basis(BatchKind.UPDATE, "Ana") != basis(BatchKind.UPDATE, "Anna")
    assert basis(BatchKind.DISABLE, "Ana") == basis(BatchKind.DISABLE, "Anna")
