"""The bot's HTTP face: `POST /api/messages` for the Teams service, health for whoever watches, others' routes.

Nothing of a body, a header or a person is logged, and no traceback leaves the house. A turn that failed inside is
answered like one that went well, so that Teams does not send it again.
"""

import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from bot.adapter import BotAdapter
from bot.answers import Handler, HttpAnswer, InvokeMessage, invoke_body
from bot.guard import Guarded, apology_text
from bot.health import TURN_SECONDS, TURNS, Readiness, build_metrics_app, health_routes
from bot.turns import CARD_ACTION
from lucy.log import bind_correlation, new_correlation
from lucy.settings import Settings

log = structlog.get_logger(__name__)

BODY_LIMIT = 256 * 1024
_KINDS = frozenset({"message", "invoke", "conversationUpdate", "installationUpdate", "messageUpdate", "messageDelete"})


def build_app(
    settings: Settings, handler: Handler, readiness: Readiness, *, routes: Iterable[web.RouteDef] = ()
) -> web.Application:
    """`readiness` gives the parts that are not ready, each with why; `routes` go beside. Raises ConfigurationError."""
    adapter = BotAdapter(settings)
    app = web.Application(client_max_size=BODY_LIMIT)
    app.add_routes([web.post("/api/messages", _Messages(adapter, Guarded(handler)).answer), *health_routes(readiness)])
    app.add_routes(routes)

    async def close(_app: web.Application) -> None:
        await adapter.aclose()

    app.on_cleanup.append(close)
    return app


class _Messages:
    """The route of the activities."""

    def __init__(self, adapter: BotAdapter, handler: Handler) -> None:
        self._adapter = adapter
        self._handler = handler

    async def answer(self, request: web.Request) -> web.Response:
        started = time.monotonic()
        structlog.contextvars.clear_contextvars()
        bind_correlation(new_correlation())
        activity = await _activity(request)
        kind = _kind(activity)
        answer = await self._run(request.headers.get("Authorization", ""), activity)
        seconds = time.monotonic() - started
        TURNS.labels(kind, str(answer.status)).inc()
        TURN_SECONDS.labels(kind).observe(seconds)
        log.info("turn", kind=kind, status=answer.status, duration_ms=round(seconds * 1000))
        if answer.body is None:
            return web.Response(status=answer.status)
        return web.json_response(answer.body, status=answer.status)

    async def _run(self, auth_header: str, activity: Mapping[str, object]) -> HttpAnswer:
        """What fails beyond the handler (the handler itself is guarded) is told to who pressed, at least."""
        try:
            return await self._adapter.authenticate_and_run(auth_header, activity, self._handler)
        except Exception:
            log.exception("turn_broken", kind=_kind(activity))
            if activity.get("type") == "invoke" and activity.get("name") == CARD_ACTION:
                return HttpAnswer(200, invoke_body(InvokeMessage(apology_text())))
            return HttpAnswer(201)


async def _activity(request: web.Request) -> dict[str, object]:
    """The body as a JSON object. Raises 413, 415 and 400."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    if request.content_length is not None and request.content_length > BODY_LIMIT:
        raise web.HTTPRequestEntityTooLarge(BODY_LIMIT, request.content_length)
    body = await request.read()
    try:
        activity = json.loads(body)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    if not isinstance(activity, dict):
        raise web.HTTPBadRequest
    return activity


def _kind(activity: Mapping[str, object]) -> str:
    """For logs and metrics: never more different values than we know."""
    kind = activity.get("type")
    return kind if isinstance(kind, str) and kind in _KINDS else "other"


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the bot can be reached; `metrics_port` is 0 when there are no metrics."""

    host: str
    port: int
    metrics_port: int


@asynccontextmanager
async def serving(settings: Settings, app: web.Application) -> AsyncIterator[Listening]:
    """Serve the app on its port and the metrics on theirs. Port 0 takes a free one for the bot."""
    runners = [web.AppRunner(app, access_log=None, handle_signals=False)]
    if settings.metrics_port:
        runners.append(web.AppRunner(build_metrics_app(), access_log=None))
    ports = []
    try:
        for runner, port in zip(runners, (settings.bot_port, settings.metrics_port), strict=False):
            await runner.setup()
            await web.TCPSite(runner, settings.bot_host, port).start()
            ports.append(_port(runner))
        yield Listening(settings.bot_host, ports[0], ports[1] if len(ports) > 1 else 0)
    finally:
        for runner in runners:
            await runner.cleanup()


def _port(runner: web.AppRunner) -> int:
    address: Any = runner.addresses[0]
    return int(address[1])
