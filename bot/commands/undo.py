"""`deshacer L-0042 [correo:no]`: the inverse plan of a batch, as a new batch with an approval of its own."""

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch import number_of
from bot.commands.options import option
from bot.commands.request import show_new
from bot.grammar import Command
from lucy.db.engine import Database
from lucy.domain.operations import BatchOptions
from lucy.flows.decide_batch import Declined
from lucy.flows.store_batch import Requester
from lucy.flows.undo_batch import request_undo


async def undo(ask: Ask, command: Command, db: Database) -> Answer:
    options = BatchOptions(mail=option(command, "correo", default=True))
    return await undo_number(ask, number_of(command, "deshacer"), options, db)


async def undo_number(ask: Ask, number: int, options: BatchOptions, db: Database) -> Answer:
    """Its card, or why it cannot be undone."""
    requester = Requester(ask.actor, ask.turn.person.teams_id)
    done = await request_undo(ask.session, number, requester=requester, options=options, house=ask.house, now=ask.now)
    return ask.text(done.text) if isinstance(done, Declined) else await show_new(ask, done, db)
