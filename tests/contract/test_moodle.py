"""The Moodle connector against the simulator, or against a real site (README.md)."""

from collections.abc import Mapping

import pytest

from connectors.moodle import MoodleSite
from lucy.errors import AlreadyThere, Conflict, Refused, RemoteError
from lucy.ports import (
    EnrolmentRequest,
    GroupSeat,
    MoodleGroup,
    MoodleUser,
    NewGroup,
    UnenrolRequest,
    UserSuspension,
)
from tests.contract.moodle_service import Campus
from tests.integration.connectors.counting import CountingLimiter

NEEDED = {
    "core_webservice_get_site_info",
    "core_user_get_users_by_field",
    "core_user_create_users",
    "core_user_update_users",
    "core_course_get_courses_by_field",
    "core_enrol_get_enrolled_users",
    "core_enrol_get_users_courses",
    "enrol_manual_enrol_users",
    "enrol_manual_unenrol_users",
}
GROUPS = (
    "core_group_get_course_groups",
    "core_group_create_groups",
    "core_group_add_group_members",
    "core_group_delete_group_members",
)


def seats(campus: Campus, users: list[MoodleUser], *, suspend: bool = False) -> list[EnrolmentRequest]:
    course = campus.courses[0].id
    return [EnrolmentRequest(str(one.id), one.id, course, campus.role, suspend=suspend) for one in users]


def codes(outcome: Mapping[str, object]) -> dict[str, str]:
    return {key: one.code for key, one in outcome.items() if isinstance(one, RemoteError)}


async def test_the_site_tells_its_release_and_what_the_token_may(campus: Campus) -> None:
    site = await campus.site.site()
    assert site.release[0].isdigit()
    assert site.user_id > 0
    assert site.functions >= NEEDED


async def test_a_wrong_token_is_told(campus: Campus) -> None:
    stranger = MoodleSite(base_url=campus.url, token="0" * 32, http=campus.http, limiter=CountingLimiter())
    with pytest.raises(Refused) as caught:
        await stranger.site()
    assert (caught.value.code, caught.value.ids.remote_code) == ("M-002", "invalidtoken")


async def test_users_are_made_found_by_every_field_and_told_from_others(campus: Campus) -> None:
    (first,) = await campus.users(1)
    himself = campus.person(1)
    assert (first.username, first.idnumber, first.suspended) == (himself.username, himself.idnumber, False)
    found = await campus.site.find_users([himself, campus.person(99)])
    known = found["1"]
    assert isinstance(known, MoodleUser)
    assert (known.id, known.auth) == (first.id, "manual")
    assert found["99"] is None
    by_number = (await campus.site.find_users([campus.person(1, username=f"test-{campus.run}-x@example.org")]))["1"]
    assert isinstance(by_number, MoodleUser)
    assert by_number.id == first.id
    taken = campus.person(2, email=himself.email.upper())
    assert isinstance((await campus.site.create_users([taken]))["2"], Conflict)
    assert isinstance((await campus.site.create_users([himself]))["1"], AlreadyThere)
    assert await campus.site.read_users([first.id, 2**31 - 1]) == {first.id: known, 2**31 - 1: None}


async def test_one_bad_row_does_not_cost_the_good_ones(campus: Campus) -> None:
    good = [campus.person(number) for number in range(10, 20)]
    bad = campus.person(20, last_name="<b>x</b>")
    made = await campus.site.create_users([*good[:5], bad, *good[5:]])
    users = [one for one in made.values() if isinstance(one, MoodleUser)]
    campus._made += [one.id for one in users]
    assert (len(users), codes(made)) == (10, {"20": "M-004"})


async def test_what_the_site_lacks_is_told_for_all(campus: Campus) -> None:
    made = await campus.site.create_users([campus.person(number, auth="nosuchauth") for number in range(30, 40)])
    assert set(codes(made).values()) == {"M-023"}
    assert len(codes(made)) == 10


async def test_courses_are_found_by_their_exact_shortname(campus: Campus) -> None:
    name = campus.courses[0].shortname
    found = await campus.site.find_courses([name, f"no-{campus.run}"])
    assert found[name] == campus.courses[0]
    assert found[f"no-{campus.run}"] is None


