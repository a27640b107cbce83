"""Fixtures of the fault tests: a worker's inside in this process for providers that fail, a whole house of processes
for those that die."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cli.stage import Stage, staged
from sandbox.together import Population
from tests.e2e.faults.ledger import Ledger
from tests.e2e.faults.stagehand import Stagehand, stagehand
from tests.integration.conftest import certificates, open_works, redis_url, works
from tests.integration.support.people import course_rules
from tests.integration.support.works import Works

__all__ = ["certificates", "ledger", "open_works", "redis_url", "works"]

COURSES = ("INGRESO-2026", "CONT-1")
# Faster than the real providers allow, so that what takes time is what the tests are about. A lease that a busy machine
# cannot break by mistake.
SETTINGS = {"LUCY_LEASE_S": "6", "LUCY_RATE_GRAPH": "150", "LUCY_RATE_MOODLE": "500", "LUCY_RATE_MAIL": "12000"}


@pytest.fixture
def ledger(works: Works) -> Ledger:
    """The judge of what `works` did."""
    return Ledger(works.db, works.addresses, works.http)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Servers, simulators, bot and scheduler, each a process; no worker."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LUCY_DATABASE_URL", "LUCY_REDIS_URL"):
            patch.delenv(name, raising=False)
        async with staged(
            tmp_path_factory.mktemp("house"), Population(), workers=0, seats=600, settings=SETTINGS
        ) as stage:
            db = stage.database()
            await course_rules(db, *COURSES)
            await db.close()
            yield stage


@pytest.fixture
async def hand(house: Stage, tmp_path: Path) -> AsyncIterator[Stagehand]:
    async with stagehand(house, tmp_path) as opened:
        yield opened
