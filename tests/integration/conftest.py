"""Fixtures of the tests that run Lucy's own parts over real servers and simulators."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import redis

from sandbox.servers import ValkeyServer
from tests.integration.support.works import Works, working

OpenWorks = Callable[..., Awaitable[Works]]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the simulators' authority is kept, made once."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def redis_url(valkey: ValkeyServer) -> Iterator[str]:
    """The test process's Valkey, emptied: no silence of an earlier test is kept."""
    client = redis.Redis.from_url(valkey.url)
    client.flushall()
    yield valkey.url
    client.close()


@pytest.fixture
async def open_works(database_url: str, redis_url: str, certificates: Path) -> AsyncIterator[OpenWorks]:
    """Open a worker's inside over fresh simulators: `await open_works(seats=3, batch_size=5)`."""
    async with AsyncExitStack() as stack:

        async def open_(**changed: object) -> Works:
            return await stack.enter_async_context(working(database_url, redis_url, certificates, **changed))  # type: ignore[arg-type]

        yield open_


@pytest.fixture
async def works(open_works: OpenWorks) -> Works:
    return await open_works()
