"""The container set-up agrees with its schema, with .env.example and with the settings."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lucy.settings import Settings

CHECKOUT = Path(__file__).parents[3]
COMPOSE = CHECKOUT / "docker-compose.yml"
ONE_SHOT = {"migrate"}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = YAML(typ="safe").load(COMPOSE)["services"]
    return found


def example() -> dict[str, str]:
    """Every variable of .env.example, those commented out included, with its value."""
    lines = (CHECKOUT / ".env.example").read_text().splitlines()
    found = (re.match(r"(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def test_the_compose_file_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_that_production_needs_is_there(services: dict[str, dict[str, Any]]) -> None:
    wanted = {"bot", "worker", "scheduler", "migrate", "postgres", "redis", "nginx", "mailpit"}
    assert set(services) == wanted
    assert services["postgres"]["image"].startswith("postgres:16")
    assert services["redis"]["image"].startswith("redis:7")
    assert services["mailpit"]["profiles"] == ["development"]


def test_every_service_comes_back_and_says_how_it_is(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["restart"] == ("on-failure:3" if name in ONE_SHOT else "unless-stopped"), name
        assert ("healthcheck" in service) is (name not in ONE_SHOT), name


def test_only_the_proxy_is_open_to_the_world(services: dict[str, dict[str, Any]]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"nginx": ["80:80", "443:443"], "mailpit": ["127.0.0.1:8025:8025"]}
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["inside"]


def test_every_variable_in_use_is_explained() -> None:
    files = [COMPOSE, CHECKOUT / "deploy" / "Dockerfile"]
    text = "\n".join(path.read_text() for path in files)
    used = set(re.findall(r"\bLUCY_[A-Z0-9_]+\b|(?<=\$\{)[A-Z0-9_]+", text))
    assert used - set(example()) == set()


def test_every_setting_is_explained_and_no_other() -> None:
    settings = {f"LUCY_{name.upper()}" for name in Settings.model_fields}
    explained = {name for name in example() if name.startswith("LUCY_")}
    assert explained == settings


def test_every_variable_has_a_line_of_its_own_above_it() -> None:
    lines = (CHECKOUT / ".env.example").read_text().splitlines()
    for before, line in pairwise(lines):
        if re.match(r"(# )?[A-Z][A-Z0-9_]+=", line):
            assert before.startswith("# "), line


def test_secrets_are_visibly_examples() -> None:
    for name, value in example().items():
        if re.search(r"PASSWORD|SECRET|TOKEN", name):
            assert value.startswith("example-"), name


def test_the_examples_are_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in example().items():
        monkeypatch.setenv(name, value)
    problems = "\n".join(Settings().problems())  # type: ignore[call-arg]
    for name in ("LUCY_SECRET_KEYS", "LUCY_BOT_APP_PASSWORD", "LUCY_GRAPH_CLIENT_SECRET", "LUCY_SMTP_PASSWORD"):
        assert f"{name} still holds the example secret" in problems


def test_the_proxy_shows_four_addresses() -> None:
    text = (CHECKOUT / "deploy" / "nginx.conf").read_text()
    proxied = re.findall(r"location (?:= )?(\S+) \{[^}]*(?:\{[^}]*\}[^}]*)*proxy_pass", text)
    assert sorted(proxied) == ["/api/messages", "/cartas/", "/descargas/", "/healthz"]
    assert "client_max_body_size 256k;" in text


def test_the_image_holds_no_secrets_tests_or_simulators() -> None:
    kept = (CHECKOUT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in kept
    assert not {"!.", "!.env", "!tests", "!sandbox", "!.git"} & set(kept)
