"""The misbehaviour of one HTTP answer: late, in drips, lost, doubled, replaced, broken, without end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.control import Fault

PIECES = 20
FLOOD_PIECES = 4_000  # of 70 KB: 280 MB
_HTML = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Please wait</h1></body></html>\n"
_MALFORMED_JSON = '{"value": [{"id": 1,}'


async def apply_http_fault(
    fault: Fault | None, request: web.Request, respond: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer one HTTP call, with the misbehaviour asked for. `respond` does the work and makes the answer.

    The work is done for `delay`, `drip` (the body in pieces, over `delay_s`), `twice` (as by a proxy that sends again),
    `cut_after`, `truncate` (whole length announced, half the body sent, connection closed) and `charset` (the answer in
    another encoding than it says), not for `status`, `cut_before`, `html`, `malformed`, `redirect` (to `body`) and
    `flood` (a body without end). A client that gives up during a `delay` does not stop the work: aiohttp does not
    cancel handlers, and neither does a real service.
    """
    if fault is None:
        return await respond()
    if fault.action == "delay":
        await asyncio.sleep(fault.delay_s)
        return await respond()
    if fault.action == "twice":
        await respond()
        return await respond()
    if fault.action == "drip":
        return await _drip(request, await respond(), over_s=fault.delay_s)
    if fault.action == "charset":
        return _in_another_charset(await respond())
    if fault.action == "flood":
        return await _flood(request)
    if fault.action == "cut_after":
        await respond()
    if fault.action in ("cut_before", "cut_after"):
        return _cut(request)
    if fault.action == "truncate":
        return await _truncate(request, await respond())
    return _invented(fault)


def _invented(fault: Fault) -> web.Response:
    """The answers that need no work done."""
    if fault.action == "status":
        body = {"error": f"fault {fault.status}"} if fault.body is None else fault.body
        headers = {} if fault.retry_after_s is None else {"Retry-After": retry_after(fault.retry_after_s)}
        return web.json_response(body, status=fault.status, headers=headers)
    if fault.action == "redirect":
        return web.Response(
            status=fault.status if 300 <= fault.status < 400 else 302, headers={"Location": str(fault.body)}
        )
    if fault.action == "html":
        return web.Response(text=_HTML, content_type="text/html")
    if fault.action == "malformed":
        return web.Response(text=_MALFORMED_JSON, content_type="application/json")
    message = f"this simulator does not know the action {fault.action}"  # loud, or a test would pass for no reason
    return web.json_response({"error": message}, status=501)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere: aiohttp wants one


async def _truncate(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    body = _body(answer)
    part = await _begin(request, answer, length=len(body))
    await part.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()  # after what is written
    return part


async def _drip(request: web.Request, answer: web.StreamResponse, *, over_s: float) -> web.StreamResponse:
    body = _body(answer)
    part = await _begin(request, answer, length=len(body))
    size = max(1, len(body) // PIECES)
    for start in range(0, len(body), size):
        await asyncio.sleep(over_s / PIECES)
        await part.write(body[start : start + size])
    return part


async def _flood(request: web.Request) -> web.StreamResponse:
    """Until the client hangs up, or it has had far more than any client should take."""
    part = await _begin(request, web.json_response(), length=None)
    with contextlib.suppress(ConnectionError):
        await part.write(b"[")
        for _ in range(FLOOD_PIECES):
            await part.write(b'{"nrodoc": 1},' * 5_000)
    return part


def _in_another_charset(answer: web.StreamResponse) -> web.Response:
    """Latin-1 where UTF-8 is announced: every sign above ASCII is broken."""
    text = _body(answer).decode("utf-8", "replace") + "ñ"
    return web.Response(body=text.encode("latin-1", "replace"), content_type="application/json", charset="utf-8")


def _body(answer: web.StreamResponse) -> bytes:
    return answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""


async def _begin(request: web.Request, answer: web.StreamResponse, *, length: int | None) -> web.StreamResponse:
    part = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    part.content_length = length
    await part.prepare(request)
    return part


def retry_after(wanted: float | str) -> str:
    return wanted if isinstance(wanted, str) else f"{wanted:g}"
