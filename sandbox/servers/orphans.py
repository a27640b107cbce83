"""What a data folder says of its postmaster, and ending one whose owner was killed.

Linux ends it by itself (exec_with_parent.py), in a moment: this waits for that moment, and elsewhere does the ending.
"""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_WAIT_S = 5.0
_POLL_S = 0.02


@dataclass(frozen=True)
class Postmaster:
    """The first, fourth and last line of postmaster.pid."""

    pid: int
    port: int
    ready: bool


def postmaster(cluster: Path) -> Postmaster | None:
    """Source: https://www.postgresql.org/docs/current/storage-file-layout.html; lines appear as the start proceeds."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        return Postmaster(pid=int(lines[0]), port=int(lines[3]), ready=len(lines) >= 8 and lines[7].strip() == "ready")
    except (OSError, ValueError, IndexError):
        return None


def stop(cluster: Path) -> None:
    """End the server that runs on this folder, if one does; only ever a process whose command line names the folder."""
    found = postmaster(cluster)
    if found is None or not _serves(found.pid, cluster):
        return
    deadline = time.monotonic() + _WAIT_S
    signalled = False
    while _serves(found.pid, cluster):
        if time.monotonic() > deadline:
            os.kill(found.pid, signal.SIGKILL)
            return
        if not signalled and time.monotonic() > deadline - _WAIT_S / 2:
            os.kill(found.pid, signal.SIGQUIT)
            signalled = True
        time.sleep(_POLL_S)


def _serves(pid: int, cluster: Path) -> bool:
    """A process id in a file proves nothing: it may have been given to another process since."""
    return str(cluster) in _command_line(pid)


def _command_line(pid: int) -> str:
    """Empty when there is no such process."""
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return ""
    if shutil.which("ps") is None:
        return ""
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout
