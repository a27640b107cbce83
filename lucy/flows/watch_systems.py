"""Watch the outside systems: whether a lane may ask one now, and what the outcomes of a claim say of it.

Asked in the transaction of every claim: one indexed read, no lock while all is well. What an outage changes is written
in one transaction with its audit event, so that it is announced once, however many workers fail at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, cards, general_pauses, outages, outbox, steps, waiting
from lucy.db.tables import OutageRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.circuits import (
    DOWN_CODES,
    PROBE_SIZE,
    CircuitRules,
    Sign,
    is_evidence,
    may_probe,
    next_try,
    opens,
    verdict,
)
from lucy.domain.operations import StepKind, system_of
from lucy.domain.steps import StepEvent
from lucy.domain.systems import kinds_of
from lucy.errors import System
from lucy.flows.lanes.base import Outcome
from lucy.flows.redraw import ANNOUNCE, lane_nudge, redraw_batch

# An outage that nobody waits for any more is closed this long after its try came due.
UNNEEDED_AFTER = timedelta(seconds=60)
_NOBODY_ASKED = frozenset({StepEvent.SKIP, StepEvent.DROP, StepEvent.CANCEL})


@dataclass(frozen=True, slots=True)
class Admission:
    """What a lane may claim. `at_most` None: as much as it takes.

    `probe`: this claim tries whether the system is back. `watched`: it failed lately, so that a success matters too.
    """

    at_most: int | None
    probe: bool = False
    watched: bool = False


EVERYTHING = Admission(None)
NOTHING = Admission(0)


async def may_claim(session: AsyncSession, system: System, *, now: datetime, lease_s: float) -> Admission:
    """Whether, and how much, a lane may claim in this transaction. `lease_s` is how long a prober may take."""
    if await general_pauses.stops(session, system, now=now):
        return NOTHING
    outage = await outages.current(session, system)
    if outage is None:
        return EVERYTHING
    if outage.opened_at is None:
        return Admission(None, watched=True)
    if not _may_probe(outage, now):
        return NOTHING
    outage = await outages.lock(session, system)
    if outage is None:
        return EVERYTHING  # closed at this very moment
    if not _may_probe(outage, now):
        return NOTHING
    outage.probing_until = now + timedelta(seconds=lease_s)
    return Admission(PROBE_SIZE, probe=True, watched=True)


async def note_outcomes(
    session: AsyncSession,
    system: System,
    outcomes: Sequence[Outcome],
    *,
    admission: Admission,
    rules: CircuitRules,
    now: datetime,
) -> None:
    """What a whole claim, recorded already, says of its system."""
    found = verdict([_sign(one) for one in outcomes])
    if found is Sign.UP and admission.watched:
        await _is_up(session, system, taken=len(outcomes), now=now)
    elif found is Sign.DOWN:
        await _failed(session, system, outcomes, probe=admission.probe, rules=rules, now=now)
    elif admission.probe:
        await outages.give_back_probe(session, system)


async def standing_still(session: AsyncSession, *, now: datetime) -> set[System]:
    """The systems with which nothing may be begun at this moment: their lanes need no nudge."""
    paused = {pause.system for pause in await general_pauses.active(session, now=now)}
    down = {outage.system for outage in await outages.open_ones(session) if not _may_probe(outage, now)}
    return {system for system in System if "" in paused or system.value in paused | down}


async def blocked_kinds(session: AsyncSession, *, now: datetime) -> list[StepKind]:
    """The lanes whose system is paused or down: students who wait for nothing else do not count as being in hand."""
    paused = {pause.system for pause in await general_pauses.active(session, now=now)}
    down = {outage.system for outage in await outages.open_ones(session)}
    return [kind for kind in StepKind if "" in paused or system_of(kind).value in paused | down]


async def close_unneeded(session: AsyncSession, *, now: datetime) -> None:
    """Nobody waits for a system that failed, so nobody will try: do not go on saying that it is down."""
    for outage in await outages.open_ones(session):
        system = System(outage.system)
        overdue = outage.next_try_at is not None and outage.next_try_at < now - UNNEEDED_AFTER
        if overdue and not await waiting.by_batch(session, kinds_of(system)):
            locked = await outages.lock(session, system)
            if locked is not None:
                await _close(session, locked, system, waited=0, now=now)


def _sign(outcome: Outcome) -> Sign:
    return Sign.NONE if outcome.event in _NOBODY_ASKED else outcome.sign


def _may_probe(outage: OutageRow, now: datetime) -> bool:
    return may_probe(next_try_at=outage.next_try_at, probing_until=outage.probing_until, now=now)


async def _failed(
    session: AsyncSession,
    system: System,
    outcomes: Sequence[Outcome],
    *,
    probe: bool,
    rules: CircuitRules,
    now: datetime,
) -> None:
    down = [one for one in outcomes if _sign(one) is Sign.DOWN]
    if not probe and not is_evidence(steps=len(down), attempts=down[0].step.attempts, rules=rules):
        return
    code = next((one.code for one in down if one.code in DOWN_CODES), "")
    outage = await outages.add_failure(session, system, code=code, now=now, forget_s=rules.forget_s)
    if outage.opened_at is None:
        if opens(failures=outage.failures, since=outage.first_failed_at, now=now, rules=rules):
            await _open(session, outage, system, rules=rules, now=now)
    elif probe:
        await _wait_on(session, outage, system, rules=rules, now=now)


async def _open(
    session: AsyncSession, outage: OutageRow, system: System, *, rules: CircuitRules, now: datetime
) -> None:
    """Nobody asks it any more, and every staff channel is told once."""
    outage.opened_at = now
    for channel in await cards.staff_channels(session):
        await cards.add_card(
            session,
            shows="outage",
            subject=str(outage.id),
            service_url=channel.service_url,
            tenant_id=channel.tenant_id,
            conversation_id=channel.conversation_id,
            new_thread=True,
        )
    detail = {"code": outage.code, "failures": outage.failures}
    await audit.record(session, [AuditEvent(LUCY, "system.down", system.value, detail=detail)], now=now)
    await _wait_on(session, outage, system, rules=rules, now=now)
    for number in await waiting.by_batch(session, kinds_of(system)):
        await redraw_batch(session, number, now=now)


async def _wait_on(
    session: AsyncSession, outage: OutageRow, system: System, *, rules: CircuitRules, now: datetime
) -> None:
    """It is down, still: the next try, later each time."""
    outage.probing_until = None
    outage.next_try_at = next_try(opened_at=outage.opened_at or now, now=now, rules=rules)
    await session.flush()
    await outages.forgive(session, kinds_of(system), DOWN_CODES, due_by=outage.next_try_at)
    await cards.want_redraw(session, shows="outage", subject=str(outage.id))
    await outbox.put(session, [ANNOUNCE], now=now)


async def _is_up(session: AsyncSession, system: System, *, taken: int, now: datetime) -> None:
    """It answered: a suspicion is dropped, an outage is over and what waited goes on at once."""
    outage = await outages.lock(session, system)
    if outage is None:
        return
    if outage.opened_at is None:
        await session.delete(outage)
        return
    left = sum((await waiting.by_batch(session, kinds_of(system))).values())
    await outages.forgive(session, kinds_of(system), DOWN_CODES, due_by=now)
    await _close(session, outage, system, waited=left + taken, now=now)


async def _close(session: AsyncSession, outage: OutageRow, system: System, *, waited: int, now: datetime) -> None:
    """`waited` 0: nobody asked it again, because nobody waits for it any more."""
    outage.closed_at, outage.probing_until, outage.waiting = now, None, waited
    await session.flush()
    kinds = kinds_of(system)
    event = AuditEvent(LUCY, "system.up", system.value if waited else "unneeded", detail={"steps": waited})
    await audit.record(session, [event], now=now)
    await cards.want_redraw(session, shows="outage", subject=str(outage.id))
    due = await steps.lanes_with_due_work(session, now=now)
    await outbox.put(session, [ANNOUNCE, *(lane_nudge(kind) for kind in kinds if kind in due)], now=now)
    for number in await waiting.by_batch(session, kinds):
        await redraw_batch(session, number, now=now)
