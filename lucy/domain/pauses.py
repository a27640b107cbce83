"""`pausa general`: what is stopped, until when and why, from what a person typed."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from lucy.domain.selections import fold
from lucy.errors import RequestError, System
from lucy.texts import _

LONGEST = timedelta(days=60)
REASON_LETTERS = 300

SYSTEM_WORDS: dict[str, System] = {
    **dict.fromkeys(("entra", "graph", "azure", "microsoft"), System.GRAPH),
    **dict.fromkeys(("moodle", "aula"), System.MOODLE),
    **dict.fromkeys(("correo", "correos", "mail", "email", "cartas"), System.MAIL),
    "sial": System.SIAL,
}
TYPED: dict[System, str] = {
    System.GRAPH: "entra",
    System.MOODLE: "moodle",
    System.MAIL: "correo",
    System.SIAL: "sial",
}
_ALL_WORDS = frozenset({"todo", "todos", "todas", "all", "everything"})

_QUOTES = '"“”«»'
_REASON = re.compile(
    rf"\b(?:motivo|reason)\s*:\s*(?:[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)[{_QUOTES}]|(?P<rest>.*))", re.I
)
_UNTIL_KEY = re.compile(r"\b(?:hasta|until)\s*:\s*", re.I)
_CLOCK = r"\d{1,2}[:.]\d{2}"
_DAY = r"\d{1,2}/\d{1,2}(?:/\d{2,4})?"
_WHEN = rf"{_DAY}(?:\s+(?:a\s+las\s+)?{_CLOCK})?|{_CLOCK}|\d+\s?(?:minutos|minuto|min|m|horas|hora|hs|h)"
_UNTIL = re.compile(rf"\b(?:hasta|until)\s*(?::|\s(?:el|las)\s|\s)\s*(?P<when>{_WHEN})(?=[\s,;.]|$)", re.I)


@dataclass(frozen=True, slots=True)
class PauseRequest:
    """`system` None: everything. `until` is aware UTC; None: until somebody lifts it."""

    system: System | None
    until: datetime | None
    reason: str


def parse_pause(text: str, *, now: datetime, zone: ZoneInfo) -> PauseRequest:
    """Raises RequestError: no reason, a time that is none, a system that is none."""
    reason, rest = _take_reason(text)
    until, rest = _take_until(rest, now=now, zone=zone)
    system, rest = _take_system(rest)
    if reason is not None and rest:
        raise _no_such_system(rest)
    reason = _tidy(reason if reason is not None else rest)
    if not reason:
        example = f"pausa general {TYPED[system]}" if system else "pausa general"
        raise RequestError(_('¿Por qué? Escribí el motivo: {example} motivo:"…".').format(example=example))
    return PauseRequest(system, until, reason)


def parse_system(text: str) -> System | None:
    """`moodle`, `todo`, or nothing for everything. Raises RequestError."""
    system, rest = _take_system(text)
    if rest:
        raise _no_such_system(rest)
    return system


def parse_until(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """`15:30`, `28/11`, `28/11 15:30`, `2h`, `30m`, in the faculty's time; returns UTC.

    An hour that is over today is tomorrow's; a day lasts until its end. Raises RequestError.
    """
    found = " ".join(fold(text).replace("a las", " ").split())
    if match := re.fullmatch(r"(\d{1,5})\s?(m\w*|h\w*)", found):
        unit = "minutes" if match[2].startswith("m") else "hours"
        return _checked(now + timedelta(**{unit: int(match[1])}), text, now=now)
    match = re.fullmatch(rf"(?P<day>{_DAY})?\s?(?P<clock>{_CLOCK})?", found)
    if not match or not found:
        raise _no_such_time(text)
    local = now.astimezone(zone)
    hour = _clock(match["clock"], text) if match["clock"] else time(23, 59)
    if match["day"]:
        moment = datetime.combine(_day(match["day"], text, local), hour, zone)
    else:
        moment = datetime.combine(local.date(), hour, zone)
        if moment <= local:
            moment = datetime.combine(local.date() + timedelta(days=1), hour, zone)
    return _checked(moment, text, now=now)


def _take_reason(text: str) -> tuple[str | None, str]:
    """The reason that was named as one, and the rest; without quotes it goes on to the end, or to `hasta:`."""
    match = _REASON.search(text)
    if match is None:
        return None, text
    before, after = text[: match.start()], text[match.end() :]
    if match["quoted"] is not None:
        return match["quoted"], f"{before} {after}"
    end = _UNTIL_KEY.search(match["rest"])
    if end is None:
        return match["rest"], before
    return match["rest"][: end.start()], f"{before} {match['rest'][end.start() :]}"


def _take_until(text: str, *, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, str]:
    match = _UNTIL.search(text)
    if match is not None:
        rest = f"{text[: match.start()]} {text[match.end() :]}"
        return parse_until(match["when"], now=now, zone=zone), rest
    named = _UNTIL_KEY.search(text)
    if named is not None:
        words = text[named.end() :].split()
        raise _no_such_time(words[0] if words else "")
    return None, text


def _take_system(text: str) -> tuple[System | None, str]:
    """The system that stands first. A near miss is asked about: the wrong thing would be stopped."""
    words = text.split()
    first = fold(words[0]).strip(".,;:") if words else ""
    if first in _ALL_WORDS:
        return None, " ".join(words[1:])
    if first in SYSTEM_WORDS:
        return SYSTEM_WORDS[first], " ".join(words[1:])
    if near := get_close_matches(first[:20], SYSTEM_WORDS, n=1, cutoff=0.75):
        raise RequestError(
            _("«{text}» no es un sistema. ¿Quisiste decir «{near}»?").format(text=words[0], near=near[0])
        )
    return None, " ".join(words)


def _tidy(reason: str) -> str:
    """One line, without the quotes and signs around it."""
    text = " ".join(reason.split()).strip(f" .,;:…-–—'{_QUOTES}")
    return text if len(text) <= REASON_LETTERS else text[: REASON_LETTERS - 1].rstrip() + "…"


def _clock(text: str, said: str) -> time:
    hour, minute = (int(part) for part in re.split("[:.]", text))
    try:
        return time(hour, minute)
    except ValueError:
        raise _no_such_time(said) from None


def _day(text: str, said: str, local: datetime) -> date:
    """Without a year it is the next such day."""
    numbers = [int(part) for part in text.split("/")]
    year = numbers[2] + (2000 if numbers[2] < 100 else 0) if len(numbers) == 3 else local.year
    try:
        found = date(year, numbers[1], numbers[0])
        if len(numbers) == 2 and found < local.date():
            found = date(year + 1, numbers[1], numbers[0])
    except ValueError:
        raise _no_such_time(said) from None
    return found


def _checked(moment: datetime, said: str, *, now: datetime) -> datetime:
    until = moment.astimezone(UTC)
    if until <= now:
        raise RequestError(_("«{text}» ya pasó. ¿Hasta cuándo?").format(text=said))
    if until > now + LONGEST:
        text = _("«{text}» es muy lejos: una pausa general dura a lo sumo {days} días.")
        raise RequestError(text.format(text=said, days=LONGEST.days))
    return until


def _no_such_time(text: str) -> RequestError:
    forms = _("Se escribe hasta:15:30, hasta:28/11, hasta:28/11 15:30, hasta:2h o hasta:30m.")
    if not text:
        return RequestError(_("¿Hasta cuándo? {forms}").format(forms=forms))
    return RequestError(_("«{text}» no se entiende como hora. {forms}").format(text=text, forms=forms))


def _no_such_system(text: str) -> RequestError:
    names = ", ".join(TYPED.values())
    said = _("«{text}» no es un sistema. Son {names}; sin ninguno se para todo.")
    return RequestError(said.format(text=text, names=names))
