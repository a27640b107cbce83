"""`pausa general` and `reanudar general`: stop everything, or one system, with a reason, and let it go on."""

from datetime import datetime

from bot.answers import Answer
from bot.ask import Ask
from bot.commands import batch
from bot.grammar import Command
from cards.notice import Notice, notice_card, summary
from lucy.db import general_pauses
from lucy.db.tables import GeneralPauseRow
from lucy.domain.pauses import TYPED, parse_pause, parse_system
from lucy.domain.roles import Role
from lucy.domain.selections import fold
from lucy.domain.systems import system_name
from lucy.errors import RequestError, System
from lucy.flows.pause_everything import Paused, lift_pauses, pause_everything
from lucy.texts import _, plural

EXAMPLE = 'pausa general moodle hasta:15:30 motivo:"corte de luz"'
_GENERAL = frozenset({"general", "todo", "todos", "todas", "all", "everything"})


async def pause_all(ask: Ask, command: Command) -> Answer:
    """Without anything else, what is paused now. Raises RequestError when the reason is missing or a word unknown."""
    if not command.argument:
        return await _list(ask)
    request = parse_pause(command.argument, now=ask.now, zone=ask.zone)
    return ask.text(_paused(ask, await pause_everything(ask.session, request, actor=ask.actor, now=ask.now)))


def lifts(command: Command) -> bool:
    """Whether `reanudar …` is about a general pause, not about a batch."""
    words = command.argument.split()
    return bool(words) and fold(words[0]).strip(".,;:") in _GENERAL


async def resume(ask: Ask, command: Command) -> Answer:
    """`reanudar general [sistema]`, or `reanudar L-0042`. Raises RequestError."""
    if lifts(command):
        return await lift(ask, command)
    return await batch.resume(ask, command)


async def lift(ask: Ask, command: Command) -> Answer:
    """Let go on what was stopped. Raises RequestError when it was not."""
    if not ask.role.allows(Role.APROBADOR):
        text = _("Para levantar una pausa general hace falta el rol {role}.")
        raise RequestError(text.format(role=Role.APROBADOR.value))
    system = parse_system(command.argument.partition(" ")[2])
    lifted = await lift_pauses(ask.session, system, actor=ask.actor, now=ask.now)
    if not lifted:
        raise RequestError(await _not_paused(ask, system))
    return ask.text("\n".join(_lifted(one) for one in lifted))


async def _list(ask: Ask) -> Answer:
    """What is paused, and how to lift each."""
    active = await general_pauses.active(ask.session, now=ask.now)
    if not active:
        notice = Notice(_("Pausa general"), _("No hay ninguna pausa general: todo sigue su curso."), (EXAMPLE,))
        return ask.card(notice_card(notice, ask.frame), summary(notice))
    lines = [_line(ask, pause) for pause in active]
    lifting = tuple(_lifting(pause.system) for pause in active)
    notice = Notice(_("Pausas generales"), "\n".join(lines), lifting)
    return ask.card(notice_card(notice, ask.frame), summary(notice))


def _paused(ask: Ask, done: Paused) -> str:
    """What stands still, until when, what waits, how to let it go on."""
    pause = done.pause
    end = _(" hasta el {until}").format(until=_moment(ask, pause.until)) if pause.until else ""
    sentences = [
        _("En pausa desde ahora{end}: {what}. Motivo: {reason}.").format(
            end=end, what=_what(pause.system), reason=pause.reason
        ),
        _("Lo que está en curso se termina."),
    ]
    if done.waiting:
        sentences.append(plural("{n} paso espera.", "{n} pasos esperan.", done.waiting))
    if done.replaced is not None:
        sentences.append(_("Reemplaza la pausa que había pedido {name}.").format(name=done.replaced.owner_name))
    sentences.append(_("Para que siga: {command}.").format(command=_lifting(pause.system)))
    return " ".join(sentences)


def _lifted(pause: GeneralPauseRow) -> str:
    text = _("Ya no está en pausa: {what}. La había pedido {name}. Lo que esperaba sigue ahora.")
    return text.format(what=_what(pause.system), name=pause.owner_name)


async def _not_paused(ask: Ask, system: System | None) -> str:
    if system is None:
        return _("No hay ninguna pausa general: no hay nada para levantar.")
    if any(not pause.system for pause in await general_pauses.active(ask.session, now=ask.now)):
        text = _("{name} no tiene una pausa propia: está parado todo. Se levanta con «reanudar general».")
    else:
        text = _("{name} no está en pausa. Con «pausa general» ves lo que está parado.")
    return text.format(name=system_name(system))


def _line(ask: Ask, pause: GeneralPauseRow) -> str:
    """Moodle, desde el 24/11 10:02 hasta el 24/11 15:30, por Bruno: corte de luz."""
    end = _("hasta el {until}").format(until=_moment(ask, pause.until)) if pause.until else _("hasta que se levante")
    text = _("{what}, desde el {since} {end}, por {name}: {reason}.")
    return text.format(
        what=_what(pause.system) if pause.system else _("Todo"),
        since=_moment(ask, pause.since),
        end=end,
        name=pause.owner_name,
        reason=pause.reason,
    )


def _what(system: str) -> str:
    return system_name(System(system)) if system else _("todo")


def _lifting(system: str) -> str:
    return f"reanudar general {TYPED[System(system)]}" if system else "reanudar general"


def _moment(ask: Ask, at: datetime) -> str:
    return f"{at.astimezone(ask.zone):%d/%m %H:%M}"
