"""Plans that are about accounts alone: in and out, licences, names, what was deleted."""

from collections.abc import Callable

from lucy.domain.basis import Fact, print_of
from lucy.domain.operations import BatchKind, StepKind
from lucy.domain.plans import People, Plan, PlanRow, Present, Wanted, account_fact, steps_for
from lucy.domain.students import Student
from lucy.texts import _

Wish = Callable[[Present], Wanted]

_WISHES: dict[BatchKind, Wish] = {
    BatchKind.DISABLE: lambda present: Wanted(StepKind.DISABLE_ACCOUNT, present=not present.enabled),
    BatchKind.ENABLE: lambda present: Wanted(StepKind.ENABLE_ACCOUNT, present=present.enabled),
    BatchKind.LICENSE: lambda present: Wanted(StepKind.LICENCE, present=present.licensed),
    BatchKind.UNLICENSE: lambda present: Wanted(StepKind.REMOVE_LICENCE, present=not present.licensed),
    # What the account is like in Entra is not known here: the lane looks, and leaves alone what is right.
    BatchKind.UPDATE: lambda present: Wanted(StepKind.UPDATE_ACCOUNT),
}
ACCOUNT_KINDS = frozenset({*_WISHES, BatchKind.RESTORE})


def plan_accounts(people: People, kind: BatchKind, config: str = "") -> Plan:
    """For a kind of `ACCOUNT_KINDS`. `config` is a print of the settings that the plan rests on."""
    row = _restored if kind is BatchKind.RESTORE else _changed
    return Plan(tuple(row(student, present, kind, config) for student, present in people))


def _changed(student: Student, present: Present, kind: BatchKind, config: str) -> PlanRow:
    basis = {Fact.ACCOUNT.value: account_fact(present)}
    if kind in {BatchKind.LICENSE, BatchKind.UNLICENSE}:
        basis |= {Fact.LICENCE.value: str(present.licensed), Fact.CONFIG.value: config}
    if kind is BatchKind.UPDATE:
        basis |= _who(student)
    if not present.has_account:
        return PlanRow(student.id, (), (_("no tienen cuenta"),), basis=basis)
    irreversible = (_("el nombre que tenía la cuenta no se guarda"),) if kind is BatchKind.UPDATE else ()
    return PlanRow(student.id, steps_for(student.id, [_WISHES[kind](present)]), (), irreversible, basis)


def _restored(student: Student, present: Present, kind: BatchKind, config: str) -> PlanRow:
    basis = {Fact.ACCOUNT.value: account_fact(present), **_who(student)}
    if present.has_account:
        return PlanRow(student.id, (), (_("ya tienen cuenta: no hay qué restaurar"),), basis=basis)
    return PlanRow(student.id, steps_for(student.id, [Wanted(StepKind.RESTORE_ACCOUNT)]), basis=basis)


def _who(student: Student) -> dict[str, str]:
    return {Fact.NAME.value: print_of([student.first_name, student.last_name, student.document_number])}
