"""Fixtures of the fault tests: a worker's inside in this process for providers that fail, a whole house of processes
for those that die."""

import pytest

from tests.e2e.faults.ledger import Ledger
from tests.integration.conftest import certificates, open_works, redis_url, works
from tests.integration.support.works import Works

__all__ = ["certificates", "ledger", "open_works", "redis_url", "works"]


@pytest.fixture
def ledger(works: Works) -> Ledger:
    """The judge of what `works` did."""
    return Ledger(works.db, works.addresses, works.http)
