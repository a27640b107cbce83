"""`POST /v1.0/$batch`.

Source: contracts/graph.md section 9 (microsoft-graph-docs-contrib `concepts/json-batching.md`). A write without a body
or a Content-Type fails the whole batch, one without a body too: msgraph-sdk-dotnet#2628 and #1038.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.graph.calls import answer_inner, open_call
from sandbox.graph.errors import GraphError
from sandbox.graph.request import Answer, GraphRequest, error_answer, new_ids, split_url, without_types
from sandbox.graph.state import GraphState

MAX_STEPS = 20
_WITH_BODY = ("POST", "PATCH", "PUT")
_METHODS = (*_WITH_BODY, "GET", "DELETE")


@dataclass(frozen=True)
class Step:
    """One inner request. `after`: the ids it depends on, in lower case."""

    id: str
    request: GraphRequest
    after: tuple[str, ...]


def read_steps(outer: GraphRequest) -> list[Step]:
    """Raises GraphError (400 for the whole batch) when it is malformed."""
    rows = outer.body.get("requests") if isinstance(outer.body, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise malformed("Invalid batch payload format.")
    if len(rows) > MAX_STEPS:
        raise malformed(f"Number of batch request steps exceeds the maximum value of {MAX_STEPS}.")
    steps = [_read_step(row, outer) for row in rows]
    ids = [step.id.lower() for step in steps]
    if len(set(ids)) != len(ids):
        raise malformed("The request ids of a batch must be unique; their case does not matter.")
    for position, step in enumerate(steps):
        if not set(step.after) <= set(ids[:position]):
            raise malformed(f"Request id : {step.id} depends on a request that does not come before it.")
    return steps


def _read_step(row: dict[str, Any], outer: GraphRequest) -> Step:
    step_id, method, url = row.get("id"), row.get("method"), row.get("url")
    if not isinstance(step_id, str) or not step_id:
        raise malformed("Every request of a batch needs an id, a string.")
    if not isinstance(method, str) or method.upper() not in _METHODS:
        raise malformed(f"Request id : {step_id} has no valid method.")
    if not isinstance(url, str) or not url or "://" in url.partition("?")[0]:
        raise malformed(f"Request id : {step_id} must have a relative url.")
    headers = _headers(row.get("headers"))
    if method.upper() in _WITH_BODY and ("content-type" not in headers or row.get("body") is None):
        raise malformed(f"Write request id : {step_id} does not contain Content-Type header or body.")
    segments, query = split_url(url)
    request = GraphRequest(
        method=method.upper(),
        segments=segments,
        query=query,
        headers=headers,
        body=without_types(row.get("body")),
        base_url=outer.base_url,
        ids=new_ids(headers, default=outer.ids.client_request_id),
        roles=outer.roles,
    )
    return Step(step_id, request, _depends_on(row.get("dependsOn"), step_id))


def _headers(sent: Any) -> Mapping[str, str]:
    return {str(name).lower(): str(value) for name, value in sent.items()} if isinstance(sent, dict) else {}


def _depends_on(sent: Any, step_id: str) -> tuple[str, ...]:
    if sent is None:
        return ()
    if not isinstance(sent, list) or not all(isinstance(one, str) for one in sent):
        raise malformed(f"Request id : {step_id} has an invalid dependsOn.")
    return tuple(one.lower() for one in sent)


def malformed(message: str) -> GraphError:
    return GraphError(message, code="BadRequest")


async def run_batch(state: GraphState, outer: GraphRequest) -> Answer:
    """200 whatever the inside did. Raises GraphError when malformed.

    Without any `dependsOn` all run at once. The answers come in reverse order, so that nobody relies on the order.
    """
    steps = read_steps(outer)
    if any(step.after for step in steps):
        answers = await _in_order(state, steps)
    else:
        answers = list(await asyncio.gather(*(_run(state, step) for step in steps)))
    responses = [_response(step, answer) for step, answer in zip(steps, answers, strict=True)]
    return Answer(200, {"responses": responses[::-1]})


async def _in_order(state: GraphState, steps: list[Step]) -> list[Answer]:
    """One after another; 424 for those that depend on a failed one."""
    answers: list[Answer] = []
    failed: set[str] = set()
    for step in steps:
        answer = _dependency_failed(state, step) if failed & set(step.after) else await _run(state, step)
        if answer.status >= 400:
            failed.add(step.id.lower())
        answers.append(answer)
    return answers


def _dependency_failed(state: GraphState, step: Step) -> Answer:
    error = GraphError("A request that this one depends on has failed.", code="FailedDependency", status=424)
    return error_answer(error, step.request, now=state.clock())


async def _run(state: GraphState, step: Step) -> Answer:
    try:
        call = open_call(state, step.request, batch_id=step.id)
    except GraphError as error:
        return error_answer(error, step.request, now=state.clock())
    return await answer_inner(state, call, sleep=asyncio.sleep)


def _response(step: Step, answer: Answer) -> dict[str, Any]:
    headers = {**answer.headers, "request-id": step.request.ids.request_id}
    if answer.body is None:
        return {"id": step.id, "status": answer.status, "headers": headers, "body": None}
    headers["Content-Type"] = "application/json"
    return {"id": step.id, "status": answer.status, "headers": headers, "body": answer.body}
