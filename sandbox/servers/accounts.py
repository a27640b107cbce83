"""PostgreSQL refuses to run as root: as whom it runs then, and what that user can reach."""

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from sandbox.lifeline import Account
from sandbox.servers.server import ServerFailed

_PREFERRED = ("nobody", "postgres", "daemon")
_TRIED_AT_MOST = 12


def server_account(*, owner_of: Path) -> Account | None:
    """None where we are an ordinary user ourselves. Data that exists decides: PostgreSQL serves its owner only.

    Raises ServerFailed when root can become nobody else.
    """
    if os.geteuid() != 0:
        return None
    if owner_of.exists() and (status := owner_of.stat()).st_uid != 0:
        return Account(str(status.st_uid), status.st_uid, status.st_gid)
    for account in _candidates():
        if runs(["/bin/sh", "-c", ":"], account):
            return account
    raise ServerFailed("root can become no other user here, and PostgreSQL refuses to run as root: run as another user")


def can_write(folder: Path, account: Account | None) -> bool:
    """Whether the user gets into the folder and may write there: asked of the system, which knows all its rules."""
    return runs(["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", str(folder)], account)


def runs(command: Sequence[str], account: Account | None) -> bool:
    """Whether the command can be run by that user and succeeds."""
    try:
        return as_account(command, account).returncode == 0
    except OSError:  # the file is out of reach, or the user cannot be taken on
        return False


def as_account(
    command: Sequence[str], account: Account | None, *, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run to the end as that user, output kept, out of reach of the terminal's Ctrl-C. Raises OSError."""
    return subprocess.run(
        command,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        env=env,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        check=False,
    )


def _candidates() -> Iterator[Account]:
    known = pwd.getpwall()
    preferred = [entry for name in _PREFERRED for entry in known if entry.pw_name == name]
    others = [entry for entry in known if entry.pw_name not in _PREFERRED]
    for entry in [*preferred, *others][:_TRIED_AT_MOST]:
        if entry.pw_uid != 0:
            yield Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
