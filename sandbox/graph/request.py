"""One Graph request and its answer, whether it came alone or inside a batch."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from sandbox.graph.errors import GraphError, RequestIds, envelope


@dataclass(frozen=True)
class GraphRequest:
    """`segments`: the path after `/v1.0`, each decoded by itself. `headers`: names in lower case.

    `body`: the parsed JSON, None without one. `base_url` ends in `/v1.0`. `roles`: the token's application permissions.
    """

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    base_url: str
    ids: RequestIds
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """`body` None means no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def without_types(body: Any) -> Any:
    """A body without `@odata.type`: clients may say of what type their objects are, and nothing follows from it."""
    if isinstance(body, dict):
        return {name: without_types(value) for name, value in body.items() if name != "@odata.type"}
    return [without_types(one) for one in body] if isinstance(body, list) else body


def split_url(url: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The decoded path segments and the query of a relative URL that is still percent-encoded."""
    path, _, query = url.partition("?")
    segments = tuple(unquote(segment) for segment in path.strip("/").split("/"))
    return segments, dict(parse_qsl(query, keep_blank_values=True))


def new_ids(headers: Mapping[str, str], *, default: str | None = None) -> RequestIds:
    """The client's id is echoed; without one it is the server's own."""
    request_id = str(uuid.uuid4())
    return RequestIds(request_id, headers.get("client-request-id") or default or request_id)


def error_answer(error: GraphError, request: GraphRequest, *, now: float) -> Answer:
    return Answer(error.status, envelope(error, ids=request.ids, now=now), error.headers)
