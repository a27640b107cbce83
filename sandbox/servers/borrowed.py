"""A folder outside the checkout, for a server whose user cannot enter the checkout. Removed at the end.

`/tmp/lucy-pg-…/` holds `owner` (locked by us while we live), `install/` (copied binaries) and `cluster/` (the data,
of the server's user). What a killed owner left is swept by the next one.
"""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.lifeline import Account
from sandbox.servers.accounts import can_write
from sandbox.servers.hold import Hold
from sandbox.servers.server import ServerFailed

_PREFIX = "lucy-pg-"
_NEWBORN_S = 60


@dataclass
class BorrowedFolder:
    """Ours until `give_back`."""

    path: Path
    _hold: Hold

    def give_back(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._hold.release()


def borrow(account: Account | None, *, usable: Callable[[Path], bool]) -> BorrowedFolder:
    """A new folder in the first temporary place that the account can enter and that passes `usable`.

    `usable` is given the new folder (is there room, may programs run there?). Raises ServerFailed.
    """
    for place in _places():
        if not can_write(place, account):
            continue
        folder = _make(place)
        if usable(folder.path):
            return folder
        folder.give_back()
    name = account.name if account else "this user"
    raise ServerFailed(
        f"{name} can run PostgreSQL in none of {', '.join(map(str, _places()))}: set TMPDIR to a better one"
    )


def sweep(*, stop: Callable[[Path], None]) -> None:
    """Remove the folders of owners that ended without doing it; `stop` ends a server that still runs in one."""
    for place in _places():
        for path in place.glob(f"{_PREFIX}*"):
            if _is_ours(path):
                _remove_if_left(path, stop)


def _remove_if_left(path: Path, stop: Callable[[Path], None]) -> None:
    owner = path / "owner"
    try:
        newborn = not owner.exists() and time.time() - path.stat().st_mtime < _NEWBORN_S
        hold = None if newborn else Hold.take(owner)
    except OSError:  # gone meanwhile
        return
    if hold is not None:
        stop(path)
        BorrowedFolder(path, hold).give_back()


def _make(place: Path) -> BorrowedFolder:
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        hold = Hold.take(path / "owner")
        if hold is not None:  # else a sweeper took the new folder for an old one, and removes it
            path.chmod(0o711)
            return BorrowedFolder(path, hold)


def _places() -> Iterator[Path]:
    for place in dict.fromkeys([Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]):
        if place.is_dir():
            yield place


def _is_ours(path: Path) -> bool:
    """A real folder of this user's: /tmp is everybody's, and the name could be anybody's."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
