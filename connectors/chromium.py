"""Draws a page with a headless Chromium. It runs no script, reaches no network and keeps nothing."""

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path

import structlog

TIMEOUT_S = 30.0
WIDTH, HEIGHT = 640, 800  # a letter is 600 wide, and few are longer
LARGEST = 1024 * 1024  # bytes that a card's reader has to load
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
_PNG = b"\x89PNG\r\n\x1a\n"

log = structlog.get_logger(__name__)


class Chromium:
    """`lucy.ports.Painter`. `browser` is its path."""

    def __init__(self, browser: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._browser, self._timeout_s = browser, timeout_s

    async def picture(self, html: str) -> bytes | None:
        """None where the browser failed; it is logged."""
        with tempfile.TemporaryDirectory(prefix="lucy-letter-") as folder:
            page, drawn = Path(folder) / "letter.html", Path(folder) / "letter.png"
            await asyncio.to_thread(page.write_text, _alone(html), encoding="utf-8")
            failure = await self._run(folder, page, drawn)
            png = await asyncio.to_thread(drawn.read_bytes) if not failure and drawn.is_file() else b""
        if png.startswith(_PNG) and len(png) <= LARGEST:
            return png
        log.warning("browser.failed", why=failure or "it left no picture")
        return None

    async def _run(self, folder: str, page: Path, drawn: Path) -> str:
        """Why it failed, empty where it did not."""
        command = [self._browser, *_options(folder), f"--screenshot={drawn}", page.as_uri()]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": folder}
        silent = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=silent, stdout=silent, stderr=silent, env=environment, start_new_session=True
            )
        except OSError as error:
            return type(error).__name__
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await process.wait()
        except TimeoutError:
            return "too slow"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return "" if status == 0 else f"exit {status}"


def _alone(html: str) -> str:
    """With a policy of its own: no script, nothing from elsewhere. (`scriptEnabled=false` leaves no screenshot.)"""
    return _HEAD.sub(lambda found: found[0] + _POLICY, html, count=1) if _HEAD.search(html) else _POLICY + html


def _options(folder: str) -> list[str]:
    own_sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # as root Chromium does not start with it
    return [
        "--headless",
        *own_sandbox,
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-extensions",
        "--disable-background-networking",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--no-first-run",
        f"--user-data-dir={folder}/profile",
        f"--window-size={WIDTH},{HEIGHT}",
    ]


def find_browser(wanted: str) -> str:
    """The path of the browser to use; empty for none. `wanted`: a path, `auto`, or empty for none."""
    if wanted != "auto":
        return wanted
    return next((path for name in NAMES if (path := shutil.which(name))), "")
