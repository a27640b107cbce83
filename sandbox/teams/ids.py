"""Ids as Teams makes them: a message's id is the millisecond it was written, a thread's conversation names its root."""

import itertools
import re
import time

_THREAD = re.compile(r"^(?P<base>.+?)(?:;messageid=(?P<root>\d+))?$")
_counter = itertools.count(int(time.time() * 1000))


def new_activity_id() -> str:
    """Digits, rising, never twice the same in one process."""
    return str(next(_counter))


def base_of(conversation_id: str) -> str:
    """The channel or chat, without the thread."""
    found = _THREAD.match(conversation_id)
    return found["base"] if found else conversation_id


def root_of(conversation_id: str) -> str | None:
    """The root message's id of a thread; None for a whole channel or chat."""
    found = _THREAD.match(conversation_id)
    return found["root"] if found else None
