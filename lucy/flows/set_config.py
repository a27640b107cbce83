"""Change one setting: read before it is stored, kept in versions, audited with from and to."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit
from lucy.db import config as config_db
from lucy.db import ingest as ingest_db
from lucy.domain.audit import Actor, AuditEvent
from lucy.domain.config import key, list_of
from lucy.errors import RequestError
from lucy.texts import _


async def set_config(session: AsyncSession, name: str, value: str | None, *, actor: Actor, now: datetime) -> str:
    """Store a value, or go back to the default with None; returns the value that was in force.

    Raises RequestError when the key is unknown, the value cannot be read, or somebody changed it at the same moment.
    """
    wanted = key(name)
    text = None if value is None else " ".join(value.split())
    if text is not None:
        wanted.read(text)
    known = (await config_db.newest(session)).get(wanted.name)
    before = str(known.value) if known is not None and known.value is not None else wanted.default
    version = (known.version if known else 0) + 1
    try:
        async with session.begin_nested():
            await config_db.put(session, wanted.name, text, version=version, actor=actor, now=now)
    except IntegrityError:
        raise RequestError(
            _("Alguien cambió «{name}» recién. Mirá cómo quedó con «config».").format(name=name)
        ) from None
    if (source_list := list_of(wanted.name)) is not None:
        # Other days may bring others: the next reading is of the whole list (FEATURES row 4).
        await ingest_db.forget_checkpoint(session, source_list)
    after = wanted.default if text is None else text
    detail = {"key": wanted.name, "from": before, "to": after, "version": version}
    await audit.record(session, [AuditEvent(actor, "config.set", "done", detail=detail)], now=now)
    return before
