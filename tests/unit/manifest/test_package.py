"""The app package: what it says comes from the settings, and asks for no more than it needs."""

import io
import json
import struct
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.grammar import Command, parse
from lucy.errors import ConfigurationError
from lucy.settings import Settings
from manifest.package import ICONS, build_package, english, manifest
from manifest.texts import COMMANDS

BOT = "8f1c2d3e-4b5a-4c6d-8e9f-0a1b2c3d4e5f"


def settings(**changed: Any) -> Settings:
    given: dict[str, Any] = {
        "mode": "sandbox",
        "database_url": "unused",
        "redis_url": "unused",
        "secret_keys": Fernet.generate_key().decode(),
        "bot_app_id": BOT,
        "public_url": "https://lucy.example.edu:8443/",
    }
    return Settings(**{**given, **changed})


def test_the_package_holds_what_teams_wants_and_nothing_else() -> None:
    with zipfile.ZipFile(io.BytesIO(build_package(settings()))) as package:
        assert sorted(package.namelist()) == ["color.png", "en.json", "manifest.json", "outline.png"]
        for name, size in ICONS.items():
            head = package.read(name)[:24]
            assert head.startswith(b"\x89PNG")
            assert struct.unpack(">II", head[16:24]) == (size, size)
        told = json.loads(package.read("manifest.json"))
    assert told["bots"][0]["botId"] == BOT
    assert told["validDomains"] == ["lucy.example.edu"]
    assert told["bots"][0]["scopes"] == ["personal", "team"]


def test_the_same_settings_make_the_same_package() -> None:
    assert build_package(settings()) == build_package(settings())
    assert manifest(settings())["id"] == manifest(settings(app_name="Otra"))["id"]
    assert manifest(settings(app_id=BOT))["id"] == BOT


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert manifest(settings())["version"] == project["project"]["version"]


def test_least_permissions() -> None:
    told = manifest(settings())
    assert told["permissions"] == ["identity", "messageTeamMembers"]
    assert "authorization" not in told, "no consent to read all messages of a channel"


def test_every_command_of_the_menu_is_one_in_both_languages() -> None:
    assert len(COMMANDS) == 10
    for spanish, other in COMMANDS:
        for one in (spanish, other):
            assert len(one.title) <= 32
            assert len(one.does) <= 128
        meant, also = parse(spanish.title), parse(other.title)
        assert isinstance(meant, Command), spanish.title
        assert isinstance(also, Command), other.title
        assert meant.name is also.name


def test_the_other_language_says_as_much() -> None:
    told = english(settings())
    assert sum("commands[" in name for name in told) == 20
    assert len(told["description.short"]) <= 80


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"bot_app_id": ""}, "LUCY_BOT_APP_ID"),
        ({"bot_app_id": "lucy"}, "LUCY_BOT_APP_ID"),
        ({"public_url": ""}, "LUCY_PUBLIC_URL"),
        ({"public_url": "http://lucy.example.edu"}, "LUCY_PUBLIC_URL"),
        ({"app_site": "http://x"}, "LUCY_APP_SITE"),
        ({"app_name": ""}, "LUCY_APP_NAME"),
        ({"app_developer": "x" * 33}, "LUCY_APP_DEVELOPER"),
        ({"app_id": "x"}, "LUCY_APP_ID"),
    ],
)
def test_what_is_missing_is_named(changed: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        build_package(settings(**changed))
