"""Passwords that were set and reached nobody: their letter failed, and none has been accepted since."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_UNSENT = text("""
    select count(distinct failed.student_id)
    from step as failed
    join account on account.student_id = failed.student_id and account.enabled
    where failed.state = 'failed' and failed.kind in ('credentials_mail', 'password_mail')
      and (account.mailed_at is null or account.mailed_at < failed.closed_at)
""")


async def unsent(session: AsyncSession) -> int:
    """How many students wait for a password of theirs: an open case until a letter is accepted (`reenviar`)."""
    return int(await session.scalar(_UNSENT) or 0)
