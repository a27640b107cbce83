"""`correo de prueba <dirección>`: a letter over the way that students' letters go."""

import re

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch_card import posted_here
from bot.grammar import Command
from cards.trial_letter import summary, trial_letter_card
from lucy.db.engine import Database
from lucy.errors import RequestError
from lucy.flows.send_trial_letter import SHOWS, ask_for_trial_letter, view_of
from lucy.texts import _

# What an SMTP command can hold; the server says whether it exists. https://datatracker.ietf.org/doc/html/rfc5321
_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\\[\]]{1,190}\.[^\s@<>\"(),:;\\\[\].]{2,60}")


async def trial_mail(ask: Ask, command: Command, db: Database) -> Answer:
    """Raises RequestError for what is no address."""
    address = command.argument.strip()
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise RequestError(_("¿A qué dirección? Escribí, por ejemplo: correo de prueba ana@example.com"))
    row = await ask_for_trial_letter(ask.session, address, actor=ask.actor, now=ask.now)
    view = view_of(row)
    on_posted = await posted_here(ask, db, shows=SHOWS, subject=str(row.id))
    return ask.card(trial_letter_card(view, ask.frame), summary(view), on_posted=on_posted)
