"""A walk at random: people, the clock, faults, dying workers, over the real lanes; and what must hold all the while."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit
from lucy.db.claims import ClaimedStep
from lucy.db.tables import AuditEventRow, BatchRow, StepRow, StudentRow
from lucy.domain.batches import OPEN_STATES, WAITING_STATES, BatchState
from lucy.domain.operations import LETTERS, BatchOptions, StepKind
from lucy.domain.steps import OPEN_STATES as OPEN_STEPS
from lucy.domain.steps import StepState
from lucy.flows.decide_batch import approve_batch, reject_batch
from lucy.flows.lanes.base import Lane, Outcome
from lucy.flows.retry_batch import retry_batch
from lucy.flows.run_batch import cancel_batch, pause_batch, resume_batch, start_batch
from lucy.flows.store_batch import Requester
from tests.integration.support.people import Known, actor
from tests.integration.support.works import Works
from workers.lanes import LaneEngine
from workers.sweeper import sweep

# System, operation, action, and what goes with it: each once.
FAULTS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("graph", "$batch", "cut_after", {}),
    ("graph", "$batch", "cut_before", {}),
    ("graph", "$batch", "status", {"status": 503}),
    ("graph", "POST /users", "throttle", {"retry_after_s": 0.01}),
    ("graph", "POST /users/{id}/assignLicense", "status", {"status": 504}),
    ("moodle", "core_user_create_users", "cut_after", {}),
    ("moodle", "enrol_manual_enrol_users", "cut_after", {}),
    ("moodle", "enrol_manual_enrol_users", "html", {}),
    ("moodle", "enrol_manual_unenrol_users", "cut_after", {}),
    ("inbox", "RCPT", "reply", {"status": 451}),
    ("inbox", "DATA", "cut_after", {}),
)


class Killed(BaseException):
    """The process is gone: nothing after this line of the worker's happens."""


