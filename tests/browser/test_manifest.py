"""The app package against Microsoft's published schemas, which npm brings."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft7Validator

from manifest.package import MANIFEST_VERSION, english, manifest
from tests.unit.manifest.test_package import settings


def schema(node_modules: Path, name: str) -> Any:
    folder = node_modules / "@microsoft/app-manifest/build/json-schemas/teams" / f"v{MANIFEST_VERSION}"
    return json.loads((folder / name).read_text(encoding="utf-8-sig"))


def problems(document: Any, wanted: Any) -> list[str]:
    kind = Draft4Validator if "draft-04" in wanted["$schema"] else Draft7Validator
    kind.check_schema(wanted)
    return [f"{'/'.join(map(str, one.absolute_path))}: {one.message}" for one in kind(wanted).iter_errors(document)]


def test_the_manifest_is_valid(node_modules: Path) -> None:
    assert problems(manifest(settings()), schema(node_modules, "MicrosoftTeams.schema.json")) == []


def test_the_english_texts_are_valid(node_modules: Path) -> None:
    assert problems(english(settings()), schema(node_modules, "MicrosoftTeams.Localization.schema.json")) == []


@pytest.mark.parametrize("name", ["version", "bots", "accentColor"])
def test_the_schema_would_tell(node_modules: Path, name: str) -> None:
    broken = manifest(settings()) | {name: "x" * 300 if name != "bots" else [{}]}
    assert problems(broken, schema(node_modules, "MicrosoftTeams.schema.json")) != []
