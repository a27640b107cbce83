"""One-time links to the rows of a batch: offered to one person, good once and for a short while.

Whoever has the link has the rows. So only its hash is kept, it is told to the asker alone, and it dies soon.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batches, downloads, members
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.batches import BatchId, batch_code
from lucy.domain.house import House
from lucy.domain.roles import Role, role_of
from lucy.errors import RequestError
from lucy.texts import _

VALID_MIN = 15
NEEDED = Role.OPERADOR  # the rows hold names and document numbers

_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


async def offer_download(session: AsyncSession, number: int, *, actor: Actor, now: datetime) -> str:
    """A new link's token, which is kept nowhere. Raises RequestError when there is no such batch."""
    batch = await batches.get(session, number)
    if batch is None:
        text = _("No hay ningún lote {code}. Con «lotes» ves los últimos.")
        raise RequestError(text.format(code=batch_code(number)))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    await downloads.add(
        session, _hash(token), batch=batch.id, actor=actor, now=now, expires_at=now + timedelta(minutes=VALID_MIN)
    )
    await audit.record(session, [AuditEvent(actor, "batch.download.offer", "done", batch=batch.id)], now=now)
    return token


async def may_download(session: AsyncSession, token: str, *, now: datetime) -> bool:
    """Whether the link stands, for those that only look at it."""
    return _TOKEN.fullmatch(token) is not None and await downloads.is_open(session, _hash(token), now=now)


async def take_download(session: AsyncSession, token: str, *, house: House, now: datetime) -> BatchId | None:
    """The batch whose rows may be handed out now, once.

    None for a link that was used, expired or never offered, all alike; also when who asked for it has lost the role.
    """
    if not _TOKEN.fullmatch(token):
        return None
    used = await downloads.use(session, _hash(token), now=now)
    if used is None:
        return None
    number, actor = used
    member = await members.get(session, actor.id)
    role = role_of(actor.id, member.role if member else None, house.admins)
    allowed = role is not None and role.allows(NEEDED)
    event = AuditEvent(actor, "batch.download", "done" if allowed else "denied", batch=number)
    await audit.record(session, [event], now=now)
    return number if allowed else None


def _hash(token: str) -> str:
    """A plain hash suffices: nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
