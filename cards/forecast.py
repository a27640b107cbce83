"""What a batch will take: seats, letters, calls, time. What is not known is said to be unknown."""

from datetime import timedelta
from math import ceil

from cards import wording
from cards.layout import bullets, labelled
from cards.parts import Block, Container, RichText, Run
from lucy.domain.error_codes import explain
from lucy.domain.operations import StepKind
from lucy.domain.views import BatchView, Forecast, Frame
from lucy.texts import _, number, plural

COURSES_SHOWN = 6


def forecast_lines(view: BatchView, frame: Frame) -> list[Block]:
    """As if it began now, and with that now: the card stays in the channel until somebody decides."""
    if view.forecast is None:
        return []
    lines = [
        _seats(view, view.forecast),
        _letters(view.forecast, frame),
        _calls(view.forecast),
        _time(view, view.forecast, frame),
    ]
    title = _("Previsión, si empieza el {when}:").format(when=wording.when(frame.drawn_at, frame))
    return [
        RichText(Run(title, bold=True)),
        *bullets([line for line in lines if line]),
        *_short(view, view.forecast),
        *_closed(view.forecast),
    ]


def seats_needed(view: BatchView) -> int:
    return sum(tally.left for tally in view.tallies if tally.kind is StepKind.LICENCE)


def _seats(view: BatchView, forecast: Forecast) -> str:
    needed = seats_needed(view)
    if not needed:
        return ""
    if forecast.seats_free is None:
        return _("no se sabe cuántas licencias quedan (Entra no contestó)")
    rest = forecast.seats_free - needed
    total = number(forecast.seats_total or forecast.seats_free)
    if rest < 0:
        short = plural("falta {n} licencia", "faltan {n} licencias", -rest)
        return _("{short}: hay {free} libres de {total}").format(
            short=short, free=number(forecast.seats_free), total=total
        )
    stay = plural("queda {n} licencia", "quedan {n} licencias", rest)
    return _("{stay} de {total}").format(stay=stay, total=total)


def _letters(forecast: Forecast, frame: Frame) -> str:
    """35 cartas; con las 120 de hoy, 155 de 10.000 del día. What is over the day's quota goes out on the next ones."""
    if not forecast.letters:
        return ""
    letters = plural("{n} carta", "{n} cartas", forecast.letters)
    if not forecast.letters_quota:
        return letters
    quota = number(forecast.letters_quota)
    over = forecast.letters_today + forecast.letters - forecast.letters_quota
    if over > 0:
        left = plural("hoy queda {n}", "hoy quedan {n}", max(0, forecast.letters_quota - forecast.letters_today))
        last = frame.drawn_at + timedelta(days=ceil(over / forecast.letters_quota))
        return _("{letters}; {left} de {quota} del día, las últimas saldrían el {day}").format(
            letters=letters, left=left, quota=quota, day=wording.weekday(last.astimezone(frame.zone).date())
        )
    after = number(forecast.letters_today + forecast.letters)
    if not forecast.letters_today:
        return _("{letters} de {quota} del día").format(letters=letters, quota=quota)
    today = plural("con la {n} de hoy", "con las {n} de hoy", forecast.letters_today)
    return _("{letters}; {today}, {after} de {quota} del día").format(
        letters=letters, today=today, after=after, quota=quota
    )


def _calls(forecast: Forecast) -> str:
    return (
        plural("{n} llamada a Moodle", "{n} llamadas a Moodle", forecast.moodle_calls) if forecast.moodle_calls else ""
    )


def _time(view: BatchView, forecast: Forecast, frame: Frame) -> str:
    """The end is left out where something stands in the way: nobody knows it then."""
    if forecast.duration_s is None:
        return _("no se sabe cuánto tarda")
    if view.obstacles or view.waits_for:
        return _("{time}, sin contar la espera").format(time=wording.about(forecast.duration_s))
    end = wording.at_hour(frame.drawn_at + timedelta(seconds=forecast.duration_s), frame)
    return _("{time}, terminaría {end}").format(time=wording.about(forecast.duration_s), end=end)


def _short(view: BatchView, forecast: Forecast) -> list[Block]:
    """For whom it suffices and what is missing for the rest."""
    if forecast.fits is None:
        return []
    missing = []
    if forecast.seats_free is not None and (seats := seats_needed(view) - forecast.seats_free) > 0:
        missing.append(plural("falta {n} licencia", "faltan {n} licencias", seats))
    letters = forecast.letters_today + forecast.letters - forecast.letters_quota
    if forecast.letters_quota and letters > 0:
        missing.append(plural("falta {n} carta del día", "faltan {n} cartas del día", letters))
    text = _("Alcanza para {fits} de {total}") if forecast.fits else _("No alcanza para ninguno de los {total}")
    fits = text.format(fits=number(forecast.fits), total=number(view.students))
    return [labelled(fits, wording.listed(missing) or _("los demás no entran"))]


def _closed(forecast: Forecast) -> list[Block]:
    """The courses in which nobody can be enrolled: better told now than by every student afterwards."""
    if not forecast.courses:
        return []
    lines = [
        f"{wording.clip(course, 60)}: {explain(code)} ({code})" for course, code in forecast.courses[:COURSES_SHOWN]
    ]
    if rest := len(forecast.courses) - len(lines):
        lines.append(plural("{n} curso más", "{n} cursos más", rest))
    title = _("Hoy en estos cursos no se puede matricular:")
    return [Container([RichText(Run(title, bold=True)), *bullets(lines)], style="warning")]
