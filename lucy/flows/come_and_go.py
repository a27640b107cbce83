"""Lucy is added to a team, or taken out of it: what she says first, and where she says nothing any more."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, members
from lucy.db import cards as cards_db
from lucy.db import rules as rules_db
from lucy.domain.audit import LUCY, Actor, AuditEvent
from lucy.domain.house import House
from lucy.domain.roles import Role, role_of
from lucy.domain.views import WelcomeView


async def view_welcome(session: AsyncSession, *, house: House, channel: str) -> WelcomeView:
    """What is there already, and what an administrator has to do first. `channel`: where this is said."""
    people = await members.everyone(session)
    named: dict[Role, list[str]] = {}
    for one in people:
        role = role_of(one.entra_id, one.role, house.admins)
        if role is not None and one.name:
            named.setdefault(role, []).append(one.name)
    return WelcomeView(
        channel=channel,
        administrators=tuple(named.get(Role.ADMINISTRADOR, ())),
        approvers=(*named.get(Role.APROBADOR, ()), *named.get(Role.ADMINISTRADOR, ())),
        operators=tuple(named.get(Role.OPERADOR, ())),
        rules=len(await rules_db.course_rules(session)),
        channels=len(await cards_db.staff_channels(session)),
    )


async def note_coming(session: AsyncSession, conversation: str, *, actor: Actor, now: datetime) -> None:
    await audit.record(session, [AuditEvent(actor, "channel.added", "done", detail={"channel": conversation})], now=now)


async def note_going(session: AsyncSession, conversation: str, *, team: str, actor: Actor, now: datetime) -> None:
    """Taken out by somebody: all channels of the team are gone with it."""
    gone = await cards_db.mark_gone(session, conversation, team=team, now=now)
    detail: dict[str, object] = {"channel": conversation, "conversations": gone}
    await audit.record(session, [AuditEvent(actor, "channel.removed", "done", detail=detail)], now=now)


async def note_blocked(session: AsyncSession, conversation: str, *, code: str, now: datetime) -> None:
    """Teams does not let her post there any more (deleted, blocked, not a member)."""
    if await cards_db.mark_gone(session, conversation, team="", now=now):
        detail: dict[str, object] = {"channel": conversation}
        await audit.record(session, [AuditEvent(LUCY, "channel.removed", f"failed {code}", detail=detail)], now=now)
