"""`plantillas`: all letters; `plantillas <carta> [versión]`: one; with `probar`: have it rendered for all again."""

from difflib import get_close_matches

from bot.answers import Answer
from bot.ask import Ask
from bot.commands.batch_card import posted_here
from bot.grammar import Command
from cards import letters as card
from lucy.db.engine import Database
from lucy.domain.letters import LetterName
from lucy.domain.roles import Role
from lucy.domain.selections import fold
from lucy.errors import RequestError
from lucy.flows.edit_letter import SHOWS, try_again
from lucy.flows.preview_letter import want_pictures
from lucy.flows.view_letters import view_letter, view_letters, view_version
from lucy.texts import _

_AGAIN = frozenset({"probar", "proba", "test"})
_NAMES = {fold(one.value): one for one in LetterName}


async def letters(ask: Ask, command: Command, db: Database) -> Answer:
    """Raises RequestError for a letter or version that there is not."""
    words = command.argument.split()
    await want_pictures(ask.session, now=ask.now)
    if not words:
        lines = await view_letters(ask.session)
        return ask.card(card.letters_card(lines, ask.frame), card.letters_summary(lines))
    name = letter_named(words[0])
    if len(words) > 1 and fold(words[1]) in _AGAIN:
        if not ask.role.allows(Role.ADMINISTRADOR):
            said = _("Para probar cartas hace falta el rol {needed}. Tu rol es {role}.")
            raise RequestError(said.format(needed=Role.ADMINISTRADOR.value, role=ask.role.value))
        row = await try_again(ask.session, name, actor=ask.actor, now=ask.now)
        return await show_version(ask, row.id, db)
    version = words[1].lstrip("vV") if len(words) > 1 else ""
    if version and not (version.isdigit() and len(version) < 7):
        raise RequestError(_("«{word}» no es una versión. Escribí, por ejemplo: plantillas {name} 2").format(
            word=words[1], name=name.value
        ))  # fmt: skip
    view = await view_letter(ask.session, name, house=ask.house, version=int(version) if version else None)
    if view is None:
        said = _("La carta {name} no tiene versión {n}. Con «plantillas {name}» ves las que hay.")
        raise RequestError(said.format(name=name.value, n=version))
    on_posted = await posted_here(ask, db, shows=SHOWS, subject=str(view.id)) if view.id else None
    return ask.card(card.letter_card(view, ask.frame), card.letter_summary(view), on_posted=on_posted)


async def show_version(ask: Ask, id_: int, db: Database) -> Answer:
    """The card of a version; in a conversation it is drawn again when it was rendered for everybody, and decided."""
    view = await view_version(ask.session, id_, house=ask.house)
    assert view is not None, "versions are never deleted"
    on_posted = None if ask.turn.is_invoke else await posted_here(ask, db, shows=SHOWS, subject=str(id_))
    return ask.card(card.letter_card(view, ask.frame), card.letter_summary(view), on_posted=on_posted)


def letter_named(word: str) -> LetterName:
    """Raises RequestError naming the letters there are, the most alike first."""
    found = _NAMES.get(fold(word))
    if found is None:
        near = get_close_matches(fold(word), _NAMES, n=1, cutoff=0.5)
        names = [_NAMES[one].value for one in [*near, *(one for one in _NAMES if one not in near)]]
        raise RequestError(_("No hay ninguna carta «{word}». Las que hay: {names}.").format(
            word=word, names=", ".join(names)
        ))  # fmt: skip
    return found
