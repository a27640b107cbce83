"""The database of a process: one engine, opened and closed in one place."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Database:
    """Hands out transactions. Made on the event loop that uses it; `close()` on the same one."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self._engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_pre_ping=True,
            json_serializer=_dump,
            connect_args={"server_settings": {"application_name": "lucy", "timezone": "UTC"}, "timeout": 10},
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back when the block raises."""
        async with self._sessions() as session, session.begin():
            yield session

    @property
    def engine(self) -> Any:
        """For migrations and the health check."""
        return self._engine

    async def close(self) -> None:
        await self._engine.dispose()
