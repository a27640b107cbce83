"""The two faults of the demo: Graph asks to wait in the middle, and a worker process is killed with work in hand."""

import asyncio

import httpx
from sqlalchemy import select

from cli.demo.conversation import DemoFailed
from cli.stage import Stage
from lucy.db.engine import Database
from lucy.db.tables import StepRow
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from sandbox.processes import Process

RETRY_AFTER_S = 4
WITHIN_S = 60


async def arm_throttling(stage: Stage, http: httpx.AsyncClient, *, after: int) -> None:
    """After so many accounts Graph answers 429 to some of a batch."""
    root = stage.addresses.graph_url.removesuffix("/v1.0")
    fault = {"match": "POST /users", "action": "throttle", "after": after, "times": 6, "retry_after_s": RETRY_AFTER_S}
    answer = await http.post(f"{root}/_control/faults", json=fault)
    if answer.status_code >= 300:
        raise DemoFailed(f"the simulator did not take the fault: {answer.text}")


async def kill_a_busy_worker(stage: Stage, db: Database) -> tuple[Process, int]:
    """SIGKILL a worker while it holds accounts being created; returns it and how many steps it held."""
    workers = [process for name, process in stage.processes.items() if name.startswith("worker")]
    deadline = asyncio.get_running_loop().time() + WITHIN_S
    while asyncio.get_running_loop().time() < deadline:
        held = await _held(db)
        for lease in held:
            for worker in workers:
                if worker.running and f'"lease": "{lease[:6]}"' in worker.log_tail(20_000):
                    worker.kill()
                    left = (await _held(db)).get(lease, 0)
                    if left:
                        return worker, left
                    await stage.start(worker.name, "worker")  # it was done a moment before: the next one
        await asyncio.sleep(0.02)
    raise DemoFailed("no worker had work in hand to be killed with")


async def _held(db: Database) -> dict[str, int]:
    """Leases in force over accounts, with their steps."""
    async with db.transaction() as session:
        rows = await session.execute(
            select(StepRow.lease_id).where(StepRow.state == StepState.RUNNING, StepRow.kind == StepKind.ACCOUNT)
        )
    held: dict[str, int] = {}
    for row in rows:
        held[row.lease_id] = held.get(row.lease_id, 0) + 1
    return held
