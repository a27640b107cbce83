"""The directory's write budget: a token bucket.

Source: contracts/graph.md section 9: 3,000 writes per 150 s for an app in a tenant; refused requests still count.
How far they count is not documented: here they may put the bucket in debt by up to one second of refill.
"""

import math
from collections.abc import Callable

WRITES_PER_WINDOW = 3000
WINDOW_S = 150.0
WARN_FROM = 0.8


class WriteBudget:
    """`writes` tokens, refilled evenly over `window_s` seconds."""

    def __init__(self, *, writes: int, window_s: float, clock: Callable[[], float]) -> None:
        self.writes = writes
        self.window_s = window_s
        self._clock = clock
        self._tokens = float(writes)
        self._filled_at = clock()

    def take(self) -> int | None:
        """Spend one write. None when there was one, else the whole seconds until there is."""
        self._refill()
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        per_s = self.writes / self.window_s
        self._tokens = max(self._tokens - 1, -per_s)
        return max(1, math.ceil((1 - self._tokens) / per_s)) if per_s else math.ceil(self.window_s)

    def usage(self) -> float:
        """Share of the budget used, 0 to 1; Graph sends it from 0.8 in `x-ms-throttle-limit-percentage`."""
        self._refill()
        return 1 - max(self._tokens, 0) / self.writes if self.writes else 1.0

    def _refill(self) -> None:
        now = self._clock()
        grown = self._tokens + (now - self._filled_at) * self.writes / self.window_s
        self._tokens = min(float(self.writes), grown)
        self._filled_at = now
