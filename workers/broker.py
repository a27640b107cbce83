"""A worker process: Dramatiq's worker over our actors, the runtime opened and closed on its event loop."""

import signal
import threading

import structlog
from dramatiq import Broker, Worker
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from dramatiq.middleware import AsyncIO, Middleware, ShutdownNotifications, TimeLimit

from connectors.nudges import make_broker
from lucy.settings import Settings
from workers.actors.declare import Actors, declare_actors
from workers.runtime import Runtime

log = structlog.get_logger(__name__)

THREADS = 8  # each running actor holds one
STOP_WITHIN_MS = 8_000


class OpenRuntime(Middleware):
    """Opens the runtime when the event loop runs and closes it before the loop ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runtime: Runtime | None = None
        self._actors: Actors | None = None

    def actors(self) -> Actors:
        """The open process's actors. Raises RuntimeError before the worker has booted."""
        if self._actors is None:
            raise RuntimeError("the worker has not booted")
        return self._actors

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self._runtime = _loop().run_coroutine(Runtime.open(self._settings))
        self._actors = Actors(self._runtime)

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        if self._runtime is not None:
            _loop().run_coroutine(self._runtime.close())


def _loop() -> EventLoopThread:
    """The worker's event loop, started by the AsyncIO middleware. Raises RuntimeError without it."""
    loop = get_event_loop_thread()
    if loop is None:
        raise RuntimeError("the AsyncIO middleware has not started the event loop")
    return loop


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; what is in hand is finished, at most for a few seconds."""
    opener = OpenRuntime(settings)
    broker = make_broker(settings.redis_url, [TimeLimit(), ShutdownNotifications(), AsyncIO(), opener])
    declare_actors(broker, opener.actors)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = Worker(broker, worker_threads=THREADS)
    broker.emit_after("process_boot")  # time limits fire only after this (contracts/packages.md)
    worker.start()
    opener.actors()
    log.info("worker.ready")
    stop.wait()
    worker.stop(timeout=STOP_WITHIN_MS)
    broker.close()
    log.info("worker.stopped")
