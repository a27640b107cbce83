"""`config`: what is set and where from; `config <clave> <valor>`, `config <clave> por defecto`: for administrators."""

from bot.answers import Answer
from bot.ask import Ask
from bot.grammar import Command
from cards.notice import Notice, notice_card, summary
from cards.settings import settings_card
from cards.settings import summary as settings_summary
from lucy.db import config as config_db
from lucy.db.tables import ConfigEntryRow
from lucy.domain.config import APPROVALS, KEYS, LETTERS_A_DAY, LIST, THRESHOLD, Key, key
from lucy.domain.selections import fold
from lucy.flows.set_config import set_config
from lucy.texts import _, clock, day

EXAMPLES = ("config umbral.activar 6000", "config aprobaciones.deshacer 50:1 2", "config umbral.activar por defecto")
NOTHING = "—"
BEFORE_SHOWN = 10


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
    set_ = key(name).name
    if before == after:
        return ask.text(_("{name} ya era «{value}».").format(name=set_, value=after or NOTHING))
    text = _("{name}: antes «{before}», ahora «{after}». {since}")
    return ask.text(text.format(name=set_, before=before or NOTHING, after=after or NOTHING, since=_since(set_)))


def _since(name: str) -> str:
    """Approvals are counted out when a batch is asked for; all else is looked at again before it begins."""
    if name.startswith(APPROVALS):
        return _("Vale para lo que se pida desde ahora.")
    return _("Vale desde ahora, también para los lotes que todavía no empezaron.")


async def _list(ask: Ask) -> Answer:
    newest = await config_db.newest(ask.session)
    groups: dict[str, list[str]] = {}
    for one in KEYS.values():
        groups.setdefault(_group(one), []).append(_line(ask, one, newest.get(one.name)))
    return ask.card(settings_card(groups, EXAMPLES, ask.frame), settings_summary(groups))


def _group(one: Key) -> str:
    """The part of the card it stands in."""
    titles = {APPROVALS: _("Cuántas personas aprueban"), THRESHOLD: _("Umbrales"), LIST: _("Días de cada lista")}
    return next((title for prefix, title in titles.items() if one.name.startswith(prefix)), _("Lo demás"))


async def _show(ask: Ask, wanted: Key) -> Answer:
    """What it is for, how it stands, how it stood before, what may be typed."""
    rows = await config_db.history(ask.session, wanted.name)
    means = _("{means}. Por defecto: {value}.").format(means=_(wanted.means), value=wanted.default or NOTHING)
    before = [_("Antes: {set_}").format(set_=_set(ask, wanted, row)) for row in rows[1 : 1 + BEFORE_SHOWN]]
    lines = [means, _line(ask, wanted, rows[0] if rows else None), *before]
    suggestions = (f"config {wanted.name} {_example(wanted)}", f"config {wanted.name} por defecto")
    notice = Notice(_("Configuración · {name}").format(name=wanted.name), "\n".join(lines), suggestions)
    return ask.card(notice_card(notice, ask.frame), summary(notice))


def _example(wanted: Key) -> str:
    if wanted.name.startswith(APPROVALS):
        return "50:1 2"
    if wanted.name.startswith(THRESHOLD):
        return "100 10%"
    if wanted.name.startswith(LIST):
        return "2026-10-01..2026-12-15"
    return "10000" if wanted.name == LETTERS_A_DAY else "inscripciones 2027-02-01..2027-03-31 activar=6000"


def _line(ask: Ask, wanted: Key, row: ConfigEntryRow | None) -> str:
    return f"{wanted.name}: {_set(ask, wanted, row)}"


def _set(ask: Ask, wanted: Key, row: ConfigEntryRow | None) -> str:
    """The value and where it comes from."""
    value = wanted.default if row is None or row.value is None else str(row.value)
    if row is None:
        return _("{value} (por defecto)").format(value=value or NOTHING)
    when = f"{day(row.changed_at, ask.zone)} {clock(row.changed_at, ask.zone)}"
    return _("{value} ({who}, {when})").format(value=value or NOTHING, who=row.changed_by_name, when=when)
