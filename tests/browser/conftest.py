"""A real Chromium, what npm brings for it, and the whole of `lucy up` behind it.

Needs chromium and npm: `.ci/run` installs the first and finds the second; nothing here is skipped where they are not.
"""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from cli.up import chatting
from connectors.chromium import find_browser
from sandbox.chat.renderer import bring_renderer
from sandbox.together import Population

CHECKOUT = Path(__file__).parents[2]
SCREENS = CHECKOUT / "build" / "screens"


@pytest.fixture(scope="session")
def chromium() -> str:
    path = find_browser("auto")
    assert path, "no chromium on the PATH: install Debian's package of that name"
    return path


@pytest.fixture(scope="session")
def node_modules() -> Iterator[Path]:
    """What `package.json` beside this file names, installed once."""
    folder = CHECKOUT / ".cache" / "browser"
    npm = shutil.which("npm")
    assert npm is not None, "no npm on the PATH"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(Path(__file__).parent / name, folder / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=180)
    yield folder / "node_modules"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def renderer() -> Path:
    """Microsoft's card renderer."""
    found = await bring_renderer(CHECKOUT / ".cache" / "chat")
    assert found is not None, "npm did not bring the renderer"
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    SCREENS.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Errors of the page itself are the test's."""
    opened = await browser.new_page(viewport={"width": 1000, "height": 900})
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    await opened.close()
    assert errors == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """`lucy up` with a small faculty; the address of its chat."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LUCY_DATABASE_URL", "LUCY_REDIS_URL"):
            patch.delenv(name, raising=False)
        folder = tmp_path_factory.mktemp("up")
        async with chatting(folder, Population(aspirantes=14)) as (_stage, address, official):
            assert official, "the official renderer draws the cards"
            yield address