async def test_courses_are_looked_at_without_a_trace(campus: Campus) -> None:
    name = campus.courses[0].shortname
    before = await campus.site.enrolled_in([campus.courses[0].id])
    seen = await campus.site.inspect([name, f"no-{campus.run}"], campus.role)
    assert seen[name].problems == ()
    assert [one.code for one in seen[f"no-{campus.run}"].problems] == ["M-005"]
    unknown = await campus.site.inspect([name], 9999)
    assert [one.code for one in unknown[name].problems] == ["M-014"]
    assert await campus.site.enrolled_in([campus.courses[0].id]) == before


async def test_students_are_enrolled_suspended_let_in_and_unenrolled(campus: Campus) -> None:
    users = await campus.users(40, 3)
    course, ids = campus.courses[0].id, {one.id for one in users}
    for _ in range(2):  # again is harmless
        assert set((await campus.site.enrol(seats(campus, users))).values()) == {None}
    assert (await campus.site.enrolled_in([course]))[course] >= ids
    assert not (await campus.site.suspended_in([course]))[course] & ids
    assert course in (await campus.site.courses_of([users[0].id]))[users[0].id]
    await campus.site.enrol(seats(campus, users[:1], suspend=True))
    assert (await campus.site.suspended_in([course]))[course] & ids == {users[0].id}
    assert course not in (await campus.site.courses_of([users[0].id]))[users[0].id]
    await campus.site.enrol(seats(campus, users[:1]))
    assert not (await campus.site.suspended_in([course]))[course] & ids
    for _ in range(2):
        gone = await campus.site.unenrol([UnenrolRequest(str(one.id), one.id, course) for one in users])
        assert set(gone.values()) == {None}
    assert not (await campus.site.enrolled_in([course]))[course] & ids


async def test_enrolling_tells_whose_fault_it_is(campus: Campus) -> None:
    (user,) = await campus.users(50)
    course = campus.courses[0].id
    outcome = await campus.site.enrol(
        [
            EnrolmentRequest("good", user.id, course, campus.role),
            EnrolmentRequest("nobody", 2**31 - 2, course, campus.role),
            EnrolmentRequest("no course", user.id, 2**31 - 2, campus.role),
            EnrolmentRequest("no role", user.id, campus.courses[1].id, 9999),
        ]
    )
    assert outcome["good"] is None
    assert codes(outcome) == {"nobody": "M-001", "no course": "M-005", "no role": "M-014"}
    await campus.site.unenrol([UnenrolRequest("good", user.id, course)])


async def test_groups_are_made_once_and_joined_and_left(campus: Campus) -> None:
    campus.needs(*GROUPS)
    users, course = await campus.users(60, 2), campus.courses[0].id
    name = f"TEST {campus.run} P1"
    await campus.site.enrol(seats(campus, users))
    made = (await campus.site.create_groups([NewGroup("g", course, name)]))["g"]
    assert isinstance(made, MoodleGroup)
    assert isinstance((await campus.site.create_groups([NewGroup("g", course, name)]))["g"], AlreadyThere)
    assert made in (await campus.site.groups_in([course]))[course]
    places = [GroupSeat(str(one.id), made.id, one.id) for one in users]
    (stranger,) = await campus.users(62)
    for _ in range(2):
        joined = await campus.site.join_groups([*places, GroupSeat("stranger", made.id, stranger.id)])
        assert codes(joined) == {"stranger": "M-021"}
    for _ in range(2):
        assert set((await campus.site.leave_groups(places)).values()) == {None}
    await campus.site.unenrol([UnenrolRequest(str(one.id), one.id, course) for one in users])


async def test_users_are_kept_out_and_let_in(campus: Campus) -> None:
    (user,) = await campus.users(70)
    for suspended in (True, False):
        requests = [UserSuspension("a", user.id, suspended), UserSuspension("nobody", 2**31 - 2, suspended)]
        outcome = await campus.site.suspend_users(requests)
        assert outcome["a"] is None
        assert codes(outcome) == {"nobody": "M-001"}
        known = (await campus.site.read_users([user.id]))[user.id]
        assert known is not None
        assert known.suspended is suspended


async def test_a_long_look_up_is_answered_whole(campus: Campus) -> None:
    """850 names: PHP's `max_input_vars` would cut one call of them."""
    (user,) = await campus.users(80)
    wanted = [campus.person(80), *(campus.person(1000 + number) for number in range(850))]
    found = await campus.site.find_users(wanted)
    assert len(found) == 851
    assert [key for key, one in found.items() if one is not None] == ["80"]
    assert user.id
