"""What every simulator shares: faults on demand, a record of the calls, and the `/_control` routes.

The faults are those seen from real services: an answer that is refused, late, lost on the way (before or after the
work was done), replaced by a proxy's page, or broken. A simulator names each call (its *operation*), records it, takes
the fault that waits for it, and obeys: aiohttp ones through `sandbox/http_faults.py`.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import MISSING, asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from ssl import SSLContext
from typing import Any

from aiohttp import web

from sandbox.status_page import status_page

HTTP_ACTIONS = frozenset(
    {
        "status",
        "delay",
        "drip",
        "twice",
        "cut_before",
        "cut_after",
        "html",
        "truncate",
        "malformed",
        "charset",
        "redirect",
        "flood",
    }
)
OWN_ACTIONS = frozenset({"throttle", "maintenance", "moodle_error", "reply", "bounce"})  # Graph, Moodle (2), mail (2)
CALLS_KEPT = 50_000
SHUTDOWN_S = 0.5


@dataclass
class Fault:
    """One misbehaviour, waiting for the calls it matches.

    `match`: an operation's name, part of one, or an fnmatch pattern for a whole one. `action`: one of `HTTP_ACTIONS`
    or a simulator's own. `times`: how many more calls it hits, None until removed. `after`: matching calls let through
    first. `status` and `retry_after_s` (seconds; a text is sent as it is) are for answers, `delay_s` for `delay` and
    `drip`, `body` replaces the answer's, and is where a `redirect` leads.
    """

    match: str
    action: str
    times: int | None = None
    after: int = 0
    status: int = 503
    retry_after_s: float | str | None = None
    delay_s: float = 0.0
    body: Any = None


class Control:
    """The faults in wait and the calls so far.

    `operations`: the simulator's operation names, where they are a fixed set. A pattern that is one of them means that
    one only, so `POST /users` does not hit `POST /users/{id}/assignLicense`.
    """

    def __init__(self, operations: Iterable[str] = (), *, keep: int = CALLS_KEPT) -> None:
        self.operations = frozenset(operations)
        self._faults: list[Fault] = []
        self._calls: deque[dict[str, Any]] = deque(maxlen=keep)
        self._count = 0

    def add_fault(self, fault: Fault) -> None:
        """Put one in wait, behind the others; the caller's own object is left alone."""
        self._faults.append(replace(fault))

    def faults(self) -> list[Fault]:
        """Those in wait; copies."""
        return [replace(fault) for fault in self._faults]

    def clear_faults(self) -> None:
        self._faults.clear()

    def take(self, operation: str, subject: str = "") -> Fault | None:
        """The first fault for this call, one hit used up; None when nothing applies.

        `subject` is whom the call is about (an address, an id), so that a fault can wait for one person among many:
        its pattern may match `"{operation} {subject}"` too. Every matching fault counts the call down in `after`.
        """
        hit: Fault | None = None
        for fault in list(self._faults):
            if not self._matches(fault.match, operation, subject):
                continue
            if fault.after > 0:
                fault.after -= 1
            elif hit is None:
                hit = self._use(fault)
        return hit

    def record(self, operation: str, **detail: Any) -> dict[str, Any]:
        """Keep one call. Returns the kept entry, so that its outcome can be added; never put a secret in it."""
        self._count += 1
        entry = {"n": self._count, "at": time.time(), "operation": operation, **detail}
        self._calls.append(entry)
        return entry

    def calls(self, match: str | None = None) -> list[dict[str, Any]]:
        """The calls kept, oldest first; copies."""
        return [dict(one) for one in self._calls if match is None or self._matches(match, one["operation"])]

    def reset(self) -> None:
        """Forget faults and calls; `n` goes on growing, so a call made before can never be taken for a new one."""
        self._faults.clear()
        self._calls.clear()

    def _use(self, fault: Fault) -> Fault | None:
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._faults = [one for one in self._faults if one is not fault]
            if fault.times < 0:
                return None
        return replace(fault)

    def _matches(self, pattern: str, operation: str, subject: str = "") -> bool:
        if pattern in self.operations:
            return pattern == operation
        whole = f"{operation} {subject}" if subject else operation
        return pattern in whole or fnmatchcase(operation, pattern) or fnmatchcase(whole, pattern)


def read_faults(sent: Any, *, actions: Collection[str] = HTTP_ACTIONS | OWN_ACTIONS) -> list[Fault]:
    """One fault or a list of them from JSON. Raises ValueError or TypeError, saying what is not known."""
    return [_read_fault(one, actions) for one in (sent if isinstance(sent, list) else [sent])]


