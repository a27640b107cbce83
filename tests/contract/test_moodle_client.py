"""The Moodle simulator as a client of other hands sees it (`moodlepy`): if that cannot talk to it, it is wrong.

The client blocks, so it runs in a thread; its look-ups by GET and its calls by POST both have to work.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from moodle import Moodle, MoodleException

from tests.contract.moodle_service import SERVER, Campus

T = TypeVar("T")


async def ask(campus: Campus, what: Callable[[Any], T], *, token: str = "") -> T:
    client = Moodle(campus.url.rstrip("/") + SERVER, token or campus.token)
    try:
        return await asyncio.to_thread(what, client)
    finally:
        client.session.close()


def row(campus: Campus, number: int, **changes: str) -> dict[str, str]:
    name = f"test-{campus.run}-{number}@example.org"
    values = {"username": name, "firstname": "Ñusta", "lastname": "O'Higgins", "email": name, "auth": "manual"}
    return {**values, "password": "A-Password-4-tests", **changes}


async def test_the_site_is_read_with_get(campus: Campus) -> None:
    site = await ask(campus, lambda moodle: moodle.get("core_webservice_get_site_info"))
    assert site["release"]
    assert {"core_user_create_users"} <= {one["name"] for one in site["functions"]}


async def test_users_are_made_looked_up_and_deleted(campus: Campus) -> None:
    campus.needs("core_user_delete_users")
    made = await ask(campus, lambda moodle: moodle("core_user_create_users", users=[row(campus, 1), row(campus, 2)]))
    names = [row(campus, number)["username"] for number in (1, 2)]
    assert [one["username"] for one in made] == names
    found = await ask(
        campus, lambda moodle: moodle("core_user_get_users_by_field", field="username", values=[*names, "nobody"])
    )
    assert {one["username"] for one in found} == set(names)
    assert {one["auth"] for one in found} == {"manual"}
    ids = [one["id"] for one in made]
    await ask(campus, lambda moodle: moodle("core_user_delete_users", userids=ids))
    again = await ask(campus, lambda moodle: moodle("core_user_get_users_by_field", field="username", values=names))
    assert again == []


async def test_enrolments_go_and_come_back(campus: Campus) -> None:
    (user,) = await campus.users(3)
    course = campus.courses[0].id
    enrolment = {"roleid": campus.role, "userid": user.id, "courseid": course}
    assert await ask(campus, lambda moodle: moodle("enrol_manual_enrol_users", enrolments=[enrolment])) is None
    there = await ask(campus, lambda moodle: moodle("core_enrol_get_enrolled_users", courseid=course))
    assert user.id in {one["id"] for one in there}
    seat = {"userid": user.id, "courseid": course}
    assert await ask(campus, lambda moodle: moodle("enrol_manual_unenrol_users", enrolments=[seat])) is None
    there = await ask(campus, lambda moodle: moodle("core_enrol_get_enrolled_users", courseid=course))
    assert user.id not in {one["id"] for one in there}


async def test_courses_are_read_into_the_clients_own_types(campus: Campus) -> None:
    name = campus.courses[0].shortname
    found = await ask(campus, lambda moodle: moodle("core_course_get_courses_by_field", field="shortname", value=name))
    assert [one["id"] for one in found["courses"]] == [campus.courses[0].id]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda moodle: moodle("core_user_get_users_by_field", field="nonsense", values=["x"]), "invalidparameter"),
        (lambda moodle: moodle("core_no_such_function"), "invalidrecord"),
        (lambda moodle: moodle("core_course_get_courses_by_field", fild="x"), "invalidparameter"),
    ],
)
async def test_the_client_understands_what_is_refused(campus: Campus, call: Callable[[Any], Any], code: str) -> None:
    with pytest.raises(MoodleException) as caught:
        await ask(campus, call)
    assert caught.value.errorcode == code


async def test_the_client_understands_a_wrong_token(campus: Campus) -> None:
    with pytest.raises(MoodleException) as caught:
        await ask(campus, lambda moodle: moodle("core_webservice_get_site_info"), token="0" * 32)
    assert caught.value.errorcode == "invalidtoken"
