"""The actors of a worker process, bound to its broker and its runtime."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker

from connectors.nudges import queue_of
from lucy.db import general_pauses
from lucy.domain.circuits import CircuitRules
from lucy.domain.operations import StepKind
from lucy.errors import RemoteError, System
from lucy.flows.check_accounts import check_accounts
from lucy.flows.check_courses import check_courses, look_at_courses
from lucy.flows.check_enrolments import check_enrolments
from lucy.flows.check_first_use import check_first_use
from lucy.flows.check_letter import check_letter_for_all
from lucy.flows.forecast_batch import courses_to_enter, store_forecast
from lucy.flows.ingest_list import ingest_list
from lucy.flows.preview_letter import draw_letters
from lucy.flows.read_returns import read_returns
from lucy.flows.run_batch import start_batch
from lucy.flows.send_nudges import send_nudges
from lucy.flows.send_trial_letter import send_trial_letter
from lucy.ports import LicenceSeats
from workers.announcer import Announcer
from workers.canaries import search_house
from workers.lanes import LaneEngine
from workers.runtime import Runtime

log = structlog.get_logger(__name__)

TIME_LIMIT_MS = 600_000


class Actors:
    """The work behind each nudge's name."""

    def __init__(self, runtime: Runtime, *, circuits: CircuitRules | None = None) -> None:
        self._runtime = runtime
        self._lanes = LaneEngine(
            runtime.db,
            runtime.limiter,
            runtime.nudger,
            runtime.lanes,
            house=runtime.house,
            lease_s=runtime.house.lease_s,
            circuits=circuits,
        )
        self._announcer = Announcer(runtime.db, runtime.channel, runtime.house)

    async def run_lane(self, kind: str) -> None:
        await self._lanes.run(StepKind(kind))

    async def announce(self) -> None:
        await self._announcer.run()

    async def start_batch(self, number: int) -> None:
        """Begin an approved batch; its lanes find their work by themselves."""
        seats = await self._seats(number)
        async with self._runtime.db.transaction() as session:
            begun = await start_batch(session, number, seats=seats, house=self._runtime.house, now=datetime.now(UTC))
        await send_nudges(self._runtime.db, self._runtime.nudger)
        if begun:
            log.info("batch.started", batch=number)
            for kind in self._runtime.lanes:
                await self._lanes.run(kind)

    async def forecast_batch(self, number: int) -> None:
        """Ask for the licence seats and put the forecast on the card; without an answer the rest is still told."""
        seats, courses = await self._seats(number), await self._closed_courses(number)
        house, now = self._runtime.house, datetime.now(UTC)
        async with self._runtime.db.transaction() as session:
            await store_forecast(session, number, seats, courses=courses, house=house, now=now)
        await send_nudges(self._runtime.db, self._runtime.nudger)

    async def _seats(self, number: int) -> LicenceSeats | None:
        """The licence seats of the tenant; None where Entra does not say."""
        if await self._paused(System.GRAPH):
            return None
        try:
            return await self._runtime.directory.licence_seats(self._runtime.house.licence_sku)
        except RemoteError as error:
            log.warning("batch.no_seats", batch=number, code=error.code, error=str(error))
            return None

    async def _closed_courses(self, number: int) -> list[tuple[str, str]]:
        """The pre-flight of the batch's courses (FEATURES row 55): those in which nobody can be enrolled, and why."""
        async with self._runtime.db.transaction() as session:
            courses = await courses_to_enter(session, number)
        if not courses or await self._paused(System.MOODLE):
            return []
        found = await look_at_courses(self._runtime.moodle_sites, courses, house=self._runtime.house)
        return [(course, code) for course, (_name, codes) in sorted(found.items()) for code in codes]

    async def ingest_list(self, run_id: int) -> None:
        """While SIAL is paused the run stays asked for; the sweeper comes back to it."""
        if await self._paused(System.SIAL):
            log.info("ingest.paused", run=run_id)
            return
        counts = await ingest_list(self._runtime.db, self._runtime.records, run_id, house=self._runtime.house)
        if counts is not None:
            log.info("ingest.ended", run=run_id, seen=counts.seen, new=counts.new, held=counts.held)
            await send_nudges(self._runtime.db, self._runtime.nudger)

    async def check_courses(self) -> None:
        if not await self._paused(System.MOODLE):
            await check_courses(self._runtime.db, self._runtime.moodle_sites, house=self._runtime.house)
            await send_nudges(self._runtime.db, self._runtime.nudger)

    async def check_enrolments(self) -> None:
        if not await self._paused(System.MOODLE):
            await check_enrolments(self._runtime.db, self._runtime.moodle_sites)
            await send_nudges(self._runtime.db, self._runtime.nudger)

    async def send_trial_letter(self, letter_id: int) -> None:
        runtime = self._runtime
        await send_trial_letter(runtime.db, runtime.mailer, letter_id, house=runtime.house)
        await send_nudges(runtime.db, runtime.nudger)

    async def check_letter(self, template_id: int) -> None:
        runtime = self._runtime
        await check_letter_for_all(runtime.db, template_id, house=runtime.house)
        await send_nudges(runtime.db, runtime.nudger)

    async def draw_letters(self) -> None:
        runtime = self._runtime
        if runtime.painter is not None:
            await draw_letters(runtime.db, runtime.painter, house=runtime.house)
            await send_nudges(runtime.db, runtime.nudger)

    async def read_returns(self) -> None:
        """A reading that fails is made again by the agenda, an hour later."""
        runtime = self._runtime
        if runtime.returns is None or await self._paused(System.MAIL):
            return
        try:
            await read_returns(runtime.db, runtime.returns, house=runtime.house)
        except RemoteError as error:
            log.warning("returns.not_read", code=error.code, error=str(error))

    async def check_first_use(self) -> None:
        """A check that fails is made again the next night; what it had read counts."""
        if await self._paused(System.GRAPH):
            return
        try:
            await check_first_use(self._runtime.db, self._runtime.directory)
        except RemoteError as error:
            log.warning("letters.first_use_not_checked", code=error.code, error=str(error))

    async def find_secrets(self) -> None:
        await search_house(self._runtime)

    async def check_accounts(self, whole: int) -> None:
        """A check that fails is made again by the agenda; what it had read counts."""
        if await self._paused(System.GRAPH):
            return
        try:
            runtime = self._runtime
            await check_accounts(runtime.db, runtime.directory, house=runtime.house, whole=bool(whole))
        except RemoteError as error:
            log.warning("accounts.not_checked", code=error.code, error=str(error))
        await send_nudges(self._runtime.db, self._runtime.nudger)

    async def _paused(self, system: System) -> bool:
        async with self._runtime.db.transaction() as session:
            return await general_pauses.stops(session, system, now=datetime.now(UTC))


