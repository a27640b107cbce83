"""Random operations, faults and deaths against the transition tables and the lanes: nobody lost, doubled or hidden.

`LUCY_WALKS=200 pytest …` walks longer, and elsewhere each time; as it stands the walks are the same every time.
"""

import asyncio
import itertools
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lucy.domain.operations import StepKind
from sandbox.servers import PostgresServer
from tests.conftest import TEMPLATE
from tests.integration.support.people import course_rules, students
from tests.integration.support.walk import FAULTS, Walk
from tests.integration.support.works import working

WALKS = int(os.environ.get("LUCY_WALKS", "0"))
MANY = 6
KINDS = list(StepKind)
ACTIVATION = KINDS[:1] + KINDS[2:6]
_numbers = itertools.count(1)


def test_whatever_happens_nobody_is_lost_doubled_or_hidden(
    postgres: PostgresServer, redis_url: str, certificates: Path
) -> None:
    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self._runner, self._stack = asyncio.Runner(), AsyncExitStack()
            self._database = f"walk_{next(_numbers)}"
            postgres.create_database(self._database, template=TEMPLATE)
            self.walk = self._runner.run(self._open())

        async def _open(self) -> Walk:
            url = postgres.url(self._database)
            works = await self._stack.enter_async_context(
                working(url, redis_url, certificates, batch_size=2, in_hand=3)
            )
            known = await students(works.db, MANY)
            await course_rules(works.db, "INGRESO-2026")
            return Walk(works, known)

        def does(self, what: Any) -> None:
            self._runner.run(what)

        def number(self, place: int) -> int:
            """One of the batches there are."""
            found = self._runner.run(self.walk.batches())
            return int(found[place % len(found)].id)

        @initialize(mail=st.booleans(), moodle=st.booleans())
        def first(self, mail: bool, moodle: bool) -> None:
            """Two batches over the same students, both about to begin: they are in each other's way."""
            for number in (1, 2):
                self.does(self.walk.ask(self.walk.known, mail=mail, moodle=moodle))
                self.does(self.walk.decide(number, yes=True))
            self.does(self.walk.begin())

        @rule(places=st.sets(st.integers(0, MANY - 1), min_size=1), mail=st.booleans(), moodle=st.booleans())
        def ask(self, places: set[int], mail: bool, moodle: bool) -> None:
            self.does(self.walk.ask([self.walk.known[one] for one in sorted(places)], mail=mail, moodle=moodle))

        @rule(place=st.integers(0, 9), yes=st.sampled_from([True, True, True, False]))
        def decide(self, place: int, yes: bool) -> None:
            self.does(self.walk.decide(self.number(place), yes=yes))

        @rule(place=st.integers(0, 9), deed=st.sampled_from(["pause", "resume", "cancel", "retry", "undo"]))
        def move(self, place: int, deed: str) -> None:
            self.does(self.walk.move(self.number(place), deed))

        @rule(place=st.integers(0, MANY - 1))
        def source_changes(self, place: int) -> None:
            self.does(self.walk.source_changes(self.walk.known[place]))

        @rule(fault=st.sampled_from(FAULTS))
        def fault(self, fault: tuple[str, str, str, dict[str, Any]]) -> None:
            system, operation, action, more = fault
            self.walk.works.fault(system, operation, action, **more)

        @rule()
        def begin(self) -> None:
            self.does(self.walk.begin())

        @rule(kinds=st.lists(st.sampled_from(ACTIVATION), min_size=1, max_size=4))
        def work(self, kinds: list[StepKind]) -> None:
            self.does(self.walk.begin())
            for kind in kinds:
                self.does(self.walk.work(kind))

        @rule(kind=st.sampled_from(KINDS))
        def work_in_any_lane(self, kind: StepKind) -> None:
            self.does(self.walk.work(kind))

        @rule(kind=st.sampled_from(ACTIVATION), outcomes=st.integers(0, 3))
        def die(self, kind: StepKind, outcomes: int) -> None:
            self.does(self.walk.die(kind, outcomes=outcomes))

        @invariant()
        def holds(self) -> None:
            self.does(self.walk.check())

        def teardown(self) -> None:
            try:
                self.does(self.walk.come_to_rest())
                self.does(self.walk.check_at_rest())
            finally:
                self._runner.run(self._stack.aclose())
                self._runner.close()
                postgres.drop_database(self._database)

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Machine,
        settings=settings(
            max_examples=WALKS or 8,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=not WALKS,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # to make a walk shorter takes longer than to read it
            print_blob=True,
        ),
    )
