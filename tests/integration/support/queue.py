"""What waits in a Redis queue, read as a worker would receive it."""

from collections import Counter
from types import TracebackType
from typing import Any, Self

import redis
from dramatiq import Message

from connectors.nudges import QUEUE, SLOW_QUEUE, RedisNudger, make_broker
from sandbox.servers import ValkeyServer


class Queue:
    """The queue of one server, with a nudger that fills it."""

    def __init__(self, server: ValkeyServer) -> None:
        self.server = server
        self._broker = make_broker(server.url)
        self.nudger = RedisNudger(self._broker)
        self._client: Any = redis.Redis.from_url(server.url)

    def messages(self) -> Counter[tuple[str, tuple[Any, ...]]]:
        """Actor and arguments of each waiting message."""
        found: Counter[tuple[str, tuple[Any, ...]]] = Counter()
        for queue in (QUEUE, SLOW_QUEUE):
            for body in self._client.hvals(f"dramatiq:{queue}.msgs"):
                message: Message[Any] = Message.decode(body)
                found[message.actor_name, tuple(message.args)] += 1
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._broker.close()
        self._client.close()
