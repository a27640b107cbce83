"""The connector service's HTTP face, with the control endpoints beside it.

Paths: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from sandbox.control import Fault, control_routes
from sandbox.http_faults import apply_http_fault
from sandbox.teams import errors
from sandbox.teams.state import TeamsState

MAX_WAIT_S = 30
PAGE_SIZES = (50, 500)
_BODY_LIMIT = 4 * 1024 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(state: TeamsState) -> web.Application:
    """Faults and calls (`state.control`) are told apart by operation: create, send, reply, update, delete, members."""
    service = _Service(state)
    app = web.Application(middlewares=[_answer_errors], client_max_size=_BODY_LIMIT)
    app.add_routes(
        [
            web.post("/v3/conversations", service.create),
            web.post("/v3/conversations/{cid}/activities", service.send),
            web.post("/v3/conversations/{cid}/activities/{aid}", service.send),
            web.put("/v3/conversations/{cid}/activities/{aid}", service.update),
            web.delete("/v3/conversations/{cid}/activities/{aid}", service.delete),
            web.get("/v3/conversations/{cid}/members", service.members),
            web.get("/v3/conversations/{cid}/pagedmembers", service.paged_members),
            web.get("/v3/conversations/{cid}/members/{member}", service.member),
            web.get("/_control/transcript", service.transcript),
            web.post("/_control/people", service.person_wrote),
            *control_routes(state.control, name="Teams", state=state.summary, reset=state.reset, actions=()),
        ]
    )
    return app


class _Service:
    """The handlers: each reads the request, and does one thing of the state's."""

    def __init__(self, state: TeamsState) -> None:
        self.state = state

    async def create(self, request: web.Request) -> web.StreamResponse:
        parameters = await _json(request)

        def act() -> web.Response:
            return web.json_response(self.state.create(parameters), status=201)

        # Before it exists a conversation is counted under the channel or the person it is begun with.
        return await self._operate(request, "create", "create", _target(parameters), act)

    async def send(self, request: web.Request) -> web.StreamResponse:
        activity = await _json(request)
        conversation_id, reply_to = request.match_info["cid"], request.match_info.get("aid")

        def act() -> web.Response:
            activity_id = self.state.send(conversation_id, activity, reply_to=reply_to)
            return web.json_response({} if activity_id is None else {"id": activity_id}, status=201)

        return await self._operate(request, "reply" if reply_to else "send", "send", conversation_id, act)

    async def update(self, request: web.Request) -> web.StreamResponse:
        activity = await _json(request)
        conversation_id, activity_id = request.match_info["cid"], request.match_info["aid"]

        def act() -> web.Response:
            return web.json_response({"id": self.state.update(conversation_id, activity_id, activity)})

        return await self._operate(request, "update", "send", conversation_id, act)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        conversation_id, activity_id = request.match_info["cid"], request.match_info["aid"]

        def act() -> web.Response:
            self.state.delete(conversation_id, activity_id)
            return web.Response()

        return await self._operate(request, "delete", "send", conversation_id, act)

    async def members(self, request: web.Request) -> web.StreamResponse:
        return await self._read(request, lambda: web.json_response(self._roster(request)))

    async def paged_members(self, request: web.Request) -> web.StreamResponse:
        """The page size is forced into the service's range; the token is the place to go on from."""
        least, most = PAGE_SIZES
        size = min(max(_number(request, "pageSize", default=least), least), most)
        start = _number(request, "continuationToken", default=0)

        def act() -> web.Response:
            roster = self._roster(request)
            page: dict[str, Any] = {"members": roster[start : start + size]}
            if start + size < len(roster):
                page["continuationToken"] = str(start + size)
            return web.json_response(page)

        return await self._read(request, act)

    async def member(self, request: web.Request) -> web.StreamResponse:
        def act() -> web.Response:
            for person in self.state.members(request.match_info["cid"]):
                if person.is_called(request.match_info["member"]):
                    return web.json_response(person.member(self.state.directory.tenant_id))
            raise errors.member_not_found()

        return await self._read(request, act)

    async def transcript(self, request: web.Request) -> web.StreamResponse:
        """`since=n`: what came after entry n; `wait=s`: wait up to so many seconds for the first of it."""
        since = _number(request, "since", default=0)
        wait_s = min(_number(request, "wait", default=0), MAX_WAIT_S)
        transcript = self.state.transcript
        entries = await transcript.wait(since, timeout_s=wait_s) if wait_s else transcript.since(since)
        last = entries[-1].seq if entries else since
        return web.json_response({"entries": [entry.to_json() for entry in entries], "next": last})

    async def person_wrote(self, request: web.Request) -> web.StreamResponse:
        """Tell the stand-in of a person's message that goes to the bot."""
        activity = await _json(request)
        try:
            self.state.person_wrote(activity)
        except (KeyError, TypeError):
            raise errors.bad_argument("id, from.name and conversation.id are required") from None
        return web.Response(status=204)

    def _roster(self, request: web.Request) -> list[dict[str, str]]:
        tenant_id = self.state.directory.tenant_id
        return [person.member(tenant_id) for person in self.state.members(request.match_info["cid"])]

    async def _read(self, request: web.Request, act: Callable[[], web.Response]) -> web.StreamResponse:
        return await self._operate(request, "members", "read", request.match_info["cid"], act, exclusive=False)

    async def _operate(
        self,
        request: web.Request,
        operation: str,
        limit: str,
        conversation_id: str,
        act: Callable[[], web.Response],
        *,
        exclusive: bool = True,
    ) -> web.StreamResponse:
        """Token, then fault, then limit, then the thing itself."""
        self.state.authorize(request.headers.get("Authorization", ""))
        control = self.state.control
        control.record(operation, conversation=conversation_id, activity=request.match_info.get("aid"))

        async def respond() -> web.StreamResponse:
            self.state.admit(limit, conversation_id)
            if not exclusive:
                return act()
            with self.state.occupied(conversation_id):
                await asyncio.sleep(self.state.switches.latency_s)
                return act()

        return await apply_http_fault(_worded(control.take(operation)), request, respond)


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except errors.ConnectorError as error:
        return error.response()


def _worded(fault: Fault | None) -> Fault | None:
    """An invented refusal says what the service would say with that status."""
    if fault is None or fault.action != "status" or fault.body is not None:
        return fault
    return replace(fault, body=errors.of_status(fault.status).body())


async def _json(request: web.Request) -> Any:
    try:
        body = await request.json()
    except ValueError:
        raise errors.bad_syntax() from None
    if not isinstance(body, dict):
        raise errors.bad_syntax()
    return body


def _number(request: web.Request, name: str, *, default: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise errors.bad_argument(f"{name} must be a number")
    return int(text)


def _target(parameters: dict[str, Any]) -> str:
    """The channel or person that a new conversation is begun with; empty where none is named rightly."""
    try:
        return str(parameters["channelData"]["channel"]["id"])
    except (KeyError, TypeError):
        pass
    try:
        return str(parameters["members"][0]["id"])
    except (KeyError, TypeError, IndexError):
        return ""
