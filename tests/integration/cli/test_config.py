"""What staff set travels with careers and rules in one file, and a bad file changes nothing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli import config
from lucy.db import config as config_db
from lucy.db.engine import Database
from lucy.domain.audit import Actor
from lucy.errors import RequestError
from lucy.flows.set_config import set_config
from lucy.settings import Settings


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(mode="sandbox", database_url=database_url, redis_url="redis://127.0.0.1:1/0", secret_keys="x")  # type: ignore[arg-type]


async def test_what_was_exported_is_in_force_after_an_import(db: Database, settings: Settings) -> None:
    async with db.transaction() as session:
        await set_config(session, "umbral.activar", "70 5%", actor=Actor("x", "X"), now=datetime.now(UTC))
    exported: dict[str, Any] = await config._export(settings)
    assert exported["settings"] == {"umbral.activar": "70 5%"}
    async with db.transaction() as session:
        await set_config(session, "umbral.activar", None, actor=Actor("x", "X"), now=datetime.now(UTC))
    await config._import(settings, *config.read_config(exported), config.read_settings(exported))
    async with db.transaction() as session:
        assert await config_db.values(session) == {"umbral.activar": "70 5%"}


@pytest.mark.parametrize(
    "found", [{"settings": {"umbral.activar": "muchos"}}, {"settings": {"color": "rojo"}}, {"settings": ["x"]}]
)
def test_a_setting_that_cannot_be_read_is_named_before_anything_is_stored(found: Any, tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        config.read_settings(found)
