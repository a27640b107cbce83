"""What people read, in their language.

The source texts are Spanish (es-AR); catalogues in `locales/` translate them. Texts are written where they are used as
`_("… {name} …").format(name=…)`, so that the catalogue tools find them.
"""

import gettext
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

LOCALES = Path(__file__).parent.parent / "locales"
SOURCE_LANGUAGE = "es_AR"

language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


@cache
def _catalogue(name: str) -> gettext.NullTranslations:
    return gettext.translation("lucy", localedir=LOCALES, languages=[name], fallback=True)


def _(text: str) -> str:
    """`text` in the reader's language."""
    return _catalogue(language.get()).gettext(text)


def plural(one: str, many: str, count: int) -> str:
    """The form of a text for `count`, with `{n}` filled in: plural("{n} alumno", "{n} alumnos", 1)."""
    return _catalogue(language.get()).ngettext(one, many, count).format(n=number(count))


def number(value: int) -> str:
    """1284 → 1.284, as Argentina writes it."""
    return f"{value:,}".replace(",", ".")


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """The hour and minute in the faculty's time: 08:15."""
    return f"{moment.astimezone(zone):%H:%M}"


def day(moment: datetime, zone: ZoneInfo) -> str:
    """The date as people write it: 24/11/2026."""
    return f"{moment.astimezone(zone):%d/%m/%Y}"


def duration(seconds: float) -> str:
    """A length of time as people say it: 40 s, 3 min, 2 h 05 min."""
    whole = round(seconds)
    if whole < 90:
        return _("{n} s").format(n=whole)
    if whole < 90 * 60:
        return _("{n} min").format(n=round(whole / 60))
    return _("{h} h {m:02d} min").format(h=whole // 3600, m=whole % 3600 // 60)
