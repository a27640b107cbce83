"""Run one of our own processes from outside, as production does: start, wait until it is ready, end or kill it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from sandbox.last_resort import stopping
from sandbox.lifeline import spawn

Probe = Callable[[], Awaitable[bool]]
_POLL_S = 0.05


class ProcessFailed(RuntimeError):
    """A process ended, or was not ready in time; the text holds the end of its log."""


@dataclass
class Process:
    """One command in a session of its own, its output in `log_path`; it may be started again after it ended.

    It gets SIGTERM when we are killed. `env` is its whole environment; None: ours.
    """

    name: str
    command: Sequence[str]
    log_path: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    _popen: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)
    _group_ended: bool = field(default=False, init=False, repr=False)
    _log_start: int = field(default=0, init=False, repr=False)

    @property
    def pid(self) -> int | None:
        """None before the first start; the last one's after its end."""
        return self._popen.pid if self._popen else None

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll() if self._popen else None

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        if self.running:
            raise ProcessFailed(f"{self.name} runs already")
        self.kill()  # children that outlived the last one
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._popen = spawn(
            self.command, log_path=self.log_path, env=self.env, cwd=self.cwd, on_parent_death=signal.SIGTERM
        )
        self._group_ended = False

    async def wait_ready(self, probe: Probe, *, timeout_s: float = 30) -> None:
        """Wait until `probe` says yes. Raises ProcessFailed when the process ends before, or in `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while self.running:
            if await probe():
                return
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} was not ready within {timeout_s:g} s.{self._log_end()}")
            await asyncio.sleep(_POLL_S)
        raise ProcessFailed(f"{self.name} ended with status {self.returncode} before it was ready.{self._log_end()}")

    async def wait_ended(self, *, timeout_s: float) -> bool:
        """Wait for its end; False: it still runs after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while self.running:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    async def stop(self, *, grace_s: float = 10) -> None:
        """SIGTERM, and after `grace_s` SIGKILL to it and all it started. Cancelled meanwhile, it kills at once."""
        if self._popen is None:
            return
        try:
            if self.running:
                self._popen.send_signal(signal.SIGTERM)
                await self.wait_ended(timeout_s=grace_s)
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to it and to what it started, as when a machine fails."""
        if self._popen is None or self._group_ended:
            return
        with contextlib.suppress(ProcessLookupError):  # nobody is left in its group
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._group_ended = True  # from now on the number may be given to others

    def log_tail(self, size: int = 2000) -> str:
        """The end of what it printed since its last start."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - size))
            return log.read().decode(errors="replace")

    def _log_end(self) -> str:
        return f" The end of {self.log_path}:\n{self.log_tail()}"


@contextlib.asynccontextmanager
async def running(process: Process, *, ready: Probe, timeout_s: float = 30) -> AsyncIterator[Process]:
    """The process runs and was ready when the block begins; it is stopped at its end. Raises ProcessFailed."""
    with stopping(process.kill):
        try:
            process.start()
            await process.wait_ready(ready, timeout_s=timeout_s)
            yield process
        finally:
            await process.stop()


def http_probe(url: str, *, timeout_s: float = 1) -> Probe:
    """Ready once `url` answers with a status of success."""

    async def probe() -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as session,
                session.get(url) as answer,
            ):
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False

    return probe


def log_probe(process: Process, sign: str) -> Probe:
    """Ready once its log since the last start holds `sign`: for processes that listen nowhere."""

    async def probe() -> bool:
        return sign in process.log_tail(20_000)

    return probe
