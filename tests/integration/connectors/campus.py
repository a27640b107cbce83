"""A running Moodle simulator with connectors to it, and who is there."""

from dataclasses import dataclass, replace
from typing import Any

from lucy.errors import RemoteError
from lucy.ports import EnrolmentRequest, Moodle, NewMoodleUser
from sandbox.control import Fault
from sandbox.moodle import MoodleState
from tests.integration.connectors.counting import CountingLimiter

TOKEN = "sandbox-moodle-token"
INGRESO, CONT, HIDDEN, NO_MANUAL, ABSENT = 2, 3, 9, 10, 404
STUDENT = 5

LOOK_UP = "core_user_get_users_by_field"
CREATE = "core_user_create_users"
ENROL = "enrol_manual_enrol_users"


@dataclass
class Bench:
    state: MoodleState
    site: Moodle
    limiter: CountingLimiter
    impatient: Moodle

    def fail(self, match: str, action: str, **more: Any) -> None:
        self.state.control.add_fault(Fault(match=match, action=action, **more))

    def calls(self, function: str) -> int:
        return len(self.state.control.calls(function))

    def usernames(self) -> set[str]:
        return {user.username for user in self.state.store.users.values()}

    def enrolled(self, course: int) -> set[int]:
        return {enrolment.user_id for enrolment in self.state.store.enrolments_in(course)}

    def seed_user(self, **fields: Any) -> int:
        row = {"firstname": "Ana", "lastname": "Suárez", "auth": "oidc", **fields}
        self.state.seed({"users": [row]})
        return max(self.state.store.users)

    def seed_users(self, count: int) -> list[int]:
        return [self.seed_user(username=f"s{n}", email=f"s{n}@example.org") for n in range(count)]


def person(number: int, **changes: Any) -> NewMoodleUser:
    name = f"a{number}@eco.example.org"
    made = NewMoodleUser(
        key=str(number),
        username=name,
        first_name="Ana",
        last_name="Suárez D'Angelo",
        email=name,
        idnumber=str(number),
        auth="oidc",
    )
    return replace(made, **changes)


def people(count: int) -> list[NewMoodleUser]:
    return [person(40_000_000 + index) for index in range(count)]


def seat(key: str, user_id: int, course_id: int, role_id: int = STUDENT) -> EnrolmentRequest:
    return EnrolmentRequest(key=key, user_id=user_id, course_id=course_id, role_id=role_id)


def code_of(outcome: object) -> str:
    assert isinstance(outcome, RemoteError)
    return outcome.code
