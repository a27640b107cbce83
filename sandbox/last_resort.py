"""Stops what still runs when the process ends without unwinding: an unhandled SIGTERM or SIGHUP, or a plain exit.

Context managers do the orderly stop. This is for the ends that skip them; SIGKILL alone skips this as well, and then
exec_with_parent.py and the next start's sweep are left.
"""

import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_stops: dict[int, Callable[[], None]] = {}


@contextlib.contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """While the block runs, `stop` is called should the process end by exit or by SIGTERM or SIGHUP.

    A program's own handlers are left alone: they are expected to leave the block. Newest first.
    """
    key = max(_stops, default=0) + 1
    if not _stops:
        atexit.register(_stop_all)
    _stops[key] = stop
    _listen()
    try:
        yield
    finally:
        _stops.pop(key, None)
        if not _stops:
            _stop_listening()
            atexit.unregister(_stop_all)


def _stop_all() -> None:
    for key in sorted(_stops, reverse=True):
        stop = _stops.pop(key, None)
        if stop is not None:
            with contextlib.suppress(OSError):
                stop()


def _on_signal(number: int, _frame: FrameType | None) -> None:
    """Stop everything, then die of the same signal, as whoever sent it expects."""
    _stop_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _listen() -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may set handlers
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _on_signal)


def _stop_listening() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        if signal.getsignal(number) is _on_signal:
            signal.signal(number, signal.SIG_DFL)
