"""The outermost border of a turn: nothing that goes wrong inside reaches a person as more than a sentence."""

import structlog

from bot.answers import Answer, Handler
from bot.turns import Turn, TurnKind
from lucy.errors import RequestError
from lucy.log import correlation
from lucy.texts import _

log = structlog.get_logger(__name__)


class Guarded:
    """A handler that always answers."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def handle(self, turn: Turn) -> Answer:
        """What cannot be done as asked is said in its own words; the rest is logged and apologised for."""
        try:
            return await self._handler.handle(turn)
        except RequestError as refusal:
            return Answer.told(turn, str(refusal))
        except Exception:
            log.exception("turn_failed", kind=turn.kind.value, verb=turn.verb)
            return apology(turn)


def apology(turn: Turn) -> Answer:
    """A sentence and the reference under which the log has the cause; nothing where nobody asked for anything."""
    if turn.kind not in {TurnKind.MESSAGE, TurnKind.CARD_ACTION}:
        return Answer()
    return Answer.told(turn, apology_text())


def apology_text() -> str:
    text = _("No pude hacerlo: algo falló de mi lado. Avisá a un administrador con esta referencia: {reference}.")
    return text.format(reference=correlation())
