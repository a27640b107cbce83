"""How the tests speak to the Moodle simulator."""

from typing import Any
from urllib.parse import urlencode

import httpx

from sandbox.moodle import SERVER_PATH

TOKEN = "sandbox-moodle-token"
INGRESO, CONT, HIDDEN, NO_MANUAL = 2, 3, 9, 10
STUDENT = 5


def php(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Flatten to PHP's field names, in order."""
    if isinstance(value, dict):
        pairs = [(f"{name}[{key}]" if name else key, item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{name}[{index}]", item) for index, item in enumerate(value)]
    else:
        return [(name, str(value))]
    return [field for key, item in pairs for field in php(item, key)]


class Caller:
    """Posts as Lucy does: `wsfunction` last unless told."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def post(self, function: str, *, token: str = TOKEN, name_first: bool = False, **arguments: Any) -> Any:
        name = [("wsfunction", function)]
        fields = [("wstoken", token), ("moodlewsrestformat", "json"), *php(arguments)]
        fields = [*name, *fields] if name_first else [*fields, *name]
        body = urlencode(fields)
        return await self.http.post(
            SERVER_PATH, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )

    async def __call__(self, function: str, **arguments: Any) -> Any:
        response = await self.post(function, **arguments)
        assert response.status_code == 200
        return response.json()

    async def errorcode(self, function: str, **arguments: Any) -> str:
        answer = await self(function, **arguments)
        assert "exception" in answer, answer
        assert "debuginfo" not in answer
        code: str = answer["errorcode"]
        return code

    async def make(self, *usernames: str, **fields: Any) -> list[int]:
        made = await self("core_user_create_users", users=[new_user(name, **fields) for name in usernames])
        return [row["id"] for row in made]

    async def enrol(self, *user_ids: int, course: int = INGRESO, **fields: Any) -> Any:
        rows = [{"roleid": STUDENT, "userid": user_id, "courseid": course, **fields} for user_id in user_ids]
        return await self("enrol_manual_enrol_users", enrolments=rows)

    async def enrolled(self, course: int = INGRESO, **options: Any) -> list[int]:
        rows = [{"name": name, "value": value} for name, value in options.items()]
        listed = await self("core_enrol_get_enrolled_users", courseid=course, **({"options": rows} if rows else {}))
        return [user["id"] for user in listed]


def new_user(username: str, **fields: Any) -> dict[str, Any]:
    return {
        "username": username,
        "auth": "oidc",
        "firstname": "Ana",
        "lastname": "Suárez D'Angelo",
        "email": f"{username}@example.com",
        **fields,
    }
