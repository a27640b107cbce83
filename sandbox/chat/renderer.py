"""Brings Microsoft's card renderer from npm, once, where there is Node; without it the chat draws by itself."""

import asyncio
import shutil
from pathlib import Path

HERE = Path(__file__).parent
RENDERER = Path("node_modules/adaptivecards/dist/adaptivecards.min.js")
TIMEOUT_S = 90.0


async def bring_renderer(folder: Path) -> Path | None:
    """The renderer's file under `folder`; None where it could not be had."""
    renderer = folder / RENDERER
    npm = shutil.which("npm")
    if await asyncio.to_thread(renderer.is_file):
        return renderer
    if npm is None:
        return None
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        await asyncio.to_thread(shutil.copyfile, HERE / name, folder / name)
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder, stdin=silent, stdout=silent, stderr=silent
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
    return renderer if await asyncio.to_thread(renderer.is_file) else None
