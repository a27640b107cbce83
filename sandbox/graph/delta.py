"""`GET /users/delta`: every user at first, then who changed since a link.

Source: contracts/graph.md section 11 (microsoft-graph-docs-contrib `concepts/delta-query-overview.md`,
`api/user-delta.md`): `$select` alone, links are opaque and live 7 days, then 410 with a Location to start over.
Replays: the user who changed last is told once more on the next page, as the real service may.
"""

import base64
import json
from typing import Any
from urllib.parse import quote

from sandbox.graph.errors import GraphError, unsupported_query
from sandbox.graph.listing import PAGE, selected
from sandbox.graph.request import Answer, GraphRequest
from sandbox.graph.state import GraphState
from sandbox.graph.user import User, view

_OPTIONS = frozenset({"$select", "$deltatoken", "$skiptoken"})


def users_delta(state: GraphState, request: GraphRequest, _: str) -> Answer:
    query = {name.lower(): value for name, value in request.query.items()}
    if unknown := sorted(set(query) - _OPTIONS):
        raise unsupported_query(f"Not supported with delta query: {', '.join(unknown)}")
    if query.get("$deltatoken", "").lower() == "latest":
        return _page(state, request, [], names=selected(query), since=state.journal.latest, until=state.journal.latest)
    token = query.get("$deltatoken") or query.get("$skiptoken")
    if token is None:
        live = [user.id for user in state.users.values() if state.is_visible(user)]
        return _page(state, request, live, names=selected(query), since=0, until=state.journal.latest)
    sent = _read(state, request, token)
    names = tuple(sent["names"])
    if "$skiptoken" in query:
        return _page(state, request, sent["rest"], names=names, since=sent["since"], until=sent["until"])
    changed = state.journal.since(sent["until"])
    return _page(state, request, changed, names=names, since=sent["until"], until=state.journal.latest)


def _page(
    state: GraphState, request: GraphRequest, ids: list[str], *, names: tuple[str, ...], since: int, until: int
) -> Answer:
    page, rest = ids[:PAGE], ids[PAGE:]
    told = [_tell(state.users.get(one), one, names, first=since == 0) for one in page]
    body: dict[str, Any] = {
        "@odata.context": f"{request.base_url}/$metadata#users(delta)",
        "value": [one for one in told if one is not None],
    }
    replayed = [page[-1], *rest] if page and rest and since else rest
    token = {"names": names, "since": since, "until": until, "rest": replayed, "at": state.clock()}
    kind = "nextLink" if rest else "deltaLink"
    option = "$skiptoken" if rest else "$deltatoken"
    body[f"@odata.{kind}"] = f"{request.base_url}/users/delta?{option}={quote(_write(token))}"
    return Answer(200, body)


def _tell(user: User | None, user_id: str, names: tuple[str, ...], *, first: bool) -> dict[str, Any] | None:
    if user is None:
        return None if first else {"id": user_id, "@removed": {"reason": "deleted"}}
    if user.deleted_at is not None:
        return None if first else {"id": user_id, "@removed": {"reason": "changed"}}
    return view(user, dict.fromkeys(("id", *names)))


def _write(token: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode()


def _read(state: GraphState, request: GraphRequest, token: str) -> dict[str, Any]:
    try:
        sent: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token))
        expired = sent["at"] + state.behaviour.delta_lifetime_s < state.clock()
    except (ValueError, KeyError, TypeError) as error:
        raise GraphError("Badly formed token.", code="Request_BadRequest") from error
    if expired:
        raise GraphError(
            "The sync state generation is not found; continue with an initial sync.",
            code="syncStateNotFound",
            status=410,
            headers={"Location": f"{request.base_url}/users/delta?$deltatoken="},
        )
    return sent
