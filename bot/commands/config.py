"""`config`: what is set and where from; `config <clave> <valor>`, `config <clave> por defecto`: for administrators."""

from bot.answers import Answer
from bot.ask import Ask
from bot.grammar import Command
from cards.notice import Notice, notice_card, summary
from lucy.db import config as config_db
from lucy.db.tables import ConfigEntryRow
from lucy.domain.config import KEYS, Key, key
from lucy.domain.selections import fold
from lucy.flows.set_config import set_config
from lucy.texts import _, clock, day

EXAMPLES = ("config umbral.activar 6000", "config aprobaciones.deshacer 50:1 2", "config umbral.activar por defecto")


async def config(ask: Ask, command: Command) -> Answer:
    """Raises RequestError when the key is unknown or its value cannot be read."""
    name, _blank, value = command.argument.partition(" ")
    if not name:
        return await _list(ask)
    if not value.strip():
        return await _show(ask, key(name))
    wanted = None if fold(value.strip()) in {"por defecto", "default"} else value.strip()
    before = await set_config(ask.session, name, wanted, actor=ask.actor, now=ask.now)
    after = KEYS[key(name).name].default if wanted is None else " ".join(wanted.split())
    text = _("{name}: antes «{before}», ahora «{after}». Vale para lo que se pida desde ahora.")
    return ask.text(text.format(name=key(name).name, before=before, after=after))


async def _list(ask: Ask) -> Answer:
    newest = await config_db.newest(ask.session)
    lines = [_line(ask, one, newest.get(one.name)) for one in KEYS.values()]
    examples = (
        "config umbral.activar 6000",
        "config aprobaciones.deshacer 50:1 2",
        "config umbral.activar por defecto",
    )
    notice = Notice(_("Configuración"), "\n".join(lines), examples)
    return ask.card(notice_card(notice, ask.frame), summary(notice))


async def _show(ask: Ask, wanted: Key) -> Answer:
    lines = [_line(ask, wanted, None) if not (rows := await config_db.history(ask.session, wanted.name)) else ""]
    lines += [_line(ask, wanted, row) for row in rows]
    notice = Notice(wanted.name, "\n".join([_(wanted.means) + ".", *filter(None, lines)]), (f"config {wanted.name} …",))
    return ask.card(notice_card(notice, ask.frame), summary(notice))


def _line(ask: Ask, wanted: Key, row: ConfigEntryRow | None) -> str:
    """The value and where it comes from."""
    value = wanted.default if row is None or row.value is None else str(row.value)
    if row is None:
        return _("{name}: {value} (por defecto)").format(name=wanted.name, value=value or "—")
    when = f"{day(row.changed_at, ask.zone)} {clock(row.changed_at, ask.zone)}"
    text = _("{name}: {value} ({who}, {when})")
    return text.format(name=wanted.name, value=value or "—", who=row.changed_by_name, when=when)
