"""Keep something about steps in hand before their call, so that whoever repeats it knows; a fence for late workers."""

from collections.abc import Mapping, Sequence

from lucy.db import claims
from lucy.db.claims import ClaimedStep
from lucy.db.engine import Database
from lucy.domain.steps import StepId
from lucy.flows.lanes.base import Noter


def noter(db: Database) -> Noter:
    """Notes in a short transaction of its own: committed before the lane calls the outside."""

    async def note(steps: Sequence[ClaimedStep], what: Mapping[str, object]) -> frozenset[StepId]:
        if not steps:
            return frozenset()
        async with db.transaction() as session:
            ids = [step.id for step in steps]
            return await claims.note_all(session, ids, what, lease_id=steps[0].lease_id)

    return note
