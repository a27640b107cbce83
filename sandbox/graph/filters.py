"""`$filter` on users: `eq`, `in`, `startsWith`, joined by `and` and `or`.

Source: contracts/graph.md section 4: these work plainly; `ne`, `not`, `endsWith` need advanced queries, which this
simulator lacks. In a string, `'` is doubled. At most 15 alternatives: "Too many child clauses … Max allowed: 15." is
seen in field reports (not in the contract). Comparisons ignore case.
"""

import re
from collections.abc import Callable
from typing import Any

from sandbox.graph.errors import unsupported_query
from sandbox.graph.user import WRITABLE, User

MAX_ALTERNATIVES = 15
FILTERABLE = frozenset(
    {
        "accountEnabled",
        "companyName",
        "department",
        "displayName",
        "employeeId",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mailNickname",
        "surname",
        "usageLocation",
        "userPrincipalName",
        "userType",
    }
)
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[A-Za-z][A-Za-z0-9]*)")
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}

Test = Callable[[User], bool]


def parse_filter(text: str) -> Test:
    """A test on a user. Raises GraphError for what is not understood."""
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise unsupported_query(f"Invalid filter clause: syntax error at position {position}.")
        found.append(match.group(1))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._alternatives = 0

    def whole(self) -> Test:
        tests = [self._all_of()]
        while self._tokens and self._tokens[0].lower() == "or":
            self._next()
            tests.append(self._all_of())
        if self._tokens:
            raise unsupported_query(f"Unsupported or invalid query filter clause near '{self._tokens[0]}'.")
        self._count(len(tests) if len(tests) > 1 else 0)
        return lambda user: any(test(user) for test in tests)

    def _all_of(self) -> Test:
        tests = [self._clause()]
        while self._tokens and self._tokens[0].lower() == "and":
            self._next()
            tests.append(self._clause())
        return lambda user: all(test(user) for test in tests)

    def _clause(self) -> Test:
        name = self._next()
        if name.lower() == "startswith":
            return self._starts_with()
        self._check_property(name)
        operator = self._next().lower()
        if operator == "eq":
            wanted = self._literal()
            return lambda user: bool(_folded(user, name) == wanted)
        if operator == "in":
            several = self._list()
            self._count(len(several))
            return lambda user: _folded(user, name) in several
        raise unsupported_query(f"Operator '{operator}' is not supported here; advanced ones need ConsistencyLevel.")

    def _starts_with(self) -> Test:
        self._expect("(")
        name = self._next()
        self._check_property(name)
        self._expect(",")
        prefix = self._literal()
        self._expect(")")
        if not isinstance(prefix, str):
            raise unsupported_query("startsWith takes a string.")
        return lambda user: str(_folded(user, name) or "").startswith(prefix)

    def _list(self) -> list[Any]:
        self._expect("(")
        found = [self._literal()]
        while (token := self._next()) == ",":
            found.append(self._literal())
        if token != ")":
            raise unsupported_query(f"Expected ')', found '{token}'.")
        return found

    def _literal(self) -> Any:
        token = self._next()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'").lower()
        if token in _LITERALS:
            return _LITERALS[token]
        raise unsupported_query(f"Invalid literal '{token}'.")

    def _count(self, alternatives: int) -> None:
        self._alternatives += alternatives
        if self._alternatives > MAX_ALTERNATIVES:
            raise unsupported_query(
                "Too many child clauses specified in search filter expression containing 'OR' operators: "
                f"{self._alternatives}. Max allowed: {MAX_ALTERNATIVES}."
            )

    def _check_property(self, name: str) -> None:
        if name not in FILTERABLE:
            raise unsupported_query(f"Unsupported or invalid query filter clause specified for property '{name}'.")

    def _expect(self, wanted: str) -> None:
        token = self._next()
        if token != wanted:
            raise unsupported_query(f"Expected '{wanted}', found '{token}'.")

    def _next(self) -> str:
        if not self._tokens:
            raise unsupported_query("Invalid filter clause: it ends too early.")
        return self._tokens.pop(0)


def _folded(user: User, name: str) -> Any:
    value = user.id if name == "id" else user.properties.get(name, WRITABLE[name])
    return value.lower() if isinstance(value, str) else value
