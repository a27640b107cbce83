"""Real servers for the tests: one PostgreSQL and one Valkey per test process, a fresh database per test."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from lucy.db.engine import Database
from migrations.runner import migrate
from sandbox.servers import PostgresServer, ValkeyServer

TEMPLATE = "lucy_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A running PostgreSQL with a migrated template database."""
    with PostgresServer(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        server.create_database(TEMPLATE)
        asyncio.run(_migrate(server.url(TEMPLATE)))
        yield server


async def _migrate(url: str) -> None:
    engine = create_async_engine(url)
    await migrate(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """A database of this test's own, at the newest schema."""
    name = f"test_{next(_numbers)}"
    postgres.create_database(name, template=TEMPLATE)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def checkout() -> Path:
    return Path(__file__).parent.parent
