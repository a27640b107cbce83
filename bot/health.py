"""Whether the process lives, whether it can work, and how much it does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

log = structlog.get_logger(__name__)

Readiness = Callable[[], Awaitable[Mapping[str, str]]]

READINESS_S = 5.0
TURNS = Counter("lucy_turns", "Activities answered, by kind and HTTP status.", ["kind", "status"])
TURN_SECONDS = Histogram(
    "lucy_turn_seconds",
    "Time from an activity's arrival to its answer.",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)


def health_routes(readiness: Readiness) -> list[web.RouteDef]:
    """`/healthz`: the process answers. `/readyz`: what it needs answers too; names of what does not, no details."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        problems = await _problems(readiness)
        if problems:
            return web.json_response({"status": "not ready", "problems": problems}, status=503)
        return web.json_response({"status": "ready"})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


def build_metrics_app(registry: CollectorRegistry = REGISTRY) -> web.Application:
    """`/metrics` for its own port, which the proxy does not publish."""

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics)])
    return app


async def _problems(readiness: Readiness) -> list[str]:
    """Details go to the log only."""
    try:
        async with asyncio.timeout(READINESS_S):
            found = await readiness()
    except Exception as error:
        log.exception("readiness_failed", error=type(error).__name__)
        return ["readiness"]
    for name, problem in found.items():
        log.warning("not_ready", part=name, problem=problem)
    return sorted(found)
