"""One Graph call from its record to its answer, the same alone and inside a batch.

Source: contracts/graph.md section 9: every inner request of a batch is judged and charged separately.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox.control import Fault
from sandbox.graph.errors import GraphError, of_status, throttled
from sandbox.graph.permissions import refuse_role
from sandbox.graph.request import Answer, GraphRequest, error_answer
from sandbox.graph.routes import Route, find_route
from sandbox.graph.state import GraphState
from sandbox.graph.throttle import WARN_FROM
from sandbox.http_faults import retry_after

DEFAULT_RETRY_AFTER_S = 1.0
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Call:
    """A call that is recorded and has taken its fault. `entry` is its record, which gets the outcome."""

    route: Route
    request: GraphRequest
    fault: Fault | None
    entry: dict[str, Any]


def open_call(state: GraphState, request: GraphRequest, *, batch_id: str | None = None) -> Call:
    """Find, record, take the fault. Raises GraphError for an unknown path."""
    route = find_route(request.method, request.segments)
    about = _about(route, request)
    step = {} if batch_id is None else {"batch": request.ids.client_request_id, "step": batch_id}
    entry = state.control.record(route.operation, **about, **step)
    fault = state.control.take(route.operation, next(iter(about.values()), ""))
    if fault is not None:
        entry["fault"] = fault.action
    return Call(route, request, fault, entry)


def _about(route: Route, request: GraphRequest) -> dict[str, str]:
    """Whom the call is about: never a password."""
    if route.target:
        return {"upn" if "@" in route.target else "id": route.target}
    if "$filter" in request.query:
        return {"filter": request.query["$filter"]}
    upn = request.body.get("userPrincipalName") if isinstance(request.body, dict) else None
    return {"upn": upn} if isinstance(upn, str) else {}


def answer_call(state: GraphState, call: Call) -> Answer:
    """Charge it and do it, unless its fault is an answer in itself."""
    invented = None if call.fault is None else fault_answer(state, call.fault, call.request)
    answer = _do(state, call) if invented is None else invented
    call.entry["status"] = answer.status
    return answer


def _do(state: GraphState, call: Call) -> Answer:
    refusal = refuse_role(call.route.operation, call.request.body, call.request.roles)
    if refusal is not None:
        return error_answer(refusal, call.request, now=state.clock())
    wait_s = state.writes.take() if call.route.is_write else None
    if wait_s is not None:
        return error_answer(throttled(wait_s, scope=throttle_scope(state)), call.request, now=state.clock())
    try:
        answer = call.route.handler(state, call.request, call.route.target)
    except GraphError as error:
        answer = error_answer(error, call.request, now=state.clock())
    usage = state.writes.usage()
    if call.route.is_write and usage > WARN_FROM:
        return Answer(answer.status, answer.body, {**answer.headers, "x-ms-throttle-limit-percentage": f"{usage:.2f}"})
    return answer


def fault_answer(state: GraphState, fault: Fault, request: GraphRequest) -> Answer | None:
    """`status` in Graph's envelope (or with the fault's own body), `throttle` as 429; None for other actions."""
    if fault.action == "throttle":
        wait_s = fault.retry_after_s if isinstance(fault.retry_after_s, int | float) else DEFAULT_RETRY_AFTER_S
        return error_answer(throttled(wait_s, scope=throttle_scope(state)), request, now=state.clock())
    if fault.action != "status":
        return None
    headers = {} if fault.retry_after_s is None else {"Retry-After": retry_after(fault.retry_after_s)}
    if fault.body is not None:
        return Answer(fault.status, fault.body, headers)
    return error_answer(of_status(fault.status, headers=headers), request, now=state.clock())


async def answer_inner(state: GraphState, call: Call, *, sleep: Sleep) -> Answer:
    """As part of a batch, where nothing can cut one answer out.

    So the faults that lose or break an answer come as an inner 504, outcome unknown: the work is done for `cut_after`
    and `truncate`, not for the others.
    """
    fault = call.fault
    if fault is None or fault.action in ("status", "throttle"):
        return answer_call(state, call)
    if fault.action == "delay":
        await sleep(fault.delay_s)
        return answer_call(state, call)
    if fault.action == "twice":
        answer_call(state, call)
        return answer_call(state, call)
    if fault.action == "drip":
        return answer_call(state, call)
    if fault.action in ("cut_after", "truncate"):
        answer_call(state, call)
    return error_answer(of_status(504), call.request, now=state.clock())


def throttle_scope(state: GraphState) -> str:
    """`<Scope>/<Limit>/<AppId>/<TenantId>`."""
    return f"Tenant_Application/Write/{state.client_id}/{state.tenant_id}"
