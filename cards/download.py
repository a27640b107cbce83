"""The link to the rows of a batch, for the one who asked."""

from dataclasses import dataclass

from cards.actions import Execute, OpenUrl
from cards.layout import heading, sheet
from cards.parts import RichText
from cards.verbs import BatchPress, Verb
from lucy.domain.views import Frame
from lucy.texts import _, plural


@dataclass(frozen=True, slots=True)
class DownloadOffer:
    """`version` is the batch's, for the way back to its card."""

    number: int
    code: str
    version: int
    url: str
    valid_min: int


def download_card(offer: DownloadOffer, frame: Frame) -> dict[str, object]:
    body = [
        heading(_title(offer), frame),
        RichText(_terms(offer)),
        RichText(_("Tiene datos personales de los alumnos: no la reenvíes.")),
    ]
    back = BatchPress(batch=offer.number, version=offer.version).data()
    actions = [
        OpenUrl(_("Bajar la planilla de {code}").format(code=offer.code), offer.url),
        Execute(_("Volver al lote"), Verb.BATCH_VIEW, back),
    ]
    return sheet(body, summary(offer), actions)


def summary(offer: DownloadOffer) -> str:
    return f"{_title(offer)}. {_terms(offer)}"


def _title(offer: DownloadOffer) -> str:
    return _("{code} · Planilla").format(code=offer.code)


def _terms(offer: DownloadOffer) -> str:
    text = _("El enlace sirve una sola vez y durante {time}. Después pedís otro desde la tarjeta del lote.")
    return text.format(time=plural("{n} minuto", "{n} minutos", offer.valid_min))
