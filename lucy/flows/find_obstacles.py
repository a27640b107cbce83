"""Why a batch, or a system, stands still: general pauses in force and systems that do not answer."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import general_pauses, outages, waiting
from lucy.db.tables import GeneralPauseRow, OutageRow
from lucy.domain.views import Obstacle
from lucy.errors import System
from lucy.texts import _, clock


async def obstacles(session: AsyncSession, number: int, now: datetime) -> tuple[Obstacle, ...]:
    """What holds up open steps of a batch, with how many of them wait. `system` is a `System` or empty."""
    pauses = await general_pauses.active(session, now=now)
    down = await outages.open_ones(session)
    if not pauses and not down:
        return ()
    left = await waiting.of_batch(session, number)
    found = [*(_pause(one, left) for one in pauses), *(_outage(one, left) for one in down)]
    return tuple(one for one in found if one.waiting)


async def system_notes(session: AsyncSession, *, zone: ZoneInfo, now: datetime) -> dict[System, str]:
    """What `estado` says beside a system that stands still."""
    found: dict[System, list[str]] = {}
    for pause in await general_pauses.active(session, now=now):
        for system in [System(pause.system)] if pause.system else _PAUSABLE:
            found.setdefault(system, []).append(_pause_note(pause, zone))
    for outage in await outages.open_ones(session):
        found.setdefault(System(outage.system), []).append(_outage_note(outage, zone))
    return {system: "; ".join(notes) for system, notes in found.items()}


_PAUSABLE = (System.GRAPH, System.MOODLE, System.MAIL, System.SIAL)


def _pause(pause: GeneralPauseRow, left: Mapping[System, int]) -> Obstacle:
    return Obstacle(
        system=pause.system,
        reason=pause.reason,
        owner=pause.owner_name,
        since=pause.since,
        until=pause.until,
        waiting=left.get(System(pause.system), 0) if pause.system else sum(left.values()),
    )


def _outage(outage: OutageRow, left: Mapping[System, int]) -> Obstacle:
    return Obstacle(
        system=outage.system,
        reason="",
        since=outage.first_failed_at,
        until=outage.next_try_at,
        waiting=left.get(System(outage.system), 0),
    )


def _pause_note(pause: GeneralPauseRow, zone: ZoneInfo) -> str:
    """en pausa por Bruno hasta el 24/11 15:30: corte de luz."""
    end = _(" hasta el {until}").format(until=moment(pause.until, zone)) if pause.until else ""
    text = _("en pausa por {name}{end}: {reason}")
    return text.format(name=pause.owner_name, end=end, reason=pause.reason)


def _outage_note(outage: OutageRow, zone: ZoneInfo) -> str:
    """no responde desde el 24/11 10:02, próximo intento 10:07."""
    text = _("no responde desde el {since}").format(since=moment(outage.first_failed_at, zone))
    if outage.next_try_at is None:
        return text
    return _("{text}, próximo intento {clock}").format(text=text, clock=clock(outage.next_try_at, zone))


def moment(at: datetime, zone: ZoneInfo) -> str:
    """24/11 15:30."""
    return f"{at.astimezone(zone):%d/%m %H:%M}"
