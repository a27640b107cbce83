"""Teams' rate limits, per bot and conversation; a channel with all its threads is one conversation.

Source: contracts/teams-bot.md, section 3. Whether edits count is not documented; here they count as sends, the worse
case for the bot.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping

Windows = tuple[tuple[int, int], ...]  # (requests, seconds), any of which refuses

SENDS: Windows = ((7, 1), (8, 2), (60, 30), (1800, 3600))
READS: Windows = ((14, 1), (16, 2), (120, 30), (3600, 3600))
_WINDOWS: Mapping[str, Windows] = {"send": SENDS, "create": SENDS, "read": READS}


class RateLimits:
    """Sliding windows over the requests that were let in; those refused do not count."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._admitted: dict[tuple[str, str], deque[float]] = {}

    def admit(self, kind: str, conversation: str) -> int | None:
        """Count one request of `kind` (send, create, read). A number: refused, come again after so many seconds."""
        now = self._now()
        windows = _WINDOWS[kind]
        times = self._admitted.setdefault((kind, conversation), deque())
        longest_s = max(seconds for _, seconds in windows)
        while times and times[0] <= now - longest_s:
            times.popleft()
        waits_s = [times[-count] + seconds - now for count, seconds in windows if len(times) >= count]
        wait_s = max(waits_s, default=0.0)
        if wait_s > 0:
            return math.ceil(wait_s)
        times.append(now)
        return None
