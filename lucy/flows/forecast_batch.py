"""What a batch will take, for the card that asks for its approval: seats, letters, Moodle calls, minutes.

The same figures decide whether it has room (FEATURES row 24): where seats or the day's letters run out in the middle,
the card offers to part it, and a batch that was approved before the figures came is held when it begins.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, time
from math import ceil
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import batch_students, batches, steps
from lucy.db import config as config_db
from lucy.db.tables import BatchRow, StepRow
from lucy.domain.batches import WAITING_STATES
from lucy.domain.config import letters_quota
from lucy.domain.house import House
from lucy.domain.operations import LETTERS, StepKind, system_of
from lucy.domain.steps import OPEN_STATES, StepState
from lucy.domain.views import Forecast
from lucy.errors import System
from lucy.flows.redraw import redraw_batch
from lucy.ports import LicenceSeats

USERS_A_CALL, ROWS_A_CALL = 100, 300  # as the lanes send them (contracts/moodle.md)

# Written out, so that it is answered from the partial index whatever else the table holds.
_SENT_SINCE = text(
    """
    select count(*) from step
    where state = 'done'
      and right(kind, 5) = '_mail'
      and closed_at >= :since
    """
)

# Joined in Python: of a batch just stored PostgreSQL knows no numbers, and compared every row with every other.
_NEEDED = text(
    """
    select student_id,
           count(*) filter (where kind = 'licence') as seats,
           count(*) filter (where kind = any(:letters)) as letters
    from step
    where batch_id = :batch and state in ('waiting', 'due')
    group by student_id
    """
)


async def room_for(
    session: AsyncSession, batch: BatchRow, seats: LicenceSeats | None, *, house: House, now: datetime
) -> Forecast:
    """The forecast at the configured rates; the slowest system decides, for the lanes run side by side."""
    to_do = {tally.kind: tally.left for tally in await steps.tallies(session, batch.id)}
    letters = sum(to_do.get(kind, 0) for kind in LETTERS)
    writes = sum(count for kind, count in to_do.items() if system_of(kind) is System.GRAPH)
    calls = await _moodle_calls(session, batch, to_do)
    quota = letters_quota(await config_db.values(session))
    sent = await letters_since_midnight(session, house=house, now=now)
    return Forecast(
        seats_free=seats.free if seats else None,
        seats_total=seats.enabled if seats else None,
        letters=letters,
        letters_today=sent,
        letters_quota=quota,
        moodle_calls=calls,
        duration_s=max(writes / house.graph_per_s, letters / house.mail_per_s, calls / house.moodle_per_s),
        fits=await _fits(session, batch, seats, letters_left=quota - sent if quota else None),
    )


async def letters_since_midnight(session: AsyncSession, *, house: House, now: datetime) -> int:
    """Letters that the server accepted today, in the faculty's time."""
    midnight = datetime.combine(now.astimezone(house.zone).date(), time.min, house.zone)
    return int(await session.scalar(_SENT_SINCE, {"since": midnight}) or 0)


async def _fits(
    session: AsyncSession, batch: BatchRow, seats: LicenceSeats | None, *, letters_left: int | None
) -> int | None:
    """How many students of the plan's order there is room for; None when for all."""
    seats_left = seats.free if seats else None
    values = {"batch": batch.id, "letters": sorted(kind.value for kind in LETTERS)}
    needed = {row.student_id: row for row in await session.execute(_NEEDED, values)}
    for place, student in enumerate(await batch_students.ids(session, batch.id)):
        row = needed.get(student)
        if seats_left is not None and row is not None:
            seats_left -= row.seats
        if letters_left is not None and row is not None:
            letters_left -= row.letters
        if (seats_left is not None and seats_left < 0) or (letters_left is not None and letters_left < 0):
            return place
    return None


async def _moodle_calls(session: AsyncSession, batch: BatchRow, to_do: dict[StepKind, int]) -> int:
    """A lower estimate: people who were in Moodle before are asked for one by one."""
    users, rows = to_do.get(StepKind.MOODLE_USER, 0), to_do.get(StepKind.ENROLMENT, 0)
    groups = to_do.get(StepKind.COURSE_GROUP, 0) + to_do.get(StepKind.LEAVE_COURSE_GROUP, 0)
    taken = to_do.get(StepKind.UNENROL, 0) + to_do.get(StepKind.SUSPEND_ENROLMENT, 0)
    if not users + rows + taken + groups:
        return 0
    courses = await session.scalar(
        select(func.count(StepRow.target.distinct())).where(
            StepRow.batch_id == batch.id, StepRow.kind == StepKind.ENROLMENT, StepRow.state != StepState.ALREADY
        )
    )
    calls = 3 * ceil(users / USERS_A_CALL) + int(courses or 0) + ceil(rows / ROWS_A_CALL)
    return calls + 2 * (ceil(taken / ROWS_A_CALL) + ceil(groups / ROWS_A_CALL))


async def courses_to_enter(session: AsyncSession, number: int) -> list[str]:
    """The courses in which the batch would enrol somebody."""
    statement = select(StepRow.target).where(
        StepRow.batch_id == number, StepRow.kind == StepKind.ENROLMENT, StepRow.state.in_(sorted(OPEN_STATES))
    )
    return list((await session.scalars(statement.distinct().order_by(StepRow.target))).all())


async def store_forecast(
    session: AsyncSession,
    number: int,
    seats: LicenceSeats | None,
    *,
    courses: Sequence[tuple[str, str]] = (),
    house: House,
    now: datetime,
) -> None:
    """Put the forecast on a batch that waits for a decision. `courses`: those that cannot be entered, with why."""
    batch = await batches.lock(session, number)
    if batch is None or batch.state not in WAITING_STATES:
        return
    room = await room_for(session, batch, seats, house=house, now=now)
    batch.forecast = asdict(replace(room, courses=tuple(courses)))
    await redraw_batch(session, number, now=now)


def forecast_from(value: dict[str, Any]) -> Forecast | None:
    """A stored forecast; None before it was made."""
    return Forecast(**{**value, "courses": tuple(map(tuple, value.get("courses", ())))}) if value else None
