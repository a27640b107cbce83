"""`ingesta <lista> [completa] [desde:… hasta:…]`: read a list now; `… aplicar`, `… descartar`: what waits."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from bot.actions.ingest import NEEDS
from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch_card import posted_here
from bot.commands.request import today
from bot.grammar import Command
from cards.ingest import ingest_card, summary
from cards.verbs import Verb
from lucy.db import audit, outbox
from lucy.db import ingest as ingest_db
from lucy.db.engine import Database
from lucy.domain.audit import AuditEvent
from lucy.domain.nudges import Nudge
from lucy.domain.selections import fold, parse_day
from lucy.domain.students import SourceList
from lucy.errors import RequestError
from lucy.flows.hold_run import discard_run, release_run, waiting_run
from lucy.flows.view_report import list_report
from lucy.texts import _

DECISIONS = {
    "aplicar": Verb.INGEST_RELEASE,
    "soltar": Verb.INGEST_RELEASE,
    "apply": Verb.INGEST_RELEASE,
    "descartar": Verb.INGEST_DISCARD,
    "discard": Verb.INGEST_DISCARD,
}


async def ingest(ask: Ask, command: Command, db: Database) -> Answer:
    """Raises RequestError naming the lists, or the date that was not understood."""
    words = [fold(word) for word in command.argument.split()]
    decision = next((DECISIONS[word] for word in words if word in DECISIONS), None)
    source_list, full = _what([word for word in words if word not in DECISIONS])
    if decision is not None:
        return await _decide(ask, source_list, decision)
    since, until = _window(ask, command)
    run = await ingest_db.request_run(
        ask.session, source_list, requested_by=ask.actor.name, now=ask.now, full=full, since=since, until=until
    )
    await outbox.put(ask.session, [Nudge("ingest_list", (run.id,))], now=ask.now)
    event = AuditEvent(ask.actor, "ingest.request", "queued", detail={"list": source_list.value, "full": full})
    await audit.record(ask.session, [event], now=ask.now)
    on_posted = await posted_here(ask, db, shows="ingest", subject=str(run.id))
    view = list_report(run)
    return ask.card(ingest_card(view, ask.frame), summary(view), on_posted=on_posted)


async def _decide(ask: Ask, source_list: SourceList, verb: Verb) -> Answer:
    """Raises RequestError for who may not, and where nothing waits."""
    needed, does = NEEDS[verb]
    if not ask.role.allows(needed):
        said = _("Para {does} hace falta el rol {needed}. Tu rol es {role}.")
        raise RequestError(said.format(does=_(does), needed=needed.value, role=ask.role.value))
    run = await waiting_run(ask.session, source_list)
    decide = release_run if verb is Verb.INGEST_RELEASE else discard_run
    await decide(ask.session, run, ask.actor, now=ask.now)
    view = list_report(run)
    return ask.card(ingest_card(view, ask.frame), summary(view))


def _what(words: Sequence[str]) -> tuple[SourceList, bool]:
    """The list, and whether all of it is wanted."""
    full = any(word in {"completa", "completo", "todo", "full"} for word in words)
    named = [word for word in words if word not in {"completa", "completo", "todo", "full"}]
    names = {form: one for one in SourceList for form in (one.value, one.value.removesuffix("s"))}
    if len(named) != 1 or named[0] not in names:
        raise RequestError(
            _(
                "¿Qué lista? Son {lists}. Escribí, por ejemplo: ingesta aspirantes, o ingesta aspirantes completa."
            ).format(lists=", ".join(SourceList))
        )
    return names[named[0]], full


def _window(ask: Ask, command: Command) -> tuple[datetime | None, datetime | None]:
    """The moments asked for: from the start of the first day to the end of the last."""
    first, last = command.options.get("desde"), command.options.get("hasta")
    if first is None and last is not None:
        raise RequestError(_("Falta desde cuándo: ingesta aspirantes desde:20/11/2026 hasta:{last}.").format(last=last))
    if first is None:
        return None, None
    since = datetime.combine(parse_day(first, today=today(ask)), time.min, ask.zone)
    if last is None:
        return since, None
    until = datetime.combine(parse_day(last, today=today(ask)), time.min, ask.zone) + timedelta(days=1)
    if until <= since:
        raise RequestError(_("La fecha «hasta» es anterior a «desde»."))
    return since, until
