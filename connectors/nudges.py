"""The queue to the workers: Dramatiq on Redis. Both sides use it; only the workers declare what the nudges do."""

import asyncio
from collections.abc import Sequence

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError as QueueUnreachable
from dramatiq.middleware import Middleware
from redis.exceptions import RedisError

from lucy.errors import RetryLater, System
from lucy.ports import Nudge

QUEUE = "lucy"
# Long work has a queue of its own, so that a slow reading of SIAL or Entra never keeps the lanes waiting for a thread.
SLOW_QUEUE = "lucy-slow"
SLOW_ACTORS = frozenset(
    {
        "ingest_list",
        "check_accounts",
        "check_enrolments",
        "find_secrets",
        "check_letter",
        "check_first_use",
        "draw_letters",
        "read_returns",
    }
)
# A message orphaned by a killed worker comes back in seconds, not minutes (contracts/packages.md).
HEARTBEAT_MS = 15_000
MAINTENANCE_CHANCE = 100_000


def make_broker(redis_url: str, middleware: Sequence[Middleware] = ()) -> RedisBroker:
    """A broker over the Redis at `redis_url`."""
    broker = RedisBroker(  # type: ignore[no-untyped-call]
        url=redis_url,
        middleware=list(middleware),
        heartbeat_timeout=HEARTBEAT_MS,
        maintenance_chance=MAINTENANCE_CHANCE,
        dead_message_ttl=HEARTBEAT_MS,
    )
    for queue in (QUEUE, SLOW_QUEUE):
        broker.declare_queue(queue)
    return broker


def queue_of(actor: str) -> str:
    """The queue that an actor's messages go to."""
    return SLOW_QUEUE if actor in SLOW_ACTORS else QUEUE


class RedisNudger:
    """Sends nudges as Dramatiq messages."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker

    async def send(self, nudges: Sequence[Nudge]) -> None:
        """Raises RetryLater when Redis cannot be reached."""
        await asyncio.to_thread(self._send, nudges)

    def _send(self, nudges: Sequence[Nudge]) -> None:
        try:
            for nudge in nudges:
                self._broker.enqueue(
                    dramatiq.Message(
                        queue_name=queue_of(nudge.actor),
                        actor_name=nudge.actor,
                        args=tuple(nudge.args),
                        kwargs={},
                        options={},
                    )
                )
        except (QueueUnreachable, RedisError) as error:
            raise RetryLater(System.QUEUE, "enqueue", "G-007", type(error).__name__) from error
