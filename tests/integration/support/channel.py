"""The bot's real app over a database, with people who write and press, and the stand-in that collects what it says."""

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bot.app import build_app, serving
from bot.downloads import download_routes
from bot.handler import LucyHandler
from bot.letter_pages import letter_routes
from cards.as_text import as_text
from lucy.db.engine import Database
from lucy.domain.roles import Role
from lucy.settings import Settings
from sandbox.control import serve
from sandbox.teams.app import build_app as build_teams
from sandbox.teams.directory import Directory, Person, example_directory, example_person
from sandbox.teams.people import Activity, Scene
from sandbox.teams.state import TeamsState
from sandbox.teams.transcript import Entry
from tests.integration.support.people import grant
from tests.integration.support.works import CollectedNudges

_threads = itertools.count(1_700_000_000_000)


@dataclass
class Told:
    """What came back of one activity: the HTTP answer, and what the bot posted."""

    status: int
    body: Any
    entries: list[Entry]

    @property
    def text(self) -> str:
        """All of it, as a person reads it."""
        said = [as_text(entry.card) if entry.card is not None else entry.text for entry in self.entries]
        value = self.body.get("value") if isinstance(self.body, dict) else None
        if isinstance(value, Mapping):
            said.append(as_text(value))
        elif isinstance(value, str):
            said.append(value)
        return "\n".join(said)

    @property
    def json(self) -> str:
        """All of it, as it went over the wire."""
        parts = [json.dumps(entry.to_json(), ensure_ascii=False) for entry in self.entries]
        return "\n".join([*parts, json.dumps(self.body, ensure_ascii=False)])

    @property
    def card(self) -> Mapping[str, Any]:
        """The one card that was shown."""
        cards = [entry.card for entry in self.entries if entry.card is not None]
        if isinstance(self.body, dict) and isinstance(self.body.get("value"), Mapping):
            cards.append(self.body["value"])
        (card,) = cards
        return card


@dataclass
class Talk:
    """A channel and its people. Ana operates, Bruno approves, Carla administers, Dario looks; Eva is a stranger."""

    db: Database
    settings: Settings
    teams: TeamsState
    scene: Scene
    http: httpx.AsyncClient
    nudges: CollectedNudges
    clock: list[timedelta] = field(default_factory=lambda: [timedelta(0)])

    @property
    def ana(self) -> Person:
        return self.scene.directory.people[0]

    @property
    def bruno(self) -> Person:
        return self.scene.directory.people[1]

    @property
    def carla(self) -> Person:
        return self.scene.directory.people[2]

    @property
    def dario(self) -> Person:
        return self.scene.directory.people[3]

    @property
    def eva(self) -> Person:
        return self.scene.directory.people[4]

    def of_role(self, role: Role | None) -> Person:
        people = dict(
            zip(
                (Role.OPERADOR, Role.APROBADOR, Role.ADMINISTRADOR, Role.CONSULTA),
                self.scene.directory.people,
                strict=False,
            )
        )
        return people[role] if role is not None else self.eva

    def later(self, more: timedelta) -> None:
        """Let time pass for the bot."""
        self.clock[0] += more

    async def send(self, activity: Mapping[str, Any]) -> Told:
        before = len(self.teams.transcript.entries)
        answer = await self.http.post("/api/messages", json=activity)
        body = answer.json() if answer.content else None
        return Told(answer.status_code, body, self.teams.transcript.since(before))

    async def says(self, person: Person, words: str, *, personal: bool = False) -> Told:
        return await self.send(self.message(person, words, personal=personal))

    def message(self, person: Person, words: str, *, personal: bool = False) -> Activity:
        if personal:
            return self.scene.personal_message(person, words)
        return self.scene.channel_message(person, words, thread=str(next(_threads)))

    async def presses(self, person: Person, verb: str, data: Mapping[str, object], *, personal: bool = False) -> Told:
        return await self.send(self.press(person, verb, data, personal=personal))

    def press(self, person: Person, verb: str, data: Mapping[str, object], *, personal: bool = False) -> Activity:
        return self.scene.card_action(
            person, verb=verb, data=data, card_activity_id=str(next(_threads)), personal=personal
        )


@asynccontextmanager
async def talking(database_url: str, **changed: Any) -> AsyncIterator[Talk]:
    """`changed` are settings. The nudges are collected: nothing runs behind the bot's back."""
    example = example_directory()
    directory: Directory = replace(example, people=(*example.people, example_person("Eva Extraña")))
    teams = TeamsState(directory=directory)
    teams.switches.rate_limits = False
    runner, port = await serve(build_teams(teams), port=0)
    values: dict[str, Any] = {
        "mode": "sandbox",
        "database_url": database_url,
        "redis_url": "redis://nowhere/0",
        "secret_keys": "example",
        "admins": directory.people[2].aad_object_id,
        "tenant_id": directory.tenant_id,
        "allowed_teams": directory.team.id,
        "allowed_channels": "",
        "bot_app_id": "",
        "bot_host": "127.0.0.1",
        "bot_port": 0,
        "metrics_port": 0,
    }
    settings = Settings(**{**values, **changed})
    db, nudges, clock = Database(database_url, pool_size=12), CollectedNudges(), [timedelta(0)]

    async def ready() -> Mapping[str, str]:
        return {}

    def now() -> datetime:
        return datetime.now(UTC) + clock[0]

    handler = LucyHandler(settings, db, nudges, clock=now)
    routes = [*download_routes(db, settings.house(), clock=now), *letter_routes(db, clock=now)]
    try:
        async with (
            serving(settings, build_app(settings, handler, ready, routes=routes)) as listening,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.port}", trust_env=False, timeout=20) as http,
        ):
            scene = Scene(directory, directory.team.channels[1], f"http://127.0.0.1:{port}/")
            talk = Talk(db, settings, teams, scene, http, nudges, clock)
            for role in (Role.OPERADOR, Role.APROBADOR, Role.CONSULTA):
                await grant(db, talk.of_role(role), role)
            yield talk
    finally:
        await db.close()
        await runner.cleanup()


def button(card: Mapping[str, Any], title: str) -> Mapping[str, Any]:
    """The action of a card's button whose title begins like this, at any depth."""
    found = [one for one in _actions(card) if str(one.get("title", "")).startswith(title) and "verb" in one]
    assert found, f"no button {title!r}"
    return found[0]


def buttons(card: Mapping[str, Any]) -> list[str]:
    """Titles of the buttons in sight."""
    return [str(one.get("title", "")) for one in card.get("actions", [])]


def _actions(value: object) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        own = [value] if str(value.get("type", "")).startswith("Action.") else []
        return own + [one for part in value.values() for one in _actions(part)]
    if isinstance(value, list):
        return [one for part in value for one in _actions(part)]
    return []
