"""The Moodle simulator over HTTP: `POST /webservice/rest/server.php`.

Source: contracts/moodle.md: application errors are HTTP 200; 503 HTML in maintenance, 403 empty when web services are
off, 303 to the site's own host; a body past `post_max_size` is dropped whole. Faults are matched by function name;
own actions: `maintenance` (503 HTML) and `moodle_error` (HTTP 200 with the fault's `body`).
"""

from typing import Any

from aiohttp import web

from sandbox.control import Fault, control_routes
from sandbox.http_faults import apply_http_fault
from sandbox.moodle.call import Call, answer, read_call
from sandbox.moodle.functions import FUNCTIONS
from sandbox.moodle.login import LOGIN, LOGIN_PATH, sign_in
from sandbox.moodle.php import PhpArray, decode_form, to_arrays
from sandbox.moodle.rest_format import json_answer
from sandbox.moodle.state import MoodleState

SERVER_PATH = "/webservice/rest/server.php"
URL_LIMIT_BYTES = 8 * 2**10
OWN_ACTIONS = ("maintenance", "moodle_error")
_FORM = "application/x-www-form-urlencoded"
_MAINTENANCE_HTML = (
    "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head>"
    "<body><h2>This site is undergoing maintenance and is currently not available</h2></body></html>\n"
)


def build_app(state: MoodleState) -> web.Application:
    """The simulator with its control routes; `GET` works as in Moodle, and is 414 HTML past 8 KB."""
    state.control.operations |= {*FUNCTIONS, LOGIN}  # one function's name is the start of another's
    app = web.Application(client_max_size=2**30, handler_args={"max_line_size": 2**16, "max_field_size": 2**16})

    async def serve_call(request: web.Request) -> web.StreamResponse:
        return await _serve_call(state, request)

    async def serve_login(request: web.Request) -> web.StreamResponse:
        return await _serve_login(state, request)

    app.router.add_route("POST", LOGIN_PATH, serve_login)
    app.router.add_route("GET", SERVER_PATH, serve_call)
    app.router.add_route("POST", SERVER_PATH, serve_call)
    app.add_routes(
        control_routes(
            state.control, name="Moodle", state=state.snapshot, reset=state.reset, seed=state.seed, actions=OWN_ACTIONS
        )
    )
    return app


async def _serve_call(state: MoodleState, request: web.Request) -> web.StreamResponse:
    refusal = _refusal(state, request)
    if refusal is not None:
        return refusal
    sent, dropped = await _fields(state, request)
    call = read_call(sent, dropped=dropped)
    fault = state.control.take(call.function)
    state.control.record(call.function, rows=_rows(call), dropped=dropped, method=request.method)
    own = _own_fault(fault)
    if own is not None:
        return own

    async def respond() -> web.StreamResponse:
        content_type, body = await answer(state, call)
        return web.Response(text=body, content_type=content_type, charset="utf-8")

    return await apply_http_fault(fault, request, respond)


async def _serve_login(state: MoodleState, request: web.Request) -> web.StreamResponse:
    refusal = _refusal(state, request)
    if refusal is not None:
        return refusal
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    fault = state.control.take(LOGIN)
    state.control.record(LOGIN, username=form.get("username"))
    own = _own_fault(fault)
    if own is not None:
        return own

    async def respond() -> web.StreamResponse:
        return web.json_response(sign_in(state, form))

    return await apply_http_fault(fault, request, respond)


def _refusal(state: MoodleState, request: web.Request) -> web.Response | None:
    """What the site answers before it looks at the call."""
    site = state.site
    if len(request.raw_path) > URL_LIMIT_BYTES:
        return web.Response(status=414, text="<html><h1>414 Request-URI Too Long</h1></html>", content_type="text/html")
    if site.canonical_host is not None and request.host != site.canonical_host:
        location = f"{request.scheme}://{site.canonical_host}{SERVER_PATH}"
        return web.Response(status=303, headers={"Location": location})
    if site.maintenance:
        return _maintenance()
    if not site.web_services:
        return web.Response(status=403)
    return None


async def _fields(state: MoodleState, request: web.Request) -> tuple[PhpArray, int]:
    """PHP's `$_GET` and `$_POST` together; only a form body is understood."""
    limit = state.site.max_input_vars
    fields, dropped = decode_form(request.rel_url.raw_query_string, max_input_vars=limit)
    body = await request.read()
    if request.content_type == _FORM and len(body) <= state.site.post_max_bytes:
        more, dropped_too = decode_form(body.decode("utf-8", errors="replace"), max_input_vars=limit)
        fields, dropped = [*fields, *more], dropped + dropped_too
    return to_arrays(fields), dropped


def _rows(call: Call) -> int:
    return max((len(value) for value in call.arguments.values() if isinstance(value, dict)), default=0)


def _own_fault(fault: Fault | None) -> web.Response | None:
    if fault is None:
        return None
    if fault.action == "maintenance":
        return _maintenance()
    if fault.action == "moodle_error":
        return web.Response(text=_fault_text(fault.body), content_type="application/json", charset="utf-8")
    return None


def _fault_text(body: Any) -> str:
    return body if isinstance(body, str) else json_answer(body)


def _maintenance() -> web.Response:
    return web.Response(status=503, text=_MAINTENANCE_HTML, content_type="text/html")
