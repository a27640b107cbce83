"""`$select`, `$filter`, `$top` and paging.

Source: contracts/graph.md section 4: `@odata.nextLink` is an opaque URL, followed until absent. The page size without
`$top` (100) and its maximum (999) are those of microsoft-graph-docs-contrib `api/user-list.md`.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.graph.errors import GraphError, unsupported_query
from sandbox.graph.filters import parse_filter
from sandbox.graph.request import Answer, GraphRequest
from sandbox.graph.user import DEFAULT_PROPERTIES, User, view

PAGE, MAX_PAGE = 100, 999
KNOWN_OPTIONS = frozenset({"$select", "$filter", "$top", "$skiptoken", "$count"})


def selected(query: Mapping[str, str]) -> tuple[str, ...]:
    """The properties asked for, `DEFAULT_PROPERTIES` without `$select`."""
    if "$select" not in query:
        return DEFAULT_PROPERTIES
    return tuple(name.strip() for name in query["$select"].split(",") if name.strip())


def user_page(users: Iterable[User], request: GraphRequest) -> Answer:
    """One page of the users that pass the filter, in the order of their making."""
    return page_of(users, request, context="users")


def page_of(users: Iterable[User], request: GraphRequest, *, context: str, type_name: str = "") -> Answer:
    """`type_name` tells what each entry is, where a list may hold objects of several kinds."""
    query = request.query
    _check_options(request)
    names = selected(query)
    if "$filter" in query:
        test = parse_filter(query["$filter"])
        users = [user for user in users if test(user)]
    found = list(users)
    start, size = _number(query, "$skiptoken", 0), _page_size(query)
    page = found[start : start + size]
    body: dict[str, Any] = {
        "@odata.context": f"{request.base_url}/$metadata#{context}",
        "value": [({"@odata.type": type_name} if type_name else {}) | view(user, names) for user in page],
    }
    if "$count" in query:
        body["@odata.count"] = len(found)
    if start + size < len(found):
        body["@odata.nextLink"] = _next_link(request, start + size)
    return Answer(200, body)


def _check_options(request: GraphRequest) -> None:
    unknown = sorted(name for name in request.query if name.startswith("$") and name not in KNOWN_OPTIONS)
    if unknown:
        raise unsupported_query(f"Query options not simulated: {', '.join(unknown)}")
    if "$count" in request.query and request.headers.get("consistencylevel", "").lower() != "eventual":
        raise unsupported_query("$count is not currently supported without the ConsistencyLevel header.")


def _page_size(query: Mapping[str, str]) -> int:
    size = _number(query, "$top", PAGE)
    if not 1 <= size <= MAX_PAGE:
        raise GraphError("Invalid page size specified. Must be between 1 and 999 inclusive.")
    return size


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise GraphError(f"Invalid value '{text}' for {name}.", code="BadRequest")
    return int(text)


def _next_link(request: GraphRequest, start: int) -> str:
    path = "/".join(request.segments)
    return f"{request.base_url}/{path}?{urlencode({**request.query, '$skiptoken': str(start)})}"
