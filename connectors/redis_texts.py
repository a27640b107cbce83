"""Everything that stands in Redis, as text: for the search for secrets."""

from collections.abc import AsyncIterator
from typing import Any


async def redis_texts(client: Any) -> AsyncIterator[tuple[str, str]]:
    """Each key and each value, with the place it stands in; a key that goes away meanwhile is left out."""
    async for raw in client.scan_iter(count=500):
        name = _text(raw)
        place = f"redis {name.partition(':')[0][:40]}"
        yield place, name
        for value in await _values(client, raw):
            yield place, _text(value)


async def _values(client: Any, key: Any) -> list[Any]:
    kind = _text(await client.type(key))
    if kind == "string":
        return [await client.get(key)]
    if kind == "hash":
        return [part for pair in (await client.hgetall(key)).items() for part in pair]
    if kind == "list":
        return list(await client.lrange(key, 0, -1))
    if kind == "set":
        return list(await client.smembers(key))
    return list(await client.zrange(key, 0, -1)) if kind == "zset" else []


def _text(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value or "")
