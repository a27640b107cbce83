"""Presses on the card of a reading that waits for a decision."""

from bot.answers import Answer
from bot.ask import Ask
from cards.ingest import ingest_card, summary
from cards.verbs import IngestPress, Verb
from lucy.db.engine import Database
from lucy.domain.roles import Role
from lucy.errors import RequestError
from lucy.flows.hold_run import discard_run, release_run, run_to_decide
from lucy.flows.view_report import list_report
from lucy.texts import _

NEEDS: dict[Verb, tuple[Role, str]] = {
    Verb.INGEST_RELEASE: (Role.APROBADOR, "soltar lecturas retenidas"),
    Verb.INGEST_DISCARD: (Role.APROBADOR, "descartar lecturas retenidas"),
}


async def press(ask: Ask, verb: Verb, db: Database) -> Answer:
    """Raises RequestError when the card cannot be understood, or the reading waits no more."""
    pressed = IngestPress.parse(ask.turn.data)
    if pressed is None:
        raise RequestError(_("Esa tarjeta no se entiende. Escribí «estado» y seguí desde ahí."))
    run = await run_to_decide(ask.session, pressed.run)
    decide = release_run if verb is Verb.INGEST_RELEASE else discard_run
    await decide(ask.session, run, ask.actor, now=ask.now)
    view = list_report(run)
    return ask.card(ingest_card(view, ask.frame), summary(view))
