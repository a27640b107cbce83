"""Why steps stand still: a general pause, a system that does not answer, students whom another batch has in hand."""

from collections.abc import Sequence

from cards import wording
from cards.layout import bullets
from cards.parts import Block, Container, RichText
from lucy.domain.batches import BatchState
from lucy.domain.views import BatchView, Frame, Obstacle
from lucy.errors import System
from lucy.texts import _, plural

OBSTACLES_SHOWN = 4
BATCHES_SHOWN = 4
NOT_BEGUN = frozenset({BatchState.DRAFT, BatchState.AWAITING_APPROVAL, BatchState.HELD})


def obstacle_lines(view: BatchView, frame: Frame) -> list[Block]:
    """One box with all of them; nothing where nothing stands in the way."""
    lines = [_obstacle(one, view, frame) for one in view.obstacles[:OBSTACLES_SHOWN]]
    lines += [_hold(code, count) for code, count in view.waits_for[:BATCHES_SHOWN]]
    if rest := view.waits_for[BATCHES_SHOWN:]:
        count = sum(count for _code, count in rest)
        lines.append(plural("{n} alumno más espera a otro lote.", "{n} alumnos más esperan a otros lotes.", count))
    return [_box(lines)] if lines else []


def _box(lines: Sequence[str]) -> Container:
    blocks: list[Block] = [RichText(lines[0])] if len(lines) == 1 else bullets(lines)
    return Container(blocks, style="warning")


def _obstacle(one: Obstacle, view: BatchView, frame: Frame) -> str:
    happened = _paused(one, frame) if one.owner else _down(one, frame)
    return " ".join(filter(None, (happened, _waiting(one, view))))


def _paused(one: Obstacle, frame: Frame) -> str:
    """Pausa general de Moodle: mantenimiento (la puso Ana Ruiz, hasta las 18:00)."""
    what = _("Pausa general {system}").format(system=_of(one.system)) if one.system else _("Pausa general")
    reason = wording.clip(one.reason, 120).rstrip(".")
    until = _("hasta {hour}").format(hour=wording.hour(one.until, frame)) if one.until else ""
    owner = wording.listed(filter(None, (_("la puso {name}").format(name=wording.clip(one.owner, 90)), until)))
    return f"{what}: {reason} ({owner})." if reason else f"{what} ({owner})."


def _down(one: Obstacle, frame: Frame) -> str:
    """Moodle no responde desde las 10:02."""
    what = _("{system} no responde").format(system=_the(one.system))
    if one.since:
        what += " " + _("desde {hour}").format(hour=wording.hour(one.since, frame))
    reason = wording.clip(one.reason, 120).rstrip(".")
    return f"{what}: {reason}." if reason else f"{what}."


def _waiting(one: Obstacle, view: BatchView) -> str:
    if not one.waiting:
        return ""
    if view.state in NOT_BEGUN:
        return plural(
            "Si se aprueba ahora, {n} paso va a esperar.", "Si se aprueba ahora, {n} pasos van a esperar.", one.waiting
        )
    if one.owner:
        return plural("{n} paso espera.", "{n} pasos esperan.", one.waiting)
    return plural("{n} paso espera, no se perdió nada.", "{n} pasos esperan, no se perdió nada.", one.waiting)


def _hold(code: str, count: int) -> str:
    text = plural(
        "{n} alumno espera a que {{code}} termine con él.",
        "{n} alumnos esperan a que {{code}} termine con ellos.",
        count,
    )
    return text.format(code=code)


def _the(system: str) -> str:
    """A system as the subject of a sentence; what is no system's short name stays as it is."""
    names: dict[str, str] = {
        System.GRAPH: _("Entra"),
        System.MOODLE: _("Moodle"),
        System.SIAL: _("SIAL"),
        System.MAIL: _("El servidor de correo"),
        System.TEAMS: _("Teams"),
        System.QUEUE: _("La cola de trabajo"),
    }
    return names.get(system, system) or _("Un sistema externo")


def _of(system: str) -> str:
    names: dict[str, str] = {System.MAIL: _("del correo"), System.QUEUE: _("de la cola de trabajo")}
    return names.get(system) or _("de {system}").format(system=_the(system))
