"""`deriva`: what is otherwise in Entra and Moodle; `deriva verificar [todo]`: look now, at every account."""

from dataclasses import replace

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch_card import posted_here
from bot.grammar import Command
from cards.drift import drift_card, summary
from lucy.db import audit, outbox
from lucy.db.engine import Database
from lucy.domain.audit import AuditEvent
from lucy.domain.nudges import Nudge
from lucy.domain.roles import Role
from lucy.domain.selections import fold
from lucy.errors import RequestError
from lucy.flows.check_accounts import SHOWS
from lucy.flows.view_drift import view_drift
from lucy.texts import _

_CHECK = frozenset({"verificar", "verifica", "revisar", "check"})
_ALL = frozenset({"todo", "todas", "todos", "completa", "all", "full"})


async def drift(ask: Ask, command: Command, db: Database) -> Answer:
    """Raises RequestError for a word that is none of them, and for who may not ask Entra."""
    words = [fold(word) for word in command.argument.split()]
    if (words and words[0] not in _CHECK) or any(word not in _ALL for word in words[1:]):
        said = _("«{words}» no se entiende. Puede ser: deriva, deriva verificar o deriva verificar todo.")
        raise RequestError(said.format(words=command.argument))
    view = await view_drift(ask.session)
    if not words:
        return ask.card(drift_card(view, ask.frame), summary(view))
    if not ask.role.allows(Role.OPERADOR):
        said = _("Para revisar Entra y Moodle hace falta el rol {needed}. Tu rol es {role}.")
        raise RequestError(said.format(needed=Role.OPERADOR.value, role=ask.role.value))
    nudges = [Nudge("check_accounts", (int(len(words) > 1),)), Nudge("check_enrolments")]
    await outbox.put(ask.session, nudges, now=ask.now)
    await audit.record(ask.session, [AuditEvent(ask.actor, "accounts.check", "queued")], now=ask.now)
    view = replace(view, asked=True)
    on_posted = await posted_here(ask, db, shows=SHOWS, subject="")
    return ask.card(drift_card(view, ask.frame), summary(view), on_posted=on_posted)
