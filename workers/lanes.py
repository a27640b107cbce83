"""The engine of a lane: claim, commit; call the outside; record, commit; go on while there is work.

No transaction is open while the outside is called. A process that dies anywhere in between leaves leased steps behind,
which the sweeper gives back; the next worker looks before it tries again (each lane knows how).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batches, claims, outages
from lucy.db.claims import ClaimedStep
from lucy.db.engine import Database
from lucy.domain.circuits import CircuitRules, Sign
from lucy.domain.house import House
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepEvent, StepId
from lucy.errors import RemoteError, RetryLater, System
from lucy.flows.claim_steps import Claim, claim_steps
from lucy.flows.lanes.base import Lane, Outcome, from_error
from lucy.flows.record_outcomes import record_outcomes
from lucy.flows.redraw import lane_nudge
from lucy.flows.send_nudges import send_nudges
from lucy.flows.signs_of_life import signs_of_life
from lucy.flows.watch_systems import Admission, may_claim, note_outcomes
from lucy.ports import Limiter, Nudger
from lucy.texts import _, duration

log = structlog.get_logger(__name__)

# A lane hands its thread back after this long and nudges itself, so that no lane keeps the others waiting.
TURN_S = 20.0
SYSTEM_NAMES = {System.GRAPH: "Graph", System.MOODLE: "Moodle", System.MAIL: "El servidor de correo"}


class LaneEngine:
    """Runs the lanes of one process, each at most once at a time; nudges that come meanwhile are not lost."""

    def __init__(
        self,
        db: Database,
        limiter: Limiter,
        nudger: Nudger,
        lanes: dict[StepKind, Lane[Any]],
        *,
        house: House,
        lease_s: float,
        circuits: CircuitRules | None = None,
    ) -> None:
        self._db, self._limiter, self._nudger, self._lanes = db, limiter, nudger, lanes
        self._house, self._lease_s, self._circuits = house, lease_s, circuits or CircuitRules()
        self._running: set[StepKind] = set()
        self._nudged: set[StepKind] = set()

    async def run(self, kind: StepKind) -> None:
        """Work the lane until it has nothing due, or its turn is over."""
        if kind in self._running:
            self._nudged.add(kind)
            return
        self._running.add(kind)
        try:
            started = monotonic()
            while await self._once(self._lanes[kind]) or kind in self._nudged:
                self._nudged.discard(kind)
                if monotonic() - started > TURN_S:
                    await self._nudger.send([lane_nudge(kind)])
                    return
        finally:
            self._running.discard(kind)

    async def _once(self, lane: Lane[Any]) -> int:
        """One claim from start to end; returns how many steps it took."""
        if await self._limiter.held_back_for(lane.system) > 0:
            return 0  # the provider asked for silence; the sweeper nudges again when it is over
        now = datetime.now(UTC)
        async with self._db.transaction() as session:
            admission = await may_claim(session, lane.system, now=now, lease_s=self._lease_s)
            claim = await self._claim(session, lane, admission, now)
            if not claim.all:
                return 0
            work = await lane.prepare(session, claim.steps, now=now) if claim.steps else None
        claimed = claim.all
        # Six characters: a longer run of digits would be masked as a document number.
        log.info("lane.claimed", lane=lane.kind.value, steps=len(claimed), lease=claimed[0].lease_id[:6])
        await self._record(lane, claim.dropped)
        if not claim.steps:
            return len(claimed)

        async def renew(session: AsyncSession, now: datetime) -> None:
            await claims.keep_leases(session, claimed[0].lease_id, now=now, lease_s=self._lease_s)

        # Twenty letters at the mail server's pace outlast a lease.
        async with signs_of_life(self._db, renew, lease_s=self._lease_s):
            outcomes = await self._perform(lane, claim.steps, work)
        await self._note(lane, outcomes, admission)
        return len(claimed)

    async def _claim(self, session: AsyncSession, lane: Lane[Any], admission: Admission, now: datetime) -> Claim:
        """As many steps as the state of the system lets in."""
        size = lane.size if admission.at_most is None else min(lane.size, admission.at_most)
        if size == 0:
            return Claim([], [])
        claim = await claim_steps(
            session,
            lane.kind,
            size=size,
            lease_s=self._lease_s,
            blocked=admission.blocked,
            house=self._house,
            now=now,
        )
        if not admission.probe:
            return claim
        if not claim.steps:
            await outages.give_back_probe(session, lane.system)
        return Claim([replace(step, probe=True) for step in claim.steps], claim.dropped)

    async def _perform(self, lane: Lane[Any], claimed: Sequence[ClaimedStep], work: Any) -> list[Outcome]:
        """Call and record; returns what became of all."""
        open_steps: dict[StepId, ClaimedStep] = {step.id: step for step in claimed}
        known: list[Outcome] = []
        try:
            async for outcomes in lane.perform(work):
                await self._record(lane, outcomes)
                known += outcomes
                for outcome in outcomes:
                    open_steps.pop(outcome.step.id, None)
        except RemoteError as error:
            log.warning("lane.call_failed", lane=lane.kind.value, code=error.code, error=str(error))
            lost = [from_error(step, error) for step in open_steps.values()]
            await self._record(lane, lost)
            known += lost
        return known

    async def _note(self, lane: Lane[Any], outcomes: Sequence[Outcome], admission: Admission) -> None:
        """What the claim says of its system; nothing to write while all is well."""
        if not admission.watched and all(one.sign is not Sign.DOWN for one in outcomes):
            return
        async with self._db.transaction() as session:
            await note_outcomes(
                session,
                lane.system,
                outcomes,
                admission=admission,
                rules=self._circuits,
                now=datetime.now(UTC),
            )
        await self._send_nudges()

    async def _record(self, lane: Lane[Any], outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        now = datetime.now(UTC)
        async with self._db.transaction() as session:
            recorded = await record_outcomes(session, lane, outcomes, house=self._house, now=now)
            await _note_throttling(session, lane, recorded, now)
        if len(recorded) < len(outcomes):
            log.warning("lane.late_outcomes", lane=lane.kind.value, steps=len(outcomes) - len(recorded))
        log.info(
            "lane.recorded",
            lane=lane.kind.value,
            done=sum(one.event is StepEvent.COMPLETE for one in recorded),
            already=sum(one.event is StepEvent.FIND_DONE for one in recorded),
            postponed=sum(one.event is StepEvent.POSTPONE for one in recorded),
            failed=sum(one.event is StepEvent.FAIL for one in recorded),
        )
        await self._send_nudges()

    async def _send_nudges(self) -> None:
        try:
            await send_nudges(self._db, self._nudger)
        except RetryLater as error:  # recorded all the same: the nudges wait in the outbox for the scheduler
            log.warning("lane.queue_away", error=str(error))


async def _note_throttling(session: AsyncSession, lane: Lane[Any], recorded: Sequence[Outcome], now: datetime) -> None:
    """Tell the viewers of the card that the provider asked to wait."""
    throttled = [one for one in recorded if one.throttled]
    if not throttled:
        return
    wait = max(one.after_s for one in throttled)
    name = SYSTEM_NAMES[lane.system]
    for batch in (await batches.lock_many(session, {one.step.batch_id for one in throttled})).values():
        batches.add_note(batch, _("{name} pidió esperar {wait}").format(name=name, wait=duration(wait)), at=now)
