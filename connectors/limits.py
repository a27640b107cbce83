"""The rate of each system, shared by all processes through Redis.

One short script reserves the next free slot of a system and says how long to wait for it, so waiting is first come,
first served, and costs two calls whatever the wait. Why no library: docs/decisions/0005-rate-limiter.md.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, cast

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from lucy.errors import RetryLater, System

LONGEST_WAIT_S = 30.0  # half a lease: whoever would wait longer hands the work back
REDIS_ANSWER_S = 2.0
REDIS_WAIT_S = 2.0
OPERATION = "wait for a turn"
TURN = "G-006"

# A bucket is the moment at which it will be full again (GCRA's theoretical arrival time), in microseconds of Redis's
# clock. A slot belongs to an era; silence or the loss of the bucket starts another, and whoever holds a slot of the old
# one queues anew. A bucket nobody knows starts empty: after a flush nobody gets a second burst.
_COMMON = """
local function exact(number) return string.format('%.0f', number) end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local function keep(era, full_at)
  redis.call('HSET', KEYS[1], 'era', exact(era), 'full_at', exact(full_at))
  redis.call('EXPIRE', KEYS[1], 86400)
end
"""

# KEYS: bucket, silence. ARGV: cost, burst and longest wait in microseconds; era and slot held, or 0 and 0.
# Returns what happened (0 go or wait, 1 too long: no slot taken, 2 silence is too long), microseconds, era, slot.
_ACQUIRE = (
    _COMMON
    + """
local cost, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local silent = math.max(redis.call('PTTL', KEYS[2]), 0) * 1000
local known = redis.call('HMGET', KEYS[1], 'era', 'full_at')
local era, full_at = tonumber(known[1] or ''), tonumber(known[2] or '')
if not era or not full_at or full_at > now + silent + longest + burst then
  era, full_at = now, now + silent + burst
  keep(era, full_at)
end
if tonumber(ARGV[4]) == era then
  return {0, math.max(tonumber(ARGV[5]) - now, 0), era, tonumber(ARGV[5])}
end
full_at = math.max(full_at, now)
local slot = math.max(full_at - math.max(burst - cost, 0), now + silent)
if slot - now > longest then
  return {silent > 0 and 2 or 1, slot - now, 0, 0}
end
keep(era, full_at + cost)
return {0, slot - now, era, slot}
"""
)

# KEYS: bucket, silence. ARGV: silence in milliseconds, burst in microseconds.
_HOLD_BACK = (
    _COMMON
    + """
if redis.call('PTTL', KEYS[2]) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[1])
keep(now, now + tonumber(ARGV[1]) * 1000 + tonumber(ARGV[2]))
return 1
"""
)
_GO, _SILENT = 0, 2


class _Script(Protocol):
    def __call__(self, keys: list[str], args: list[int]) -> Awaitable[object]: ...


class RedisLimiter:
    """`lucy.ports.Limiter`: at most `rate` a second on average, at most `burst` above it in any window.

    `rates` are per second; a system without one is only held back. `burst` is by default what one second allows, at
    least 1; a dearer request goes out whole when the bucket is full, and the next one waits for what it cost.
    `acquire` raises RetryLater instead of waiting longer than `longest_wait_s`, and where Redis does not answer.
    """

    def __init__(
        self,
        redis: Redis,
        rates: Mapping[System, float],
        burst: Mapping[System, int] | None = None,
        *,
        longest_wait_s: float = LONGEST_WAIT_S,
        prefix: str = "lucy:rate",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if any(not rate > 0 for rate in rates.values()):
            raise ValueError("a rate is above 0")
        self._redis, self._prefix = redis, prefix
        self._clock, self._sleep = clock, sleep
        self._longest_us = round(longest_wait_s * 1e6)
        self._unit_us = {system: 1e6 / rate for system, rate in rates.items()}
        self._burst = {system: max(1, math.ceil(rate)) for system, rate in rates.items()} | dict(burst or {})
        self._acquire = cast(_Script, redis.register_script(_ACQUIRE))
        self._hold_back = cast(_Script, redis.register_script(_HOLD_BACK))
        self._unsaid: dict[System, float] = {}

    async def acquire(self, system: System, cost: int = 1) -> None:
        """Wait until `cost` requests may be sent. A slot given up (cancellation) is lost."""
        await self._say_unsaid(system)
        cost_us = round(cost * self._unit_us.get(system, 0.0))
        era = slot = 0
        while True:
            args = [cost_us, self._burst_us(system), self._longest_us, era, slot]
            verdict, wait_us, era, slot = await self._run(system, self._acquire, args)
            if verdict != _GO:
                raise self._later(system, wait_us / 1e6, throttled=verdict == _SILENT)
            if wait_us == 0:
                return
            await self._sleep(wait_us / 1e6)

    async def hold_back(self, system: System, seconds: float) -> None:
        """Silence for everybody; a longer one already asked for stays. Never fails: said again when Redis is back."""
        if seconds <= 0:
            return
        self._unsaid[system] = max(self._clock() + seconds, self._unsaid.get(system, 0.0))
        try:
            await self._say_unsaid(system)
        except RetryLater:
            return

    async def held_back_for(self, system: System) -> float:
        """Seconds of silence still asked for; what this process asked for where Redis does not answer."""
        own = max(0.0, self._unsaid.get(system, 0.0) - self._clock())
        try:
            async with asyncio.timeout(REDIS_ANSWER_S):
                left_ms = await self._redis.pttl(self._keys(system)[1])
        except (RedisError, OSError):
            return own
        return max(own, left_ms / 1000)

    async def _say_unsaid(self, system: System) -> None:
        until = self._unsaid.get(system)
        if until is None:
            return
        left_ms = math.ceil((until - self._clock()) * 1000)
        if left_ms > 0:
            await self._run(system, self._hold_back, [left_ms, self._burst_us(system)])
        if self._unsaid.get(system) == until:
            del self._unsaid[system]

    async def _run(self, system: System, script: _Script, args: list[int]) -> list[int]:
        try:
            async with asyncio.timeout(REDIS_ANSWER_S):
                try:
                    reply = await script(keys=self._keys(system), args=args)
                except RedisConnectionError:  # a kept connection that a restart has cut; at worst a slot is lost
                    reply = await script(keys=self._keys(system), args=args)
        except (RedisError, OSError) as error:
            detail = f"Redis: {type(error).__name__}"
            raise RetryLater(system, OPERATION, TURN, detail, after_s=REDIS_WAIT_S) from None
        return cast("list[int]", reply if isinstance(reply, list) else [reply])

    def _keys(self, system: System) -> list[str]:
        # The braces keep both keys on one node of a Redis cluster.
        bucket = f"{self._prefix}:{{{system.value}}}"
        return [bucket, f"{bucket}:silence"]

    def _burst_us(self, system: System) -> int:
        return round(self._burst.get(system, 0) * self._unit_us.get(system, 0.0))

    def _later(self, system: System, after_s: float, *, throttled: bool) -> RetryLater:
        detail = "the provider asked for silence" if throttled else "the queue is too long"
        return RetryLater(system, OPERATION, TURN, detail, after_s=after_s, throttled=throttled)
