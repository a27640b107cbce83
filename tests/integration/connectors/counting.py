"""A limiter that never waits and remembers what it was asked."""

from collections import Counter

from lucy.errors import System


class CountingLimiter:
    """`lucy.ports.Limiter`: `spent` by system, `held_back_s` as asked for."""

    def __init__(self) -> None:
        self.spent: Counter[System] = Counter()
        self.held_back_s: dict[System, float] = {}

    async def acquire(self, system: System, cost: int = 1) -> None:
        self.spent[system] += cost

    async def hold_back(self, system: System, seconds: float) -> None:
        self.held_back_s[system] = seconds

    async def held_back_for(self, system: System) -> float:
        return self.held_back_s.get(system, 0.0)
