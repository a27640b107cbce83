"""Tokens as the Bot Framework signs them, its keys served from a port of ours."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from aiohttp import web
from botframework.connector.auth.jwt_token_extractor import JwtTokenExtractor
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bot.answers import Answer, InvokeMessage
from connectors.teams import signing_keys
from connectors.teams.signing_keys import SigningKeys
from sandbox.control import serve
from tests.integration.bot.bench import Bench, Scripted, bench

APP = "11111111-2222-3333-4444-555555555555"
ISSUER = "https://api.botframework.com"
KEYS = {
    name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("first", "second", "stranger")
}


@dataclass
class Publisher:
    """The Bot Framework's metadata: what it publishes, how often it was asked."""

    published: list[str] = field(default_factory=lambda: ["first"])
    asked: int = 0
    down: bool = False
    endorsements: tuple[str, ...] = ("msteams",)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/metadata", self.metadata), web.get("/keys", self.keys)])
        return app

    async def metadata(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.down:
            return web.Response(status=503)
        return web.json_response({"jwks_uri": f"http://{request.host}/keys"})

    async def keys(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [self._key(name) for name in self.published]})

    def _key(self, name: str) -> dict[str, Any]:
        key = json.loads(RSAAlgorithm.to_jwk(KEYS[name].public_key()))
        return {**key, "kid": name, "endorsements": list(self.endorsements)}


def token(service_url: str, *, key: str = "first", signed_by: str = "", **changed: Any) -> str:
    claims = {"iss": ISSUER, "aud": APP, "exp": time.time() + 600, "serviceurl": service_url} | changed
    return "Bearer " + jwt.encode(claims, KEYS[signed_by or key], algorithm="RS256", headers={"kid": key})


@dataclass
class Door:
    bench: Bench
    publisher: Publisher
    clock: list[float]

    @property
    def press(self) -> dict[str, Any]:
        scene = self.bench.scene
        return scene.card_action(self.bench.ana, verb="v", data={}, card_activity_id="1")

    async def knock(self, header: str | None, **changed: Any) -> int:
        headers = {} if header is None else {"Authorization": header}
        return (await self.bench.post(self.press | changed, **headers)).status_code

    def token(self, **changed: Any) -> str:
        return token(self.bench.scene.service_url, **changed)


@asynccontextmanager
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    publisher, clock = Publisher(), [1000.0]
    runner, port = await serve(publisher.app(), port=0)
    handler = Scripted(lambda turn: Answer(invoke=InvokeMessage("sí")))
    try:
        async with bench(handler, bot_app_id=APP, bot_app_password="secret", tenant_id="tenant") as b:
            keys = SigningKeys(f"http://127.0.0.1:{port}/metadata", now=lambda: clock[0])
            monkeypatch.setitem(JwtTokenExtractor.metadataCache, signing_keys.METADATA_URL, keys)
            yield Door(b, publisher, clock)
    finally:
        await runner.cleanup()


async def test_a_signed_activity_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    async with door(monkeypatch) as d:
        assert await d.knock(d.token()) == 200
        assert await d.knock(d.token()) == 200
        assert (len(d.bench.handler.heard), d.publisher.asked) == (2, 1)


async def test_everything_else_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async with door(monkeypatch) as d:
        refused = {
            "no header": None,
            "empty": "",
            "not a token": "Bearer x",
            "three words": "Bearer x y",
            "another scheme": "Basic eDp5",
            "another app": d.token(aud="another"),
            "another issuer": d.token(iss="https://evil.example"),
            "an emulator's": d.token(iss="https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"),
            "expired": d.token(exp=time.time() - 900),
            "for another service": token("https://smba.example/"),
            "signed by a stranger": d.token(signed_by="stranger"),
            "of an unknown key": d.token(key="stranger"),
            "not signed": "Bearer " + jwt.encode({"iss": ISSUER, "aud": APP}, "", algorithm="none"),
        }
        answers = {why: await d.knock(header) for why, header in refused.items()}
        assert answers == dict.fromkeys(refused, 401)
        assert await d.knock(d.token(), channelId="directline") == 401
        assert await d.knock(d.token(), serviceUrl="http://127.0.0.1:9/") == 401
        assert d.bench.handler.heard == []


async def test_a_key_must_be_endorsed_for_teams(monkeypatch: pytest.MonkeyPatch) -> None:
    async with door(monkeypatch) as d:
        d.publisher.endorsements = ("webchat",)
        assert await d.knock(d.token()) == 401


async def test_a_new_key_is_fetched_and_forged_ones_do_not_make_it_fetch_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with door(monkeypatch) as d:
        assert await d.knock(d.token()) == 200
        d.publisher.published = ["second"]
        assert await d.knock(d.token(key="second")) == 401  # asked a moment ago
        d.clock[0] += signing_keys.ASK_AGAIN_S
        assert await d.knock(d.token(key="second")) == 200
        assert [await d.knock(d.token(key="stranger")) for _n in range(3)] == [401, 401, 401]
        assert d.publisher.asked == 2


async def test_when_the_keys_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    async with door(monkeypatch) as d:
        d.publisher.down = True
        assert await d.knock(d.token()) == 503
        d.publisher.down = False
        assert await d.knock(d.token()) == 200
        d.publisher.down = True
        d.clock[0] += signing_keys.KEPT_S + 1
        assert await d.knock(d.token()) == 200  # the old keys serve on