class Dying(Lane[Any]):
    """A lane whose worker dies: before its call, or once so many outcomes have come and the last is not recorded."""

    def __init__(self, lane: Lane[Any], *, outcomes: int) -> None:
        self._lane, self._outcomes = lane, outcomes
        self.kind, self.system, self.size = lane.kind, lane.system, lane.size  # type: ignore[misc]

    async def prepare(self, session: AsyncSession, claimed: Sequence[ClaimedStep], *, now: datetime) -> Any:
        return await self._lane.prepare(session, claimed, now=now)

    async def perform(self, work: Any) -> AsyncIterator[Sequence[Outcome]]:
        if not self._outcomes:
            raise Killed
        seen = 0
        async for outcomes in self._lane.perform(work):
            seen += 1
            if seen == self._outcomes:
                raise Killed
            yield outcomes

    async def store(self, session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        await self._lane.store(session, outcomes, now=now)


@dataclass
class Walk:
    """One walk. `steps` is how many steps each batch was planned with: none may ever be missing."""

    works: Works
    known: list[Known]
    steps: dict[int, int] = field(default_factory=dict)

    # What people do

    async def ask(self, some: Sequence[Known], *, mail: bool, moodle: bool) -> None:
        options = BatchOptions(mail=mail, moodle=moodle)
        await self.works.request(" ".join(one.document for one in some), options=options)

    async def decide(self, number: int, *, yes: bool) -> None:
        """Bruno says yes or no; where it is not to be decided, nothing happens."""
        async with self.works.db.transaction() as session:
            now, house, bruno = datetime.now(UTC), self.works.runtime.house, actor(self.works.people[1])
            if yes:
                batch = await session.get_one(BatchRow, number)
                count = str(batch.students)
                await approve_batch(session, number, actor=bruno, version=None, confirm=count, house=house, now=now)
            else:
                await reject_batch(session, number, actor=bruno, reason="no", house=house, now=now)

    async def move(self, number: int, deed: str) -> None:
        """Pause, resume, cancel, retry or undo; what cannot be is declined and changes nothing."""
        async with self.works.db.transaction() as session:
            now, house, ana = datetime.now(UTC), self.works.runtime.house, actor(self.works.people[0])
            if deed == "retry":
                await retry_batch(session, number, requester=Requester(ana), house=house, now=now)
            elif deed in {"pause", "resume", "cancel"}:
                flow = {"pause": pause_batch, "resume": resume_batch, "cancel": cancel_batch}[deed]
                await flow(session, number, actor=ana, may_touch_others=True, house=house, now=now)
        if deed == "undo":
            await self.works.request_undo(number)

    async def source_changes(self, one: Known) -> None:
        async with self.works.db.transaction() as session:
            row = await session.get_one(StudentRow, one.id)
            name = "Ana María" if row.first_name == "Ana" else "Ana"
            await session.execute(update(StudentRow).where(StudentRow.id == one.id).values(first_name=name))

    # What happens to processes

    def engine(self, kind: StepKind, *, outcomes: int | None = None) -> LaneEngine:
        works = self.works
        lanes = dict(works.runtime.lanes)
        if outcomes is not None:
            lanes[kind] = Dying(lanes[kind], outcomes=outcomes)
        house = works.runtime.house
        return LaneEngine(
            works.db, works.runtime.limiter, works.nudges, lanes, house=house, lease_s=60, circuits=works.circuits
        )

    async def work(self, kind: StepKind) -> None:
        await self.works.hurry()
        await self.engine(kind).run(kind)

    async def die(self, kind: StepKind, *, outcomes: int) -> None:
        """A worker dies in the lane; its leases run out and its steps come back."""
        await self.works.hurry()
        try:
            await self.engine(kind, outcomes=outcomes).run(kind)
        except Killed:
            await self.check()  # while the steps are still in the dead worker's hand
            await self.leases_run_out()

    async def leases_run_out(self) -> None:
        past = datetime.now(UTC) - timedelta(seconds=1)
        async with self.works.db.transaction() as session:
            await session.execute(update(StepRow).where(StepRow.state == StepState.RUNNING).values(lease_until=past))
        await sweep(self.works.db)

    async def begin(self) -> None:
        """Approved batches begin; no lane has worked yet (the actor would go on with its lanes to the end)."""
        for batch in await self.batches():
            if batch.state is BatchState.QUEUED:
                async with self.works.db.transaction() as session:
                    now = datetime.now(UTC)
                    await start_batch(session, batch.id, house=self.works.runtime.house, now=now)

    async def come_to_rest(self) -> None:
        """No more faults: what is paused goes on, what is approved is done."""
        for state in (self.works.states.graph, self.works.states.moodle, self.works.states.inbox):
            state.control.clear_faults()
        for batch in await self.batches():
            if batch.state is BatchState.PAUSED:
                await self.move(batch.id, "resume")
        await self.works.drain()

    # What must hold

    async def batches(self) -> list[BatchRow]:
        async with self.works.db.transaction() as session:
            return list((await session.scalars(select(BatchRow).order_by(BatchRow.id))).all())

    async def check(self) -> None:
        """At every moment."""
        self.nobody_is_doubled()
        async with self.works.db.transaction() as session:
            rows = await session.execute(select(StepRow.batch_id, func.count().label("n")).group_by(StepRow.batch_id))
            counted = {row.batch_id: row.n for row in rows}
            loose = await session.scalar(text(_RUNNING_WITHOUT_HOLD))
        assert {number: counted.get(number) for number in self.steps} == self.steps, "a step was lost or added"
        self.steps = counted
        assert loose == 0, "a step is in hand of a batch that does not hold its student"

    def nobody_is_doubled(self) -> None:
        graph, moodle = self.works.states.graph, self.works.states.moodle
        accounts = Counter(one.upn for one in graph.users.values() if one.deleted_at is None)
        users = Counter(one.idnumber for one in moodle.store.users.values() if one.idnumber)
        assert max([*accounts.values(), *users.values(), 1]) == 1, (accounts, users)

    async def check_at_rest(self) -> None:
        await self.check()
        for batch in await self.batches():
            await self._nobody_is_unaccounted_for(batch)
        await self._letters_are_accounted_for()
        await self._the_audit_is_whole()

    async def _nobody_is_unaccounted_for(self, batch: BatchRow) -> None:
        open_steps = [one for one in await self.works.steps(batch.id) if one.state in OPEN_STEPS]
        if batch.state in WAITING_STATES:
            assert all(one.attempts == 0 for one in open_steps)
            return
        assert batch.state not in OPEN_STATES, f"{batch.id} is {batch.state} though nothing is due"
        assert open_steps == []
        assert batch.finished_at is not None

    async def _letters_are_accounted_for(self) -> None:
        """A letter twice only where a worker died, or no answer came, after it was handed over; then it is counted."""
        copies = Counter(one.message_id for one in self.works.states.inbox.messages)
        async with self.works.db.transaction() as session:
            statement = select(StepRow).where(StepRow.kind.in_(sorted(LETTERS)), StepRow.state == StepState.DONE)
            for step in (await session.scalars(statement)).all():
                number = copies.pop(step.outcome["message_id"], 0)
                assert 1 <= number <= 1 + int(step.outcome.get("sent_again", 0)), step.outcome
        assert copies == Counter(), "letters that no step tells of"

    async def _the_audit_is_whole(self) -> None:
        """One event for each step that was done, and a chain that holds."""
        async with self.works.db.transaction() as session:
            await audit.seal_next(session, now=datetime.now(UTC))
        async with self.works.db.transaction() as session:
            assert (await audit.verify(session)).broken_at is None
            told = await session.scalar(
                select(func.count()).where(AuditEventRow.action.like("step.%"), AuditEventRow.outcome == "done")
            )
            done = await session.scalar(select(func.count()).where(StepRow.state == StepState.DONE))
        assert told == done


_RUNNING_WITHOUT_HOLD = """
    select count(*) from step where state = 'running' and not exists (
        select from student_hold hold where hold.student_id = step.student_id and hold.batch_id = step.batch_id)
"""
