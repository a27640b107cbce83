"""Ask Entra whether the passwords that were mailed some days ago have been used (FEATURES row 40).

By the sign-in where the tenant's licence lets it be read, else by whether the temporary password was changed, which the
first sign-in forces. An account of which nothing tells is left as it is.
"""

from datetime import UTC, datetime, timedelta

import structlog

from lucy.db import audit
from lucy.db import config as config_db
from lucy.db import letters as letters_db
from lucy.db.engine import Database
from lucy.db.letters import UnsettledLetter
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.config import days_unused
from lucy.domain.letter_states import LetterState, was_used
from lucy.domain.steps import StepId
from lucy.errors import RemoteError
from lucy.ports import Directory, SignsOfUse

log = structlog.get_logger(__name__)

READ_AT_ONCE = 100


async def check_first_use(db: Database, directory: Directory) -> dict[LetterState, int]:
    """How many passwords were found used and unused now. Raises RemoteError; what was read until then counts."""
    found = {LetterState.USED: 0, LetterState.UNUSED: 0}
    async with db.transaction() as session:
        days = days_unused(await config_db.values(session))
    before = datetime.now(UTC) - timedelta(days=days)
    after = StepId(0)
    while True:
        async with db.transaction() as session:
            letters = await letters_db.unsettled(session, before=before, after=after, size=READ_AT_ONCE)
        if not letters:
            break
        after = letters[-1].step_id
        signs = await directory.signs_of_use({str(one.step_id): one.entra_id for one in letters})
        states = {one: state for one in letters if (state := _state(one, signs[str(one.step_id)])) is not None}
        async with db.transaction() as session:
            now = datetime.now(UTC)
            for state in found:
                changed = [one.step_id for one, now_ in states.items() if now_ is state and one.state is not state]
                await letters_db.settle(session, changed, state, now=now)
                found[state] += len(changed)
    async with db.transaction() as session:
        event = AuditEvent(LUCY, "letters.first_use", "done", detail={one.value: found[one] for one in found})
        await audit.record(session, [event], now=datetime.now(UTC))
    log.info("letters.first_use", used=found[LetterState.USED], unused=found[LetterState.UNUSED])
    return found


def _state(letter: UnsettledLetter, signs: SignsOfUse | RemoteError | None) -> LetterState | None:
    """None where nothing tells: the account is gone (a check of the accounts says so), or Entra does not say."""
    if isinstance(signs, RemoteError):
        raise signs
    if signs is None:
        return None
    used = was_used(
        since=letter.accepted_at,
        signed_in_at=signs.signed_in_at,
        password_changed_at=signs.password_changed_at,
        must_change=signs.must_change,
    )
    if used is None:
        return None
    return LetterState.USED if used else LetterState.UNUSED
