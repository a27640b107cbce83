"""The embedded servers, started for real: as root under another user, else as ourselves."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from sandbox.servers import PostgresServer, ServerFailed, ValkeyServer, embedded_postgres, embedded_valkey
from sandbox.servers.borrowed import sweep
from sandbox.servers.server import free_port

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        yield server


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path) as server:
        yield server


async def ask(server: PostgresServer, question: str, *, database: str = "postgres") -> object:
    connection = await asyncpg.connect(server.url(database).replace("+asyncpg", ""))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def alive(pid: int) -> bool:
    """Ended ones that nobody collects yet have no command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def wait_until_ended(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    while any(map(alive, pids)):
        assert time.monotonic() < deadline, f"still alive: {[pid for pid in pids if alive(pid)]}"
        time.sleep(0.05)


class TestPostgres:
    async def test_speaks_utf8_and_holds_the_extensions_we_use(self, postgres: PostgresServer) -> None:
        assert await ask(postgres, "SELECT lower('ÑANDÚ')") == "ñandú"
        await ask(postgres, "CREATE EXTENSION IF NOT EXISTS pg_trgm")

    async def test_refuses_a_wrong_password(self, postgres: PostgresServer) -> None:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host=postgres.host, port=postgres.port, user=postgres.user, password="wrong", database="postgres"
            )

    async def test_copies_a_database(self, postgres: PostgresServer) -> None:
        postgres.create_database("origin")
        await ask(postgres, "CREATE TABLE kept AS SELECT 7 AS number", database="origin")
        postgres.create_database("copy", template="origin")
        assert await ask(postgres, "SELECT number FROM kept", database="copy") == 7
        postgres.drop_database("copy")
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await ask(postgres, "SELECT 1", database="copy")

    def test_says_why_a_database_cannot_be_made(self, postgres: PostgresServer) -> None:
        with pytest.raises(ServerFailed, match='"postgres" already exists'):
            postgres.create_database("postgres")
        postgres.ensure_database("postgres")

    async def test_keeps_its_data_and_port_when_killed_and_restarted(self, tmp_path: Path) -> None:
        with PostgresServer(tmp_path) as server:
            url = server.url("postgres")
            await ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
            server.kill()
            assert server.pid is None
            server.restart()
            assert server.url("postgres") == url
            assert await ask(server, "SELECT number FROM kept") == 7

    async def test_forgets_safety_only_when_told_to(self, postgres: PostgresServer, tmp_path: Path) -> None:
        assert await ask(postgres, "SHOW fsync") == "off"
        with PostgresServer(tmp_path) as durable:
            assert await ask(durable, "SHOW fsync") == "on"

    def test_refuses_a_folder_in_use(self, tmp_path: Path) -> None:
        with ValkeyServer(tmp_path), pytest.raises(ServerFailed, match="another process runs valkey"):
            ValkeyServer(tmp_path).start()

    def test_waits_for_its_port(self, tmp_path: Path) -> None:
        with PostgresServer(tmp_path, durable=False) as server:
            server.stop()
            squatter = socket.create_server((server.host, server.port))
            threading.Timer(0.2, squatter.close).start()
            server.start()
            assert server.pid is not None

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as another user")
    def test_borrows_a_folder_where_its_user_cannot_enter(self, tmp_path: Path) -> None:
        private = tmp_path / "private"
        private.mkdir(mode=0o700)
        with PostgresServer(private, durable=False) as server:
            borrowed = server.cluster.parent
            assert private not in server.cluster.parents
            assert borrowed.name.startswith("lucy-pg-")
        assert not borrowed.exists()


class TestValkey:
    def test_loses_everything_on_the_same_port(self, valkey: ValkeyServer) -> None:
        url = valkey.url
        with redis.Redis.from_url(url) as client:
            client.set("nudge", "1")
        valkey.restart_empty()
        assert valkey.url == url
        with redis.Redis.from_url(url) as client:
            assert client.get("nudge") is None

    def test_comes_back_after_a_kill(self, valkey: ValkeyServer) -> None:
        valkey.kill()
        with redis.Redis.from_url(valkey.url) as client, pytest.raises(redis.ConnectionError):
            client.ping()
        valkey.restart()
        with redis.Redis.from_url(valkey.url) as client:
            client.ping()


async def test_both_run_on_a_loop_and_end_with_their_blocks(tmp_path: Path) -> None:
    async with embedded_postgres(tmp_path, durable=False) as postgres, embedded_valkey(tmp_path) as valkey:
        pids = [pid for pid in (postgres.pid, valkey.pid) if pid is not None]
        assert len(pids) == 2
        assert await ask(postgres, "SELECT 1") == 1
    assert not any(map(alive, pids))
    with pytest.raises(ServerFailed, match="closed"):
        postgres.start()


async def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    server = None

    async def run() -> None:
        nonlocal server
        async with embedded_postgres(tmp_path, durable=False) as server:
            pytest.fail("was cancelled before it was ready")

    task = asyncio.create_task(run())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with PostgresServer(tmp_path, durable=False) as again:  # the folder is free
        assert again.pid is not None


OWNER = """
    import sys, time
    from pathlib import Path
    from sandbox.servers import PostgresServer, ValkeyServer
    root = Path(sys.argv[1])
    with PostgresServer(root, durable=False) as postgres, ValkeyServer(root) as valkey:
        print(postgres.pid, valkey.pid, postgres.cluster.parent, flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_servers_end_with_their_owner(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), str(tmp_path)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        postgres_pid, valkey_pid, folder = owner.stdout.readline().split()
        owner.send_signal(number)
        owner.wait(timeout=20)
    assert owner.returncode == -number
    wait_until_ended([int(postgres_pid), int(valkey_pid)])
    if number is signal.SIGKILL:
        sweep(stop=lambda _: None)
    if Path(folder) != tmp_path:
        assert not Path(folder).exists()


def test_a_port_is_free_when_given() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass
