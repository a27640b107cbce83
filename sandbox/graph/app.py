"""The simulator over HTTP: login authority, Graph and `/_control` on one port.

`POST /_control/graph/sign-in {"upn", "password"}` tells whether a password opens an account; with `"new_password"` its
owner enters and chooses that one. Faults are matched by the
names in `operations`, or by such a name and the id or UPN (`POST /users ana@…`); own action: `throttle`.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

from sandbox.control import Fault, control_routes
from sandbox.graph.batch import run_batch
from sandbox.graph.calls import answer_call, fault_answer, open_call
from sandbox.graph.errors import GraphError
from sandbox.graph.login import check_bearer, discovery, issue_token, refusal_body, refuse_client, refuse_tenant
from sandbox.graph.operations import BATCH, DISCOVERY, TOKEN
from sandbox.graph.request import Answer, GraphRequest, error_answer, new_ids, split_url, without_types
from sandbox.graph.routes import find_route
from sandbox.graph.state import GraphState
from sandbox.http_faults import apply_http_fault

GRAPH_PREFIX = "/v1.0"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(state: GraphState) -> web.Application:
    """One app on one origin: `LOGIN_URL` and `GRAPH_URL` are both it."""

    @web.middleware
    async def add_latency(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if state.behaviour.latency_s and not request.path.startswith("/_control"):
            await asyncio.sleep(state.behaviour.latency_s)
        return await handler(request)

    async def serve_discovery(request: web.Request) -> web.StreamResponse:
        return await _serve_discovery(state, request)

    async def serve_token(request: web.Request) -> web.StreamResponse:
        return await _serve_token(state, request)

    async def serve_graph(request: web.Request) -> web.StreamResponse:
        return await _serve_graph(state, request)

    async def serve_sign_in(request: web.Request) -> web.Response:
        try:
            sent = await request.json()
            upn, password = str(sent["upn"]), str(sent["password"])
        except (ValueError, TypeError, KeyError):
            return web.json_response({"error": 'send {"upn": …, "password": …}'}, status=400)
        opens, must_change = state.sign_in(upn, password, new_password=str(sent.get("new_password", "")))
        return web.json_response({"ok": opens, "must_change": must_change})

    app = web.Application(middlewares=[add_latency], client_max_size=16 * 2**20)
    app.add_routes(
        [
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", serve_discovery),
            web.post("/{tenant}/oauth2/v2.0/token", serve_token),
            web.route("*", GRAPH_PREFIX + "/{path:.*}", serve_graph),
            web.post("/_control/graph/sign-in", serve_sign_in),
            *control_routes(
                state.control,
                name="Entra and Graph",
                state=state.snapshot,
                reset=state.reset,
                seed=state.seed,
                actions=("throttle",),
            ),
        ]
    )
    return app


async def _serve_discovery(state: GraphState, request: web.Request) -> web.StreamResponse:
    state.control.record(DISCOVERY)
    fault = state.control.take(DISCOVERY)

    async def respond() -> web.StreamResponse:
        refusal = refuse_tenant(state, request.match_info["tenant"])
        if refusal is not None:
            return web.json_response(refusal_body(refusal, now=state.clock()), status=refusal.status)
        return web.json_response(discovery(state, origin=_origin(request)))

    return await apply_http_fault(_as_status(fault), request, respond)


async def _serve_token(state: GraphState, request: web.Request) -> web.StreamResponse:
    form = _credentials(request.headers.get("Authorization")) | {
        name: value for name, value in (await request.post()).items() if isinstance(value, str)
    }
    entry = state.control.record(TOKEN, client_id=form.get("client_id"))
    fault = state.control.take(TOKEN)

    async def respond() -> web.StreamResponse:
        audience = f"{_origin(request)}{request.path}"
        refusal = refuse_tenant(state, request.match_info["tenant"]) or refuse_client(state, form, audience=audience)
        entry["status"] = 200 if refusal is None else refusal.status
        if refusal is not None:
            return web.json_response(refusal_body(refusal, now=state.clock()), status=refusal.status)
        return web.json_response(
            issue_token(state, origin=_origin(request)), headers={"Cache-Control": "no-store, no-cache"}
        )

    return await apply_http_fault(_as_status(fault), request, respond)


def _credentials(authorization: str | None) -> dict[str, str]:
    """RFC 6749 section 2.3.1: id and secret may come as HTTP Basic, each form-encoded."""
    scheme, _, coded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}


def _as_status(fault: Fault | None) -> Fault | None:
    """The login authority throttles with a plain 429."""
    if fault is None or fault.action != "throttle":
        return fault
    return Fault(fault.match, "status", status=429, retry_after_s=fault.retry_after_s, body=fault.body)


async def _serve_graph(state: GraphState, request: web.Request) -> web.StreamResponse:
    call = _read_head(request)
    try:
        roles = check_bearer(state, request.headers.get("Authorization"))
        call = replace(await _read_body(request, call), roles=roles)
        if call.segments == (BATCH,):
            return await _serve_batch(state, request, call)
        opened = open_call(state, call)
    except GraphError as error:
        state.control.record(_refused_operation(call), status=error.status)
        return _to_web(error_answer(error, call, now=state.clock()), call)

    async def respond() -> web.StreamResponse:
        return _to_web(answer_call(state, opened), call)

    return await _obey(opened.fault, request, respond)


def _refused_operation(call: GraphRequest) -> str:
    """The name of a call that was refused before it was looked at (token, JSON, unknown path)."""
    if call.segments == (BATCH,):
        return BATCH
    try:
        return find_route(call.method, call.segments).operation
    except GraphError:
        return f"{call.method} /{'/'.join(call.segments)}"


async def _serve_batch(state: GraphState, request: web.Request, call: GraphRequest) -> web.StreamResponse:
    if call.method != "POST":
        raise GraphError("Specified HTTP method is not allowed for the request target.", status=405)
    requests = call.body.get("requests") if isinstance(call.body, dict) else None
    entry = state.control.record(
        BATCH, batch=call.ids.client_request_id, steps=len(requests) if isinstance(requests, list) else 0
    )
    fault = state.control.take(BATCH)

    async def respond() -> web.StreamResponse:
        answer = None if fault is None else fault_answer(state, fault, call)
        if answer is None:
            try:
                answer = await run_batch(state, call)
            except GraphError as error:
                answer = error_answer(error, call, now=state.clock())
        entry["status"] = answer.status
        return _to_web(answer, call)

    return await _obey(fault, request, respond)


async def _obey(
    fault: Fault | None, request: web.Request, respond: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """`status` and `throttle` are answered inside, in Graph's own envelope."""
    if fault is not None and fault.action in ("status", "throttle"):
        return await respond()
    return await apply_http_fault(fault, request, respond)


def _read_head(request: web.Request) -> GraphRequest:
    """From the raw path: a `%2F` or `%23` inside a segment must stay in it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    segments, query = split_url(request.raw_path.removeprefix(GRAPH_PREFIX))
    return GraphRequest(
        method=request.method,
        segments=segments,
        query=query,
        headers=headers,
        body=None,
        base_url=f"{_origin(request)}{GRAPH_PREFIX}",
        ids=new_ids(headers),
    )


async def _read_body(request: web.Request, call: GraphRequest) -> GraphRequest:
    content = await request.read()
    if not content:
        return call
    try:
        if request.content_type != "application/json":
            raise ValueError(request.content_type)
        body: Any = json.loads(content)
    except ValueError as error:
        raise GraphError(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid "
            "JSON format.",
            code="BadRequest",
        ) from error
    return GraphRequest(
        call.method, call.segments, call.query, call.headers, without_types(body), call.base_url, call.ids
    )


def _origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _to_web(answer: Answer, call: GraphRequest) -> web.Response:
    headers = {
        **answer.headers,
        "request-id": call.ids.request_id,
        "client-request-id": call.ids.client_request_id,
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Sandbox"}}',
    }
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return web.json_response(answer.body, status=answer.status, headers=headers)
