"""Ask SIAL, waiting for our own turn as long as it takes: several lists at the source's pace make a long queue."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lucy.errors import RetryLater

NOT_OUR_TURN = "G-006"  # the limiter's: nothing was asked yet
TURNS_WAITED = 40

T = TypeVar("T")


async def in_turn(ask: Callable[[], Awaitable[T]]) -> T:
    """Raises what `ask` raises, but for the limiter's word that it is not our turn."""
    for _attempt in range(TURNS_WAITED):
        try:
            return await ask()
        except RetryLater as error:
            if error.code != NOT_OUR_TURN:
                raise
            await asyncio.sleep(error.after_s)
    return await ask()
