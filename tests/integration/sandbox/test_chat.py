"""The local chat's server: what is typed and pressed reaches the bot as Teams would send it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from sandbox.chat.app import ChatPlaces, serving_chat
from sandbox.chat.renderer import bring_renderer
from sandbox.control import serve
from sandbox.teams.app import build_app as build_teams
from sandbox.teams.state import TeamsState


@dataclass
class Bench:
    http: httpx.AsyncClient
    teams: TeamsState
    heard: list[dict[str, Any]] = field(default_factory=list)
    answer: web.Response | None = None

    async def post(self, path: str, **sent: Any) -> httpx.Response:
        person = self.teams.directory.people[1].aad_object_id
        return await self.http.post(path, json={"person": person, **sent})


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """The chat over the connector's stand-in and a bot that only listens."""
    teams, heard = TeamsState(), []

    async def hear(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.json_response({"statusCode": 200, "value": "dicho"})

    bot = web.Application()
    bot.router.add_post("/api/messages", hear)
    bot_runner, bot_port = await serve(bot, port=0)
    teams_runner, teams_port = await serve(build_teams(teams), port=0)
    renderer = tmp_path / "adaptivecards.min.js"
    places = ChatPlaces(f"http://127.0.0.1:{bot_port}", f"http://127.0.0.1:{teams_port}", renderer)
    async with (
        serving_chat(teams.directory, places) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, timeout=10) as http,
    ):
        yield Bench(http, teams, heard)
    await bot_runner.cleanup()
    await teams_runner.cleanup()


async def test_the_page_and_its_parts_are_served(bench: Bench, tmp_path: Path) -> None:
    for path in ("/", "/chat.js", "/draw.js", "/chat.css"):
        assert (await bench.http.get(path)).status_code == 200
    assert (await bench.http.get("/adaptivecards.js")).status_code == 404, "npm has not brought it"
    (tmp_path / "adaptivecards.min.js").write_text("// drawn")
    assert (await bench.http.get("/adaptivecards.js")).text == "// drawn"
    told = (await bench.http.get("/api/who")).json()
    assert [one["name"].split()[0] for one in told["people"]] == ["Ana", "Bruno", "Carla", "Dario", "Elena"]


async def test_what_is_typed_goes_to_the_bot_and_stands_in_the_channel(bench: Bench) -> None:
    assert (await bench.post("/api/say", text="ayuda")).status_code == 200
    await bench.post("/api/say", text="alumno 40.123.456", personal=True)
    first, second = bench.heard
    assert first["text"].startswith("<at>Lucy</at> ")
    assert first["conversation"]["conversationType"] == "channel"
    assert first["from"]["aadObjectId"] == bench.teams.directory.people[1].aad_object_id
    assert second["conversation"]["conversationType"] == "personal"
    await bench.post("/api/say", text="y otra", thread=first["id"])
    assert bench.heard[2]["conversation"]["id"] == first["conversation"]["id"]
    entries = (await bench.http.get("/api/news", params={"since": 0})).json()["entries"]
    assert next((one["kind"], one["text"]) for one in entries) == ("person", "ayuda")
    assert {one["sender"] for one in entries} == {"Bruno Aprobador"}


async def test_a_press_carries_who_where_and_what(bench: Bench) -> None:
    answer = await bench.post(
        "/api/press",
        conversation="19:campus-altas@thread.tacv2;messageid=17",
        activity="18",
        verb="batch.approve",
        data={"batch": 1},
        trigger="automatic",
    )
    assert answer.json()["value"] == "dicho"
    (heard,) = bench.heard
    assert (heard["type"], heard["name"], heard["replyToId"]) == ("invoke", "adaptiveCard/action", "18")
    assert heard["value"]["action"]["data"] == {"batch": 1}
    assert heard["value"]["trigger"] == "automatic"
    assert heard["conversation"]["id"].endswith(";messageid=17")


async def test_nobody_of_the_team_is_refused(bench: Bench) -> None:
    assert (await bench.http.post("/api/say", json={"person": "x", "text": "hola"})).status_code == 400
    assert bench.heard == []


async def test_without_npm_the_page_draws_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await bring_renderer(tmp_path / "kept") is None
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nexit 1\n")
    npm.chmod(0o755)
    assert await bring_renderer(tmp_path / "kept") is None, "npm that fails"
