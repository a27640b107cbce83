"""Processes of our own, started and ended from outside."""

import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from sandbox.control import serve
from sandbox.processes import Process, ProcessFailed, http_probe, log_probe, running
from tests.integration.support.works import looked, until

POLITE = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("child", child.pid, "ready", flush=True)
time.sleep(60)
"""


def process(folder: Path, code: str) -> Process:
    return Process(name="worker", command=[sys.executable, "-c", code], log_path=folder / "logs" / "worker.log")


def alive(pid: int) -> bool:
    """Ended ones that nobody collects yet have no command line."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    return False


async def test_ends_politely_and_starts_again(tmp_path: Path) -> None:
    worker = process(tmp_path, POLITE)
    async with running(worker, ready=log_probe(worker, "ready")):
        assert worker.running
        with pytest.raises(ProcessFailed, match="runs already"):
            worker.start()
    assert worker.returncode == -signal.SIGTERM
    worker.start()
    await worker.wait_ready(log_probe(worker, "ready"))  # what the first one printed does not count
    assert worker.log_tail() == "ready\n"
    await worker.stop()
    async with running(worker, ready=log_probe(worker, "ready")):
        assert worker.running


async def test_is_killed_with_what_it_started_when_it_will_not_end(tmp_path: Path) -> None:
    worker = process(tmp_path, STUBBORN)
    worker.start()
    await worker.wait_ready(log_probe(worker, "ready"))
    child = int(worker.log_tail().split()[1])
    await worker.stop(grace_s=0.1)
    assert worker.returncode == -signal.SIGKILL
    # The same signal, and a busy machine takes a moment to deliver it.
    await until(looked(lambda: not alive(child)))


async def test_a_killed_one_is_seen_to_have_ended(tmp_path: Path) -> None:
    worker = process(tmp_path, POLITE)
    worker.start()
    await worker.wait_ready(log_probe(worker, "ready"))
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    assert await worker.wait_ended(timeout_s=5)
    assert worker.returncode == -signal.SIGKILL
    await worker.stop()


async def test_says_what_a_process_printed_before_it_failed(tmp_path: Path) -> None:
    worker = process(tmp_path, "raise SystemExit('LUCY_ADMINS is empty')")
    with pytest.raises(ProcessFailed, match=r"status 1.*\n.*LUCY_ADMINS is empty"):
        async with running(worker, ready=log_probe(worker, "ready")):
            pytest.fail("never ready")


async def test_gives_up_on_one_that_is_never_ready(tmp_path: Path) -> None:
    worker = process(tmp_path, POLITE)
    with pytest.raises(ProcessFailed, match=r"not ready within 0\.1 s"):
        async with running(worker, ready=log_probe(worker, "never"), timeout_s=0.1):
            pytest.fail("never ready")
    assert not worker.running


class TestHttpProbe:
    @pytest.fixture
    async def port(self) -> AsyncIterator[int]:
        async def broken(_: web.Request) -> web.Response:
            return web.Response(status=503)

        async def fine(_: web.Request) -> web.Response:
            return web.Response()

        app = web.Application()
        app.add_routes([web.get("/broken", broken), web.get("/fine", fine)])
        runner, port = await serve(app, port=0)
        yield port
        await runner.cleanup()

    async def test_is_ready_on_success_only(self, port: int) -> None:
        assert await http_probe(f"http://127.0.0.1:{port}/fine")()
        assert not await http_probe(f"http://127.0.0.1:{port}/broken")()

    async def test_is_not_ready_where_nobody_listens(self, unused_tcp_port: int) -> None:
        assert not await http_probe(f"http://127.0.0.1:{unused_tcp_port}/")()
