"""`reglas`: all of them; `reglas probar <dni>`: one student; `reglas verificar`: look at the courses in Moodle now."""

from dataclasses import replace

from bot.answers import Answer, Reply
from bot.ask import Ask
from bot.commands.batch_card import posted_here
from bot.grammar import Command
from cards import rules as rules_card
from lucy.db import audit, outbox
from lucy.db.engine import Database
from lucy.domain.audit import AuditEvent
from lucy.domain.nudges import Nudge
from lucy.domain.roles import Role
from lucy.domain.selections import fold
from lucy.domain.students import mask_document_number, parse_document_number
from lucy.errors import RequestError
from lucy.flows.check_courses import SHOWS
from lucy.flows.view_rules import view_rule_tests, view_rules
from lucy.texts import _

_TEST = frozenset({"probar", "proba", "prueba", "test"})
_CHECK = frozenset({"verificar", "verifica", "revisar", "check"})


async def rules(ask: Ask, command: Command, db: Database) -> Answer:
    """Raises RequestError for a word that is none of the three, and for who may not ask Moodle."""
    first, _blank, rest = command.argument.partition(" ")
    word = fold(first)
    if word in _CHECK:
        return await _check(ask, db)
    if word in _TEST or parse_document_number(command.argument):
        return await _test(ask, rest if word in _TEST else command.argument)
    if word:
        said = _("«{word}» no se entiende. Puede ser: reglas, reglas probar 40.123.456 o reglas verificar.")
        raise RequestError(said.format(word=first))
    view = await view_rules(ask.session)
    return ask.card(rules_card.rules_card(view, ask.frame), rules_card.summary(view))


async def _test(ask: Ask, text: str) -> Answer:
    number = parse_document_number(text)
    if number is None:
        raise RequestError(_("¿Con quién pruebo? Escribí, por ejemplo: reglas probar 40.123.456"))
    found = await view_rule_tests(ask.session, number)
    if not found:
        said = _("No conozco a nadie con el documento {number}.")
        raise RequestError(said.format(number=text if ask.personal else mask_document_number(number)))
    shown = [one if ask.personal else replace(one, document=mask_document_number(number)) for one in found]
    return Answer(
        replies=tuple(
            Reply(card=rules_card.rule_test_card(one, ask.frame), summary=rules_card.rule_test_summary(one))
            for one in shown
        )
    )


async def _check(ask: Ask, db: Database) -> Answer:
    """The card is drawn again when Moodle has answered."""
    if not ask.role.allows(Role.OPERADOR):
        said = _("Para revisar los cursos en Moodle hace falta el rol {needed}. Tu rol es {role}.")
        raise RequestError(said.format(needed=Role.OPERADOR.value, role=ask.role.value))
    await outbox.put(ask.session, [Nudge("check_courses")], now=ask.now)
    await audit.record(ask.session, [AuditEvent(ask.actor, "rules.check", "queued")], now=ask.now)
    on_posted = await posted_here(ask, db, shows=SHOWS, subject="")
    view = replace(await view_rules(ask.session), asked=True)
    return ask.card(rules_card.rules_card(view, ask.frame), rules_card.summary(view), on_posted=on_posted)
