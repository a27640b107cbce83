"""What the lanes that change an account have in common: read back, judge, note the attempt, then change."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.errors import System
from lucy.flows.lanes.account_guard import AccountGuard, Seen, Target, foreign, targets
from lucy.flows.lanes.base import Lane, Noter, Outcome, unasked
from lucy.flows.lanes.begun import begin, found_so
from lucy.ports import Directory


@dataclass(frozen=True, slots=True)
class ChangeWork:
    known: list[Outcome]
    wanted: dict[str, Target]


class AccountChangeLane(Lane[ChangeWork]):
    """`watching`: what somebody changed since Lucy made it is left alone by an undo."""

    system: ClassVar[System] = System.GRAPH
    watching: ClassVar[bool] = True

    def __init__(self, directory: Directory, note: Noter, house: House) -> None:
        self._directory, self._note, self._house = directory, note, house
        self._guard = AccountGuard(directory, house)
        self.size = house.batch_size

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> ChangeWork:
        found, without = await targets(session, claimed, now=now)
        work = ChangeWork([self.absent(step) for step in without], {})
        for key, target in found.items():
            outcome = foreign(target, self._house) or self.refusal(target)
            if outcome is None:
                work.wanted[key] = target
            else:
                work.known.append(outcome)
        return work

    async def perform(self, work: ChangeWork) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        look = await self._guard.look(work.wanted, watching=self.watching)
        settled = [*look.settled, *(self.absent(target.step) for target in look.gone)]
        open_: dict[str, Seen] = {}
        for key, seen in look.present.items():
            outcome = await self.already(seen)
            if outcome is None:
                open_[key] = seen
            else:
                settled.append(outcome)
        if settled:
            yield settled
        mine = await begin(self._note, [seen.target.step for seen in open_.values()])
        open_ = {key: seen for key, seen in open_.items() if seen.target.step.id in mine}
        if open_:
            async for outcomes in self.change(open_):
                yield outcomes

    def refusal(self, target: Target) -> Outcome | None:
        """Decided from what Lucy knows herself, before anything is asked; None when it may go on."""
        return None

    def absent(self, step: ClaimedStep) -> Outcome:
        """There is no account: nothing is left to take back."""
        return found_so(step)

    @abstractmethod
    async def already(self, seen: Seen) -> Outcome | None:
        """The outcome of an account that is as wanted, or must not be touched; None when it has to be changed."""

    @abstractmethod
    def change(self, wanted: Mapping[str, Seen]) -> AsyncIterator[Sequence[Outcome]]:
        """Make the call."""
