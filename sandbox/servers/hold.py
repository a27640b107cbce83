"""Who owns a folder: a locked file. The lock goes when its process ends, however it ends; a process id could lie."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass
class Hold:
    """The lock on one file, which also names the owner's process for people."""

    path: Path
    _descriptor: int

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Lock `path`, made if need be. None: a living process has it, or had it and has just removed it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.path.samestat(os.fstat(descriptor), path.stat())
        except (BlockingIOError, FileNotFoundError):
            is_there = False
        if not is_there:
            os.close(descriptor)
            return None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(path, descriptor)

    def release(self) -> None:
        """Let go; the file stays, so that two takers never lock two different files of one name."""
        os.close(self._descriptor)
