"""The site's tables with their indexes, and one transaction that rolls everything back.

Source: contracts/moodle.md, "Arrays are all or nothing".
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from sandbox.moodle.models import Course, Enrolment, Group, User

Key = TypeVar("Key")
Row = TypeVar("Row")


class Store:
    """Tables by id. Every write inside `transaction()` is undone when the block raises; ids given are not reused."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.courses: dict[int, Course] = {}
        self.enrolments: dict[tuple[int, int], Enrolment] = {}
        self.groups: dict[int, Group] = {}
        self._members: dict[int, dict[int, None]] = {}
        self._by_username: dict[str, int] = {}
        self._by_email: dict[str, dict[int, None]] = {}
        self._by_idnumber: dict[str, dict[int, None]] = {}
        self._users_in: dict[int, dict[int, None]] = {}
        self._courses_of: dict[int, dict[int, None]] = {}
        self._last_user_id = 1
        self._last_group_id = 0
        self._undo: list[Callable[[], None]] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._undo = []
        try:
            yield
        except BaseException:
            for undo in reversed(self._undo):
                undo()
            raise
        finally:
            self._undo = []

    def next_user_id(self) -> int:
        self._last_user_id += 1
        return self._last_user_id

    def next_group_id(self) -> int:
        self._last_group_id += 1
        return self._last_group_id

    def put_user(self, user: User) -> None:
        known = self.users.get(user.id)
        if known is not None:
            self._unindex(known)
        self._set(self.users, user.id, user)
        self._set(self._by_username, user.username, user.id)
        self._set(self._by_email.setdefault(user.email.lower(), {}), user.id, None)
        if user.idnumber:
            self._set(self._by_idnumber.setdefault(user.idnumber, {}), user.id, None)
        self._last_user_id = max(self._last_user_id, user.id)

    def delete_user(self, user: User) -> None:
        """As Moodle does: enrolments and groups go, the row stays with mangled names so that they can be used again."""
        for enrolment in self.enrolments_of(user.id):
            self.remove_enrolment(enrolment)
        mangled = re.sub(r"[^a-z0-9._@-]", "", f"{user.email}.{time.time():.0f}".lower())
        email = hashlib.md5(user.username.encode(), usedforsecurity=False).hexdigest()
        username = mangled if mangled not in self._by_username else f"{mangled}.{user.id}"
        self.put_user(replace(user, username=username, email=email, idnumber="", deleted=True))

    def user_by_username(self, username: str) -> User | None:
        found = self._by_username.get(username)
        return None if found is None else self.users[found]

    def users_by_email(self, email: str) -> list[User]:
        """Those with this address in any case."""
        return [self.users[user_id] for user_id in self._by_email.get(email.lower(), {})]

    def users_by_idnumber(self, idnumber: str) -> list[User]:
        return [self.users[user_id] for user_id in self._by_idnumber.get(idnumber, {})]

    def put_course(self, course: Course) -> None:
        self._set(self.courses, course.id, course)

    def put_enrolment(self, enrolment: Enrolment) -> None:
        course_id, user_id = enrolment.course_id, enrolment.user_id
        self._set(self.enrolments, (course_id, user_id), enrolment)
        self._set(self._users_in.setdefault(course_id, {}), user_id, None)
        self._set(self._courses_of.setdefault(user_id, {}), course_id, None)

    def remove_enrolment(self, enrolment: Enrolment) -> None:
        """Takes every role of the user in the course, and its places in the course's groups."""
        course_id, user_id = enrolment.course_id, enrolment.user_id
        self._drop(self.enrolments, (course_id, user_id))
        self._drop(self._users_in[course_id], user_id)
        self._drop(self._courses_of[user_id], course_id)
        for group in self.groups_in(course_id):
            if self.is_member(group.id, user_id):
                self._drop(self._members[group.id], user_id)

    def enrolments_in(self, course_id: int) -> list[Enrolment]:
        return [self.enrolments[course_id, user_id] for user_id in sorted(self._users_in.get(course_id, {}))]

    def enrolments_of(self, user_id: int) -> list[Enrolment]:
        return [self.enrolments[course_id, user_id] for course_id in sorted(self._courses_of.get(user_id, {}))]

    def put_group(self, group: Group) -> None:
        self._set(self.groups, group.id, group)
        self._last_group_id = max(self._last_group_id, group.id)

    def groups_in(self, course_id: int) -> list[Group]:
        return [group for group in self.groups.values() if group.course_id == course_id]

    def add_member(self, group_id: int, user_id: int) -> None:
        self._set(self._members.setdefault(group_id, {}), user_id, None)

    def remove_member(self, group_id: int, user_id: int) -> None:
        if self.is_member(group_id, user_id):
            self._drop(self._members[group_id], user_id)

    def is_member(self, group_id: int, user_id: int) -> bool:
        return user_id in self._members.get(group_id, {})

    def members(self, group_id: int) -> Iterable[int]:
        return sorted(self._members.get(group_id, {}))

    def _unindex(self, user: User) -> None:
        self._drop(self._by_username, user.username)
        self._drop(self._by_email[user.email.lower()], user.id)
        if user.idnumber:
            self._drop(self._by_idnumber[user.idnumber], user.id)

    def _set(self, table: dict[Key, Row], key: Key, row: Row) -> None:
        if key in table:
            known = table[key]
            self._undo.append(lambda: table.__setitem__(key, known))
        else:
            self._undo.append(lambda: table.__delitem__(key))
        table[key] = row

    def _drop(self, table: dict[Key, Row], key: Key) -> None:
        known = table.pop(key)
        self._undo.append(lambda: table.__setitem__(key, known))
