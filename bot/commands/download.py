"""A link to the rows of a batch, told to nobody but the asker."""

from bot.answers import Answer
from bot.ask import Ask
from cards.download import DownloadOffer, download_card, summary
from lucy.db import batches
from lucy.domain.batches import batch_code
from lucy.errors import RequestError
from lucy.flows.downloads import VALID_MIN, offer_download
from lucy.texts import _

PATH = "/descargas/"


async def offer(ask: Ask, number: int) -> Answer:
    """Raises RequestError in the channel, where everybody would have the link, and when there is no such batch."""
    if not ask.personal:
        raise RequestError(
            _("La planilla tiene datos personales: pedila con el botón de la tarjeta, o en el chat personal conmigo.")
        )
    if not ask.house.public_url:
        raise RequestError(
            _("No sé con qué dirección se llega a Lucy. Un administrador tiene que poner LUCY_PUBLIC_URL.")
        )
    token = await offer_download(ask.session, number, actor=ask.actor, now=ask.now)
    batch = await batches.get(ask.session, number)
    assert batch is not None
    url = f"{ask.house.public_url}{PATH}{token}"
    offered = DownloadOffer(number, batch_code(number), batch.version, url, VALID_MIN)
    return ask.card(download_card(offered, ask.frame), summary(offered))
