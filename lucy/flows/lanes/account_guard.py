"""Whether an account may be touched: read back first, the student's own, and not changed by anybody since.

Every lane that changes an account asks here before it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import accounts as accounts_db
from lucy.db import batches as batches_db
from lucy.db import students as students_db
from lucy.db.claims import ClaimedStep
from lucy.db.tables import AccountRow
from lucy.domain.account_print import account_print
from lucy.domain.batches import BatchId
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.students import Student, is_test_name
from lucy.errors import Conflict, NotFound, Remedy, RemoteError, System
from lucy.flows.lanes.base import Outcome, conflict, failed, from_error, not_replicated
from lucy.flows.lanes.begun import begun
from lucy.flows.lanes.licence import REPLICATION
from lucy.ports import Directory, DirectoryUser


@dataclass(frozen=True, slots=True)
class Target:
    """The account that a step is about. `undone`: the batch that is taken back, None where staff ask for the change.

    `fresh` when it is so new that Entra may not show it everywhere.
    """

    step: ClaimedStep
    account: AccountRow
    student: Student
    undone: BatchId | None
    fresh: bool

    @property
    def document(self) -> str:
        return self.student.document_number

    @property
    def watched(self) -> bool:
        """Lucy made it and is to take it back: then the work of another hand can be told, and is respected."""
        return self.undone is not None and self.account.made_by_batch is not None


@dataclass(frozen=True, slots=True)
class Seen:
    target: Target
    user: DirectoryUser


@dataclass(frozen=True, slots=True)
class Look:
    """What was read back: outcomes of those that must not be touched, those that are gone, and those that may be."""

    settled: list[Outcome] = field(default_factory=list)
    gone: list[Target] = field(default_factory=list)
    present: dict[str, Seen] = field(default_factory=dict)


async def targets(
    session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime
) -> tuple[dict[str, Target], list[ClaimedStep]]:
    """The accounts by the steps' keys, and the steps whose students have none."""
    ids = [step.student_id for step in claimed]
    accounts = await accounts_db.accounts(session, ids)
    students = await students_db.load(session, ids)
    undone = await batches_db.undone_by(session, {step.batch_id for step in claimed})
    found: dict[str, Target] = {}
    for step in claimed:
        account = accounts.get(step.student_id)
        if account is not None:
            # An account that this very step may have deleted is not waited for.
            deleting = step.kind is StepKind.DELETE_ACCOUNT and begun(step)
            fresh = account.created_at >= now - REPLICATION and not deleting
            found[str(step.id)] = Target(step, account, students[step.student_id], undone.get(step.batch_id), fresh)
    return found, [step for step in claimed if step.student_id not in accounts]


class AccountGuard:
    """Reads accounts back by their ids and judges them."""

    def __init__(self, directory: Directory, house: House) -> None:
        self._directory, self._house = directory, house
        self._sku_id = ""

    async def sku_id(self) -> str:
        """The licence that Lucy gives, asked for once."""
        if not self._sku_id:
            self._sku_id = (await self._directory.licence_seats(self._house.licence_sku)).sku_id
        return self._sku_id

    async def look(self, wanted: Mapping[str, Target], *, watching: bool) -> Look:
        """`watching`: leave alone what somebody changed since Lucy made it."""
        look = Look()
        if not wanted:
            return look
        watching = watching and any(target.watched for target in wanted.values())
        sku_id = await self.sku_id() if watching else ""
        found = await self._directory.read_users({key: one.account.entra_id for key, one in wanted.items()})
        for key, user in found.items():
            target = wanted[key]
            if user is None and not target.fresh:
                look.gone.append(target)
            elif user is None:
                unseen = NotFound(System.GRAPH, "read back", "T-013")
                look.settled.append(from_error(target.step, not_replicated(target.step, unseen)))
            elif isinstance(user, RemoteError):
                look.settled.append(from_error(target.step, user))
            elif not _is_the_students(user, target):
                look.settled.append(from_error(target.step, Conflict(System.GRAPH, "identify", "T-004")))
            elif watching and target.watched and changed_since(user, target, sku_id=sku_id):
                look.settled.append(conflict(target.step))
            else:
                look.present[key] = Seen(target, user)
        return look


def foreign(target: Target, house: House) -> Outcome | None:
    """Real accounts are not touched by a house of tests, nor test accounts by a real one (FEATURES row 29).

    A copy of the database in the wrong hands is how that comes about.
    """
    if is_test_name(target.account.upn) is house.of_tests:
        return None
    return failed(target.step, "T-030", Remedy.ADMINISTRATOR)


def _is_the_students(user: DirectoryUser, target: Target) -> bool:
    """By the document number; an account adopted without one, by its sign-in name."""
    if user.employee_id:
        return user.employee_id == target.document
    return user.upn.lower() == target.account.upn


def changed_since(user: DirectoryUser, target: Target, *, sku_id: str) -> bool:
    """Whether another hand was at it. Accounts made before there were prints have none to compare."""
    if user.set_by_others or user.sku_ids - {sku_id}:
        return True
    return target.account.made_print not in ("", print_of_user(user))


def print_of_user(user: DirectoryUser) -> str:
    """The print of an account as the directory has it."""
    return account_print(
        upn=user.upn,
        display_name=user.display_name,
        given_name=user.given_name,
        surname=user.surname,
        employee_id=user.employee_id,
        usage_location=user.usage_location,
    )
