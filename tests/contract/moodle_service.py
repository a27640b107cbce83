"""A Moodle to hold the connector against: the simulator, or a real site."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from connectors.moodle import MoodleSite
from lucy.ports import MoodleCourse, MoodleUser, NewMoodleUser

SERVER = "/webservice/rest/server.php"


@dataclass
class Campus:
    """`courses`: two that take manual enrolments. `functions`: those in the token's service."""

    site: MoodleSite
    url: str
    token: str
    http: httpx.AsyncClient
    role: int
    real: bool
    functions: frozenset[str] = frozenset()
    courses: Sequence[MoodleCourse] = ()
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _made: list[int] = field(default_factory=list)
    _made_courses: list[int] = field(default_factory=list)

    def needs(self, *functions: str) -> None:
        """A real token that lacks one cannot show what the test asks; the simulator has them all."""
        missing = sorted(set(functions) - self.functions)
        if missing and self.real:
            pytest.skip(f"the token has no {', '.join(missing)}")
        assert not missing

    def person(self, number: int, **changes: Any) -> NewMoodleUser:
        name = f"test-{self.run}-{number}"
        values: dict[str, Any] = {
            "key": str(number),
            "username": f"{name}@example.org",
            "first_name": "Ñusta",
            "last_name": "O'Higgins Suárez",
            "email": f"{name}@example.org",
            "idnumber": f"{self.run}{number}",
            "auth": "manual",
            "lang": "en",
            **changes,
        }
        return NewMoodleUser(**values)

    async def users(self, first: int, count: int = 1) -> list[MoodleUser]:
        """Make some."""
        made = await self.site.create_users([self.person(number) for number in range(first, first + count)])
        found = [one for one in made.values() if isinstance(one, MoodleUser)]
        assert len(found) == count, {key: str(one) for key, one in made.items()}
        self._made += [one.id for one in found]
        return found

    async def call(self, function: str, fields: Mapping[str, str]) -> Any:
        """One call past the connector, to prepare and to tidy up."""
        form = {"wstoken": self.token, "moodlewsrestformat": "json", **fields, "wsfunction": function}
        answer = (await self.http.post(self.url.rstrip("/") + SERVER, data=form, timeout=60)).json()
        assert not (isinstance(answer, dict) and "exception" in answer), answer
        return answer

    async def prepare(self, shortnames: Sequence[str]) -> None:
        self.functions = (await self.site.site()).functions
        if not shortnames:
            self.needs("core_course_create_courses")
            names = [f"TEST-{self.run}-{letter}" for letter in "AB"]
            fields = {}
            for index, name in enumerate(names):
                row = {"fullname": name, "shortname": name, "categoryid": "1"}
                fields |= {f"courses[{index}][{key}]": value for key, value in row.items()}
            self._made_courses = [row["id"] for row in await self.call("core_course_create_courses", fields)]
            shortnames = names
        found = await self.site.find_courses(shortnames)
        self.courses = [course for course in found.values() if course is not None]
        assert len(self.courses) == len(shortnames), "LUCY_CONTRACT_MOODLE_COURSES names a course that is not there"

    async def tidy(self) -> None:
        """Take away what was made, as far as the token may."""
        if self._made and "core_user_delete_users" in self.functions:
            await self.call("core_user_delete_users", {f"userids[{n}]": str(one) for n, one in enumerate(self._made)})
        if self._made_courses and "core_course_delete_courses" in self.functions:
            fields = {f"courseids[{n}]": str(one) for n, one in enumerate(self._made_courses)}
            await self.call("core_course_delete_courses", fields)