def declare_actors(broker: RedisBroker, current: Callable[[], Actors]) -> None:
    """Declare an actor for each nudge. `current` gives the process's actors once its runtime is open.

    Nothing is retried by the queue: what failed is still due in the database, and the sweeper nudges again.
    """

    def declare(name: str, work: Callable[..., Awaitable[None]]) -> None:
        dramatiq.actor(broker=broker, actor_name=name, queue_name=queue_of(name), time_limit=TIME_LIMIT_MS)(work)

    async def run_lane(kind: str) -> None:
        await current().run_lane(kind)

    async def announce() -> None:
        await current().announce()

    async def start(number: int) -> None:
        await current().start_batch(number)

    async def forecast(number: int) -> None:
        await current().forecast_batch(number)

    async def ingest(run_id: int) -> None:
        await current().ingest_list(run_id)

    async def courses() -> None:
        await current().check_courses()

    async def enrolments() -> None:
        await current().check_enrolments()

    async def trial_letter(letter_id: int) -> None:
        await current().send_trial_letter(letter_id)

    async def letter(template_id: int) -> None:
        await current().check_letter(template_id)

    async def pictures() -> None:
        await current().draw_letters()

    async def returns() -> None:
        await current().read_returns()

    async def first_use() -> None:
        await current().check_first_use()

    async def secrets() -> None:
        await current().find_secrets()

    async def accounts(whole: int) -> None:
        await current().check_accounts(whole)

    declare("run_lane", run_lane)
    declare("announce", announce)
    declare("start_batch", start)
    declare("forecast_batch", forecast)
    declare("ingest_list", ingest)
    declare("check_courses", courses)
    declare("check_accounts", accounts)
    declare("send_trial_letter", trial_letter)
    declare("check_enrolments", enrolments)
    declare("find_secrets", secrets)
    declare("check_letter", letter)
    declare("draw_letters", pictures)
    declare("read_returns", returns)
    declare("check_first_use", first_use)
