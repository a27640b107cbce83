"""A batch before it runs: what it would do, for whoever has to say yes or no."""

from cards import wording
from cards.batch_heading import already_line, batch_heading, impossible_lines, note_lines
from cards.layout import labelled, small
from cards.parts import Block
from lucy.domain.batches import BatchState
from lucy.domain.operations import StepKind
from lucy.domain.views import BatchView, Forecast, Frame
from lucy.texts import _, duration, number, plural


def body(view: BatchView, frame: Frame) -> list[Block]:
    will_do = wording.counted(view.tallies, lambda tally: tally.to_do)
    blocks: list[Block] = [
        batch_heading(view, frame),
        labelled(_("Selección"), wording.clip(view.selection, 300), mono=True),
        labelled(_("Se va a hacer"), will_do or _("nada, no hay pasos por hacer")),
        *already_line(view),
        *_no_letter(view),
        *(impossible_lines(view) or [labelled(_("No se puede"), number(0))]),
    ]
    if view.forecast is not None and (expected := _forecast(view, view.forecast)):
        blocks.append(labelled(_("Previsión"), expected))
    return [*blocks, *_held(view), *note_lines(view), *_waits_for(view, frame)]


def _no_letter(view: BatchView) -> list[Block]:
    """An account that exists gets no letter: its password is not ours to tell."""
    accounts = sum(tally.already for tally in view.tallies if tally.kind is StepKind.ACCOUNT)
    if not accounts or not view.options.mail:
        return []
    return [small(_("A las cuentas que ya estaban no se les envía contraseña."))]


def _held(view: BatchView) -> list[Block]:
    if view.state is not BatchState.HELD or not view.reason:
        return []
    return [labelled(_("Por qué está retenida"), wording.clip(view.reason, 500))]


def _waits_for(view: BatchView, frame: Frame) -> list[Block]:
    blocks: list[Block] = []
    if view.approvers and view.state is not BatchState.DRAFT:
        names = wording.either(view.approvers[:6])
        blocks.append(labelled(_("Espera a"), _("{names} (aprobación por otra persona)").format(names=names)))
    if view.expires_at is not None:
        text = _("{when}; después hay que pedirla de nuevo").format(when=wording.when(view.expires_at, frame))
        blocks.append(labelled(_("Vence"), text))
    return blocks


def _forecast(view: BatchView, forecast: Forecast) -> str:
    """Seats that stay, letters that go out, how long it takes; what is not known is said to be unknown."""
    pieces = [_seats(view, forecast)]
    if forecast.letters:
        pieces.append(plural("sale {n} carta", "salen {n} cartas", forecast.letters))
    if forecast.duration_s is not None:
        pieces.append(_("tarda unos {time}").format(time=duration(forecast.duration_s)))
    return wording.listed(filter(None, pieces))


def _seats(view: BatchView, forecast: Forecast) -> str:
    needed = sum(tally.to_do for tally in view.tallies if tally.kind is StepKind.LICENCE)
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
