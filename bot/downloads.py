"""`GET /descargas/{token}`: the rows of a batch, once, for whoever was given the link.

A scanner that follows a link with HEAD does not use it up. A link that was used, expired or never offered is answered
alike. No address is logged: it is a secret until it is used.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from html import escape

import structlog
from aiohttp import web

from bot.commands.download import PATH
from lucy.db.engine import Database
from lucy.domain.batches import batch_code
from lucy.domain.house import House
from lucy.flows.batch_sheet import write_batch_sheet
from lucy.flows.downloads import VALID_MIN, may_download, take_download
from lucy.log import bind_correlation, correlation, new_correlation
from lucy.texts import _, plural

log = structlog.get_logger(__name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
_PAGE_ALONE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
_PAGE = """<!doctype html>
<html lang="es-AR"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1rem }}</style>
</head><body><h1>{title}</h1><p>{text}</p></body></html>
"""


def download_routes(db: Database, house: House, *, clock: Callable[[], datetime]) -> list[web.RouteDef]:
    """For `build_app`. aiohttp would answer HEAD with the GET, which uses the link up."""
    downloads = _Downloads(db, house, clock)
    path = PATH + "{token}"
    return [web.get(path, downloads.hand_out, allow_head=False), web.head(path, downloads.look)]


class _Downloads:
    """One sheet is written at a time: turns have to be answered meanwhile."""

    def __init__(self, db: Database, house: House, clock: Callable[[], datetime]) -> None:
        self._db, self._house, self._clock = db, house, clock
        self._one_at_a_time = asyncio.Lock()

    async def look(self, request: web.Request) -> web.Response:
        async with self._db.transaction() as session:
            stands = await may_download(session, request.match_info["token"], now=self._clock())
        if not stands:
            return _gone()
        return web.Response(content_type=XLSX, headers=_PRIVATE)

    async def hand_out(self, request: web.Request) -> web.Response:
        structlog.contextvars.clear_contextvars()
        bind_correlation(new_correlation())
        try:
            return await self._hand_out(request.match_info["token"])
        except Exception:
            log.exception("download_failed")
            return _failed()

    async def _hand_out(self, token: str) -> web.Response:
        """Used first, in a transaction of its own: nobody has the rows twice, whatever happens afterwards."""
        now = self._clock()
        async with self._db.transaction() as session:
            number = await take_download(session, token, house=self._house, now=now)
        if number is None:
            log.info("download_refused")
            return _gone()
        async with self._one_at_a_time, self._db.transaction() as session:
            content = await write_batch_sheet(session, number, house=self._house, now=now)
        assert content is not None, "a batch is never deleted"
        log.info("download", batch=number, bytes=len(content))
        name = f'attachment; filename="{batch_code(number)}.xlsx"'
        return web.Response(body=content, content_type=XLSX, headers={**_PRIVATE, "Content-Disposition": name})


def _gone() -> web.Response:
    text = _(
        "Cada enlace sirve una sola vez y durante {time}: este ya se usó o venció. Para bajar la planilla, volvé a "
        "Teams y pedí otro enlace con el botón de la tarjeta del lote."
    )
    return _page(
        410,
        _("Este enlace ya no sirve"),
        text.format(time=plural("{n} minuto", "{n} minutos", VALID_MIN)),
    )


def _failed() -> web.Response:
    text = _(
        "Algo falló de nuestro lado y el enlace ya no sirve. Volvé a la tarjeta del lote en Teams y pedí otro. Si "
        "vuelve a pasar, avisá a un administrador con esta referencia: {reference}."
    )
    return _page(500, _("No se pudo hacer la planilla"), text.format(reference=correlation()))


def _page(status: int, title: str, text: str) -> web.Response:
    page = _PAGE.format(title=escape(title), text=escape(text))
    return web.Response(status=status, text=page, content_type="text/html", headers={**_PRIVATE, **_PAGE_ALONE})
