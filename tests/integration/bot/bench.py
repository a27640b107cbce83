"""The real bot app on a free port, and the stand-in of the Teams service that collects what it posts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.answers import Answer, Handler
from bot.app import build_app, serving
from bot.turns import Turn
from lucy.settings import Settings
from sandbox.control import Fault, serve
from sandbox.teams.app import build_app as build_teams
from sandbox.teams.directory import Person, example_directory
from sandbox.teams.people import Scene
from sandbox.teams.state import TeamsState

CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Hola"}]}


def settings(**more: Any) -> Settings:
    """A sandbox on loopback, whatever the environment says."""
    values: dict[str, Any] = {
        "mode": "sandbox",
        "database_url": "postgresql://nowhere/lucy",
        "redis_url": "redis://nowhere/0",
        "secret_keys": "example",
        "bot_app_id": "",
        "bot_host": "127.0.0.1",
        "bot_port": 0,
        "metrics_port": 0,
    }
    return Settings(**(values | more))


async def ready() -> Mapping[str, str]:
    return {}


@dataclass
class Scripted:
    """A handler that answers as it is told and remembers whom it heard."""

    say: Callable[[Turn], Answer | Awaitable[Answer]] = lambda turn: Answer()
    heard: list[Turn] = field(default_factory=list)

    async def handle(self, turn: Turn) -> Answer:
        self.heard.append(turn)
        said = self.say(turn)
        return said if isinstance(said, Answer) else await said


@dataclass
class Bench:
    teams: TeamsState
    scene: Scene
    http: httpx.AsyncClient
    handler: Scripted

    @property
    def ana(self) -> Person:
        return self.scene.directory.people[0]

    async def post(self, activity: object, **headers: str) -> httpx.Response:
        return await self.http.post("/api/messages", json=activity, headers=headers)

    def fail(self, operation: str, action: str, **more: Any) -> None:
        self.teams.control.add_fault(Fault(match=operation, action=action, **more))


@asynccontextmanager
async def bench(
    handler: Scripted | None = None,
    *,
    readiness: Callable[[], Awaitable[Mapping[str, str]]] = ready,
    **changed: Any,
) -> AsyncIterator[Bench]:
    state = TeamsState(directory=example_directory())
    runner, teams_port = await serve(build_teams(state), port=0)
    said = handler or Scripted()
    configuration = settings(**changed)
    guarded: Handler = said
    try:
        async with (
            serving(configuration, build_app(configuration, guarded, readiness)) as listening,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.port}", trust_env=False) as http,
        ):
            scene = Scene(state.directory, state.directory.team.channels[1], f"http://127.0.0.1:{teams_port}/")
            yield Bench(state, scene, http, said)
    finally:
        await runner.cleanup()
