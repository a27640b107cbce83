"""The Moodle simulator on a socket of its own."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.control import serve
from sandbox.moodle import MoodleState, build_app
from tests.integration.sandbox.moodle.calls import TOKEN, Caller


@pytest.fixture
def state() -> MoodleState:
    return MoodleState(TOKEN)


@pytest.fixture
async def call(state: MoodleState) -> AsyncIterator[Caller]:
    runner, port = await serve(build_app(state), port=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as http:
        yield Caller(http)
    await runner.cleanup()
