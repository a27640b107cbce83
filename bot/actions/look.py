"""Buttons that only show something that could be typed as well: help, how everything stands."""

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.help import show_help
from bot.commands.lists import show_status
from bot.grammar import Command, CommandName
from cards.verbs import Verb
from lucy.db.engine import Database
from lucy.domain.roles import Role

NEEDS: dict[Verb, tuple[Role, str]] = {
    Verb.STATUS_SHOW: (Role.CONSULTA, "ver el estado"),
    Verb.HELP_SHOW: (Role.CONSULTA, "ver la ayuda"),
}


async def press(ask: Ask, verb: Verb, db: Database) -> Answer:
    if verb is Verb.STATUS_SHOW:
        return await show_status(ask, Command(CommandName.STATUS))
    return await show_help(ask, Command(CommandName.HELP))
