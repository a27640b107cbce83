"""What happens by itself: start what is due, once, and say when it is due again."""

from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, cards, outbox, schedules
from lucy.db import config as config_db
from lucy.db import ingest as ingest_db
from lucy.db.tables import ScheduleRow
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.config import list_window
from lucy.domain.house import House
from lucy.domain.nudges import Nudge
from lucy.domain.students import SourceList
from lucy.errors import RequestError
from lucy.flows.check_accounts import SHOWS as DRIFT
from lucy.flows.redraw import ANNOUNCE

AGENDA = Actor("agenda", "Agenda")


async def run_due_schedules(session: AsyncSession, *, house: House, now: datetime) -> list[str]:
    """Start the schedules whose time has come.

    A time that was missed while no scheduler ran is made up for once, at the first chance.
    """
    started: list[str] = []
    for schedule in await schedules.due(session, now=now):
        planned_at = schedule.next_run_at or now
        schedule.next_run_at = next_run(schedule.cron, house.zone, after=now)
        if schedule.task == "returns" and not house.reads_returns:
            continue  # nobody set a mailbox
        if await schedules.note_run(session, schedule.name, planned_at=planned_at, now=now):
            schedule.last_run_at, schedule.times_run = now, schedule.times_run + 1
            await _start(session, schedule, house=house, now=now)
            await audit.record(session, [AuditEvent(AGENDA, f"schedule.{schedule.name}", "started")], now=now)
            started.append(schedule.name)
    return started


async def plan_schedules(session: AsyncSession, *, house: House, now: datetime) -> None:
    """Give a next run to the schedules that have none."""
    for schedule in await schedules.unplanned(session):
        schedule.next_run_at = next_run(schedule.cron, house.zone, after=now)


async def bring_forward(session: AsyncSession, name: str, *, actor: Actor, now: datetime) -> None:
    """Have a schedule run now, as if its time had come. Raises RequestError when there is none by that name."""
    schedule = await schedules.get(session, name)
    if schedule is None:
        names = ", ".join(one.name for one in await schedules.enabled(session))
        raise RequestError(f"no schedule is called {name!r}; there are: {names}")
    schedule.next_run_at = now
    await audit.record(session, [AuditEvent(actor, f"schedule.{name}", "brought_forward")], now=now)


def next_run(cron: str, zone: ZoneInfo, *, after: datetime) -> datetime:
    """The first moment after `after` that the cron expression names in the faculty's time."""
    found: datetime | None = CronTrigger.from_crontab(cron, timezone=zone).get_next_fire_time(after, after)
    if found is None:
        raise RequestError(f"the schedule {cron!r} never comes")
    return found


async def _start(session: AsyncSession, schedule: ScheduleRow, *, house: House, now: datetime) -> None:
    if schedule.task == "ingest":
        values, today = await config_db.values(session), now.astimezone(house.zone).date()
        for source_list in SourceList:
            if not list_window(values, source_list).has(today):
                continue
            run = await ingest_db.request_run(
                session, source_list, requested_by=schedule.name, now=now, full="full" in schedule.args
            )
            await outbox.put(session, [Nudge("ingest_list", (run.id,))], now=now)
        return
    if schedule.task == "courses":
        await outbox.put(session, [Nudge("check_courses")], now=now)
        return
    if schedule.task == "canaries":
        await outbox.put(session, [Nudge("find_secrets")], now=now)
        return
    if schedule.task == "returns":
        await outbox.put(session, [Nudge("read_returns")], now=now)
        return
    if schedule.task == "first_use":
        await outbox.put(session, [Nudge("check_first_use")], now=now)
        return
    if schedule.task == "enrolments":
        await outbox.put(session, [Nudge("check_enrolments")], now=now)
        return
    if schedule.task == "accounts":
        whole = "whole" in schedule.args
        await outbox.put(session, [Nudge("check_accounts", (int(whole),))], now=now)
        if whole:
            await _post(session, shows=DRIFT, subject="", now=now)
        return
    day = now.astimezone(house.zone).date().isoformat()
    await _post(session, shows="report", subject=day, now=now)


async def _post(session: AsyncSession, *, shows: str, subject: str, now: datetime) -> None:
    """A card in a thread of its own, in every staff channel."""
    for channel in await cards.staff_channels(session):
        await cards.add_card(
            session,
            shows=shows,
            subject=subject,
            service_url=channel.service_url,
            tenant_id=channel.tenant_id,
            conversation_id=channel.conversation_id,
            new_thread=True,
        )
    await outbox.put(session, [ANNOUNCE], now=now)
