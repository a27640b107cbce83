"""Start a child process that cannot outlive us, out of reach of the terminal's Ctrl-C.

Each child has a session of its own: Ctrl-C is for us, and we stop the children in our own order. Should we be killed,
the kernel ends them (see exec_with_parent.py).
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

_SHIM = Path(__file__).with_name("exec_with_parent.py")


@dataclass(frozen=True)
class Account:
    """The operating system's user that a child runs as."""

    name: str
    uid: int
    gid: int


def spawn(
    command: Sequence[str],
    *,
    log_path: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
    on_parent_death: signal.Signals = signal.SIGKILL,
) -> "subprocess.Popen[bytes]":
    """Start `command`; what it prints is appended to `log_path`. `account`: only root can choose one.

    Raises OSError when the log cannot be written or no process can be made. A command that is not there ends at once
    with a traceback in the log.
    """
    uid, gid = (str(account.uid), str(account.gid)) if account else ("-", "-")
    shim = [sys.executable, "-I", "-S", str(_SHIM), str(os.getpid()), str(int(on_parent_death)), uid, gid]

    def start() -> "subprocess.Popen[bytes]":
        with log_path.open("ab") as log:
            return subprocess.Popen(
                [*shim, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    return _SPAWNER.run(start)


_Start = Callable[[], "subprocess.Popen[bytes]"]
_Job = tuple[_Start, "Future[subprocess.Popen[bytes]]"]


class _Spawner:
    """One thread that starts every child and never ends.

    The kernel's "parent" is the thread that forked: a child started on a pool's thread would die with that thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job] | None = None

    def run(self, start: _Start) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._jobs is None:
                self._jobs = queue.SimpleQueue()
                threading.Thread(target=self._work, args=(self._jobs,), name="spawner", daemon=True).start()
        future: Future[subprocess.Popen[bytes]] = Future()
        self._jobs.put((start, future))
        return future.result()

    @staticmethod
    def _work(jobs: queue.SimpleQueue[_Job]) -> None:
        while True:
            start, future = jobs.get()
            try:
                future.set_result(start())
            except (OSError, ValueError, TypeError, subprocess.SubprocessError) as error:
                future.set_exception(error)


_SPAWNER = _Spawner()
