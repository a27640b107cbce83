"""The SIAL simulator over HTTP, dialects v2 and v1.

Source: contracts/sial.md: HTTP Basic with 401 and `WWW-Authenticate`; 404 for an unknown list; 400 for a malformed
date; `/listas` redirects to `/listas/`; nothing is ever written. Faults are matched by `listas/{list}`, `v1/{list}`,
`datospersonales` (everybody's) and `datospersonales {nrodoc}` (one person's).
"""

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.control import control_routes
from sandbox.http_faults import apply_http_fault
from sandbox.sial.data import CAREERS, LISTS, SialEntry
from sandbox.sial.state import SialState
from sandbox.sial.windows import MalformedDateError, window_end, window_start

V2_BASE = "/webservice/sial/V2/04"
V1_BASE = "/v1/api"


def build_app(state: SialState) -> web.Application:
    """Both dialects and the control routes; the control routes ask for no credentials."""
    app = web.Application()

    def guarded(serve: "_Serve") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request) -> web.StreamResponse:
            if not admits(state, request.headers.get("Authorization")):
                return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="SIAL"'})
            return await serve(state, request)

        return handler

    app.add_routes(
        [
            web.get(f"{V2_BASE}/alumnos/datospersonales/{{nrodoc}}", guarded(_serve_record)),
            web.get(f"{V2_BASE}/{{list}}/listas", guarded(_redirect)),
            web.get(f"{V2_BASE}/{{list}}/listas/", guarded(_serve_list)),
            web.get(f"{V2_BASE}/{{list}}/listas/{{since}}", guarded(_serve_list)),
            web.get(f"{V2_BASE}/{{list}}/listas/{{since}}/{{until}}", guarded(_serve_list)),
            web.get(f"{V1_BASE}/{{list}}", guarded(_redirect)),
            web.get(f"{V1_BASE}/{{list}}/", guarded(_serve_flat_list)),
            *control_routes(
                state.control, name="SIAL", state=state.snapshot, reset=state.reset, seed=state.seed, actions=()
            ),
        ]
    )
    return app


_Serve = Callable[[SialState, web.Request], Awaitable[web.StreamResponse]]


def admits(state: SialState, authorization: str | None) -> bool:
    """Whether the Basic credentials are the right ones."""
    scheme, _, coded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(coded, validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(given, f"{state.user}:{state.password}".encode())


async def _redirect(state: SialState, request: web.Request) -> web.StreamResponse:
    if request.match_info["list"] not in LISTS:
        return web.Response(status=404)
    return web.Response(status=301, headers={"Location": f"{request.path}/"})


async def _serve_list(state: SialState, request: web.Request) -> web.StreamResponse:
    name = request.match_info["list"]
    since, until = request.match_info.get("since"), request.match_info.get("until")
    operation = f"listas/{name}"
    fault = state.control.take(operation)
    state.control.record(operation, since=since, until=until)

    async def respond() -> web.StreamResponse:
        if name not in LISTS:
            return web.Response(status=404)
        try:
            entries = within(state.data.lists[name], since=since, until=until)
        except MalformedDateError:
            return web.Response(status=400, text="Fecha inválida")
        return _json([entry.body for entry in entries])

    return await apply_http_fault(fault, request, respond)


def within(entries: list[SialEntry], *, since: str | None, until: str | None) -> list[SialEntry]:
    """Those changed in the window, in the list's order. Raises MalformedDateError."""
    start = None if since is None else window_start(since)
    end = None if until is None else window_end(until)
    return [
        entry
        for entry in entries
        if (start is None or entry.changed_at >= start) and (end is None or entry.changed_at < end)
    ]


async def _serve_record(state: SialState, request: web.Request) -> web.StreamResponse:
    document = request.match_info["nrodoc"]
    fault = state.control.take("datospersonales", document)
    state.control.record("datospersonales", nrodoc=document)

    async def respond() -> web.StreamResponse:
        record = state.data.records.get(document)
        return _json([] if record is None else [record])

    return await apply_http_fault(fault, request, respond)


async def _serve_flat_list(state: SialState, request: web.Request) -> web.StreamResponse:
    name = request.match_info["list"]
    operation = f"v1/{name}"
    fault = state.control.take(operation)
    state.control.record(operation)

    async def respond() -> web.StreamResponse:
        if name not in LISTS:
            return web.Response(status=404)
        entries = state.data.lists[name]
        return _json([flat_row(entry, state.data.records.get(entry.document or "")) for entry in entries])

    return await apply_http_fault(fault, request, respond)


def flat_row(entry: SialEntry, record: dict[str, Any] | None) -> dict[str, Any]:
    """One person in dialect v1: no second call, the first career by name only."""
    known = record or {}
    document = entry.document or ""
    careers = entry.body["carreras"]
    return {
        "dni": document,
        "apellido": known.get("apellido", ""),
        "nombre": known.get("nombre", ""),
        "email_personal": known.get("email", ""),
        "email_institucional": f"a{document}@estudiantes.example.org" if document else "",
        "carrera": CAREERS.get(careers[0]["id_carrera"], careers[0]["nombre_carrera"]) if careers else "",
    }


def _json(rows: list[Any]) -> web.Response:
    return web.Response(text=json.dumps(rows, ensure_ascii=False), content_type="application/json", charset="utf-8")
