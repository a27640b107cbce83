"""Letters as they look, for a masked student: pictures that cards show, and pages that are opened once.

A picture is fetched by Teams for every reader of its card, so its address is good for as long as its text is.
"""

from collections.abc import Callable
from datetime import datetime
from html import escape

from aiohttp import web

from lucy.db.engine import Database
from lucy.flows.preview_letter import PAGES, PICTURES, page_stands, read_picture, take_page
from lucy.texts import _

_PRIVATE = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
_ALONE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src https:; sandbox"}


def letter_routes(db: Database, *, clock: Callable[[], datetime]) -> list[web.RouteDef]:
    """For `build_app`. aiohttp would answer HEAD with the GET, which uses a page up."""

    async def picture(request: web.Request) -> web.Response:
        async with db.transaction() as session:
            png = await read_picture(session, request.match_info["token"])
        if png is None:
            raise web.HTTPNotFound
        return web.Response(body=png, content_type="image/png", headers={**_PRIVATE, "Cache-Control": "private"})

    async def page(request: web.Request) -> web.Response:
        async with db.transaction() as session:
            html = await take_page(session, request.match_info["token"], now=clock())
        headers = {**_PRIVATE, **_ALONE, "Cache-Control": "no-store"}
        if html is None:
            return web.Response(status=410, text=_gone(), content_type="text/html", headers=headers)
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def look(request: web.Request) -> web.Response:
        async with db.transaction() as session:
            stands = await page_stands(session, request.match_info["token"], now=clock())
        return web.Response(status=200 if stands else 410, content_type="text/html", headers=_PRIVATE)

    return [
        web.get(PICTURES + "{token}", picture),
        web.get(PAGES + "{token}", page, allow_head=False),
        web.head(PAGES + "{token}", look),
    ]


def _gone() -> str:
    title = escape(_("Este enlace ya no sirve"))
    text = escape(_("Se abre una sola vez, durante unos minutos. Pedí otro en Teams, desde la tarjeta de la carta."))
    return (
        f'<!doctype html><html lang="es-AR"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>{text}</p>'
    )
