"""One server of ours on 127.0.0.1: a free port, a start that waits for an answer, a stop that waits for the end."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self, TypeVar

from sandbox.last_resort import stopping
from sandbox.servers.hold import Hold

HOST = "127.0.0.1"
_POLL_S = 0.02
_ATTEMPTS = 6


class ServerFailed(RuntimeError):
    """A server did not start; the text holds the end of its log."""


class PortTaken(ServerFailed):
    """Somebody else took the port between our choosing and the server's binding it, or has not let go of it yet."""


class Server(ABC):
    """Base of both servers. Methods block for up to a second or so: on an event loop use `asyncio.to_thread`."""

    name: str
    stop_signal: signal.Signals
    start_timeout_s = 30.0
    stop_timeout_s = 20.0

    def __init__(self, data_root: Path) -> None:
        self.data_root = data_root.absolute()
        self.host = HOST
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._closed = False
        self._hold: Hold | None = None

    @property
    def log_path(self) -> Path:
        return self.data_root / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start, and wait until it answers. Later starts keep the first one's port. Raises ServerFailed."""
        with self._lock:
            if self._closed:
                raise ServerFailed(f"{self.name} was closed")
            if self._process is not None:
                return
            self.data_root.mkdir(parents=True, exist_ok=True)
            if self._hold is None:
                self._hold = self._take_folder()
            self._prepare()
            keep_port = self.port != 0
            for attempt in range(1, _ATTEMPTS + 1):
                if not keep_port:
                    self.port = free_port()
                try:
                    self._start_once()
                    return
                except PortTaken:
                    if attempt == _ATTEMPTS:
                        raise
                    time.sleep(0.1 * attempt)

    def stop(self) -> None:
        """Ask it to end, wait, and kill it if it does not."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            process.send_signal(self.stop_signal)
            try:
                process.wait(timeout=self.stop_timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def restart(self) -> None:
        """Stop and start again on the same port, with the same data. Also starts it after `kill`."""
        with self._lock:
            self.stop()
            self.start()

    def kill(self) -> None:
        """SIGKILL, as when a machine fails. `restart` brings it back."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.kill()
                process.wait()

    def close(self) -> None:
        """Stop for good and give back what was borrowed."""
        with self._lock:
            self._closed = True
            self.stop()
            self._tidy()
            if self._hold is not None:
                self._hold.release()
                self._hold = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(stopping(self.close))
            stack.callback(self.close)
            self.start()
            self._leave = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.close()

    def _take_folder(self) -> Hold:
        hold = Hold.take(self.data_root / f"{self.name}.owner")
        if hold is None:
            raise ServerFailed(f"another process runs {self.name} in {self.data_root}: stop it, or use another folder")
        return hold

    def _start_once(self) -> None:
        log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._process = process = self._spawn()
        deadline = time.monotonic() + self.start_timeout_s
        while time.monotonic() < deadline:
            if self._is_ready(process.pid):
                return
            if process.poll() is not None:
                break
            time.sleep(_POLL_S)
        self.kill()
        log = self.log_path.read_bytes()[log_start:].decode(errors="replace")
        if any(sign in log for sign in self._transient_signs()):
            raise PortTaken(f"{self.name} could not have port {self.port}")
        raise ServerFailed(f"{self.name} did not start. The end of {self.log_path}:\n{log[-2000:]}")

    def _transient_signs(self) -> tuple[str, ...]:
        """What the log says when another attempt may succeed."""
        return ("Address already in use",)

    @abstractmethod
    def _prepare(self) -> None:
        """Make what has to be there before a start; called before each."""

    @abstractmethod
    def _spawn(self) -> "subprocess.Popen[bytes]":
        """Start the process on `self.port`."""

    @abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """True once the process `pid`, and no other server, answers on `self.port`."""

    def _tidy(self) -> None:
        """Give back what was borrowed; the server has ended."""
        return


S = TypeVar("S", bound=Server)


@contextlib.asynccontextmanager
async def running(server: S) -> AsyncIterator[S]:
    """The server runs within the block; starting and stopping leave the event loop free."""
    with stopping(server.close):
        try:
            await asyncio.to_thread(server.start)
            yield server
        finally:
            # After a cancelled start this waits for the start to end, and then stops what it started.
            await asyncio.to_thread(server.close)


def free_port() -> int:
    """A port that was free just now. Whoever binds it may lose the race and has to ask again."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
