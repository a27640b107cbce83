"""The page of the local chat, and the hand that carries what is typed and pressed there to the bot.

It plays the Teams client: the connector's stand-in keeps what the bot posts, this sends the bot what people do. Cards
are drawn by Microsoft's own renderer where npm has brought it (`renderer`), else by a small one of the page's own.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, web

from sandbox.control import serve
from sandbox.teams.directory import Directory, Person
from sandbox.teams.people import Scene

STATIC = Path(__file__).parent / "static"
LONGEST_WAIT_S = 25
_KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


@dataclass(frozen=True)
class ChatPlaces:
    """Where everything is: the bot, the connector's stand-in, and the official renderer's file where there is one."""

    bot_url: str
    teams_url: str
    renderer: Path | None = None


def build_app(scene: Scene, places: ChatPlaces) -> web.Application:
    chat = _Chat(scene, places)
    app = web.Application(client_max_size=512 * 1024)
    app.cleanup_ctx.append(chat.session)
    app.add_routes(
        [
            web.get("/", _file("chat.html")),
            web.get("/chat.js", _file("chat.js")),
            web.get("/draw.js", _file("draw.js")),
            web.get("/chat.css", _file("chat.css")),
            web.get("/adaptivecards.js", chat.renderer),
            web.get("/api/who", chat.who),
            web.get("/api/news", chat.news),
            web.post("/api/say", chat.say),
            web.post("/api/press", chat.press),
        ]
    )
    return app


@contextlib.asynccontextmanager
async def serving_chat(directory: Directory, places: ChatPlaces, *, port: int = 0) -> AsyncIterator[str]:
    """Serve the chat on a port of this machine; yields its address."""
    scene = Scene(directory, directory.team.channels[1], places.teams_url + "/")
    runner, bound = await serve(build_app(scene, places), port=port)
    try:
        yield f"http://127.0.0.1:{bound}/"
    finally:
        await runner.cleanup()


def _file(name: str) -> Any:
    async def serve_file(_: web.Request) -> web.StreamResponse:
        content = (STATIC / name).read_text(encoding="utf-8")
        return web.Response(text=content, content_type=_KINDS[Path(name).suffix], headers={"Cache-Control": "no-store"})

    return serve_file


class _Chat:
    def __init__(self, scene: Scene, places: ChatPlaces) -> None:
        self._scene, self._places = scene, places
        self._http: ClientSession | None = None

    async def session(self, _: web.Application) -> AsyncIterator[None]:
        async with ClientSession(timeout=ClientTimeout(total=LONGEST_WAIT_S + 15)) as self._http:
            yield

    @property
    def http(self) -> ClientSession:
        assert self._http is not None, "asked before the app was started"
        return self._http

    async def renderer(self, _: web.Request) -> web.StreamResponse:
        """404 where npm has not brought it: then the page draws by itself."""
        path = self._places.renderer
        if path is None or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Content-Type": "text/javascript"})

    async def who(self, _: web.Request) -> web.Response:
        directory = self._scene.directory
        people = [
            {"name": one.name, "id": one.aad_object_id, "teamsId": one.id, "chat": one.personal_conversation_id}
            for one in directory.people
        ]
        return web.json_response({"people": people, "team": directory.team.name, "channel": self._scene.channel.name})

    async def news(self, request: web.Request) -> web.Response:
        """What was posted since entry `since`; waits for the first of it."""
        since = int(request.query.get("since", "0"))
        address = f"{self._places.teams_url}/_control/transcript"
        query = {"since": str(since), "wait": str(LONGEST_WAIT_S)}
        try:
            async with self.http.get(address, params=query) as answer:
                return web.json_response(await answer.json())
        except ClientConnectionError:  # the simulators, or this chat, are on their way out
            raise web.HTTPServiceUnavailable from None

    async def say(self, request: web.Request) -> web.Response:
        sent = await request.json()
        person, text = self._person(sent), str(sent["text"])
        if sent.get("personal"):
            activity = self._scene.personal_message(person, text)
        else:
            activity = self._scene.channel_message(person, text, thread=sent.get("thread") or None)
        written = activity | {"text": text, "from": {"name": person.name}}
        async with self.http.post(f"{self._places.teams_url}/_control/people", json=written) as told:
            told.raise_for_status()
        return await self._post(activity)

    async def press(self, request: web.Request) -> web.Response:
        """The bot's answer as it came: a card that this person alone sees, or a text."""
        sent = await request.json()
        conversation = str(sent["conversation"])
        activity = self._scene.card_action(
            self._person(sent),
            verb=str(sent["verb"]),
            data=dict(sent.get("data") or {}),
            card_activity_id=str(sent["activity"]),
            thread=conversation.partition(";messageid=")[2] or None,
            personal=conversation.startswith("a:"),
            trigger=str(sent.get("trigger", "manual")),
        )
        return await self._post(activity)

    def _person(self, sent: Any) -> Person:
        person = self._scene.directory.person(str(sent.get("person", "")))
        if person is None:
            raise web.HTTPBadRequest(text="nobody of the team is called so")
        return person

    async def _post(self, activity: dict[str, Any]) -> web.Response:
        async with self.http.post(f"{self._places.bot_url}/api/messages", json=activity) as answer:
            text = await answer.text()
            return web.Response(status=answer.status, text=text, content_type="application/json")