def _read_fault(sent: Any, actions: Collection[str]) -> Fault:
    if not isinstance(sent, dict):
        raise TypeError("a fault is a JSON object")
    known = {field.name for field in fields(Fault)}
    required = {field.name for field in fields(Fault) if field.default is MISSING}
    if unknown := sorted(set(sent) - known):
        raise ValueError(f"unknown fields: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    if missing := sorted(required - set(sent)):
        raise ValueError(f"missing fields: {', '.join(missing)}")
    if wrong := sorted(name for name, value in sent.items() if not _fits(name, value)):
        raise ValueError(f"fields of the wrong type: {', '.join(wrong)}")
    if sent["action"] not in actions:
        raise ValueError(f"unknown action: {sent['action']}; known: {', '.join(sorted(actions))}")
    return Fault(**sent)


def _fits(name: str, value: Any) -> bool:
    if name == "body":
        return True
    if value is None:
        return name in ("times", "retry_after_s")
    if name == "retry_after_s" and isinstance(value, str):
        return True
    if name in ("match", "action"):
        return isinstance(value, str) and bool(value)
    kinds = (int, float) if name.endswith("_s") else (int,)
    return isinstance(value, kinds) and not isinstance(value, bool) and value >= 0


def control_routes(
    control: Control,
    *,
    name: str = "",
    state: Callable[[], Any],
    reset: Callable[[], None],
    seed: Callable[[Any], None] | None = None,
    actions: Collection[str] | None = None,
) -> list[web.RouteDef]:
    """The routes under `/_control`. They ask for no credentials: a simulator listens on a loopback address.

    `state` gives JSON, `reset` empties the simulator, `seed` takes its own JSON (ValueError, TypeError, KeyError: 400).
    `actions`: the simulator's own beside `HTTP_ACTIONS`; None for those of all simulators. `name` heads the status
    page, `GET /_control/`.
    """
    known = HTTP_ACTIONS | (OWN_ACTIONS if actions is None else frozenset(actions))

    async def post_reset(_: web.Request) -> web.Response:
        reset()
        control.reset()
        return web.Response(status=204)

    routes = [
        *_reading_routes(control, state, name),
        *_fault_routes(control, known),
        web.post("/_control/reset", post_reset),
    ]
    return routes if seed is None else [*routes, web.post("/_control/seed", _seeding(seed))]


def _reading_routes(control: Control, state: Callable[[], Any], name: str) -> list[web.RouteDef]:
    async def get_health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def get_state(_: web.Request) -> web.Response:
        return web.json_response(state())

    async def get_faults(_: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in control.faults()])

    async def get_page(_: web.Request) -> web.Response:
        faults = [asdict(fault) for fault in control.faults()]
        text = status_page(name, state=state(), faults=faults, calls=control.calls())
        return web.Response(text=text, content_type="text/html")

    async def get_calls(request: web.Request) -> web.Response:
        return web.json_response(control.calls(request.query.get("match")))

    return [
        web.get("/_control/health", get_health),
        web.get("/_control/state", get_state),
        web.get("/_control/calls", get_calls),
        web.get("/_control/faults", get_faults),
        web.get("/_control/", get_page),
    ]


def _fault_routes(control: Control, known: Collection[str]) -> list[web.RouteDef]:
    async def post_faults(request: web.Request) -> web.Response:
        try:
            faults = read_faults(await request.json(), actions=known)
        except (ValueError, TypeError) as error:
            return _refusal(error)
        for fault in faults:
            control.add_fault(fault)
        return web.json_response({"added": len(faults)})

    async def delete_faults(_: web.Request) -> web.Response:
        control.clear_faults()
        return web.Response(status=204)

    return [web.post("/_control/faults", post_faults), web.delete("/_control/faults", delete_faults)]


def _seeding(seed: Callable[[Any], None]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def post_seed(request: web.Request) -> web.StreamResponse:
        try:
            seed(await request.json())
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # the JSON has another shape
            return _refusal(error)
        return web.Response(status=204)

    return post_seed


def _refusal(error: Exception) -> web.Response:
    return web.json_response({"error": str(error) or type(error).__name__}, status=400)


async def serve(
    app: web.Application, *, host: str = "127.0.0.1", port: int, ssl_context: SSLContext | None = None
) -> tuple[web.AppRunner, int]:
    """Start the app; port 0 takes a free one. Returns the runner (`cleanup()` stops it) and the real port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=ssl_context).start()
    bound: int = runner.addresses[0][1]
    return runner, bound
