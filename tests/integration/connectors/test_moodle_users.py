"""Users found and created in Moodle."""

import asyncio
from dataclasses import replace

import pytest

from lucy.errors import (
    AlreadyThere,
    Conflict,
    Invalid,
    OutcomeUnknown,
    RetryLater,
    System,
)
from lucy.ports import MoodleUser
from tests.integration.connectors.campus import (
    CREATE,
    LOOK_UP,
    Bench,
    code_of,
    people,
    person,
)

# Finding users


async def test_who_is_who(bench: Bench) -> None:
    himself, renamed, taken, squatted, nobody = people(5)
    bench.seed_user(username=himself.username, email="old@example.com", idnumber=himself.idnumber, suspended=True)
    bench.seed_user(username="40000001", email="renamed@example.com", idnumber=renamed.idnumber)
    bench.seed_user(username="stranger", email=taken.email, idnumber="1")
    bench.seed_user(username=squatted.username, email="squatter@example.com", idnumber="2")
    found = await bench.site.find_users([himself, renamed, taken, squatted, nobody])
    first, second = found[himself.key], found[renamed.key]
    assert isinstance(first, MoodleUser)
    assert isinstance(second, MoodleUser)
    assert (first.username, first.suspended, first.auth) == (himself.username, True, "oidc")
    assert second.username == "40000001"
    assert isinstance(found[taken.key], Conflict)
    assert isinstance(found[squatted.key], Conflict)
    assert code_of(found[taken.key]) == code_of(found[squatted.key]) == "M-008"
    assert found[nobody.key] is None
    assert bench.limiter.spent[System.MOODLE] == 3


async def test_one_call_when_everybody_is_there(bench: Bench) -> None:
    wanted = people(20)
    await bench.site.create_users(wanted)
    before = bench.limiter.spent[System.MOODLE]
    found = await bench.site.find_users([replace(row, username=row.username.upper()) for row in wanted])
    assert all(isinstance(user, MoodleUser) for user in found.values())
    assert bench.limiter.spent[System.MOODLE] - before == 1


async def test_addresses_are_asked_in_lower_case_too(bench: Bench) -> None:
    row = person(40_000_000, email="Ana@Example.com", idnumber="")
    bench.seed_user(username="stranger", email="ana@example.com")
    assert code_of((await bench.site.find_users([row]))[row.key]) == "M-008"


async def test_values_moodle_would_choke_on_do_not_spoil_the_look_up(bench: Bench) -> None:
    good = person(40_000_000)
    await bench.site.create_users([good])
    rows = [good, person(40_000_001, username="Ñandú Ñ"), person(40_000_002, email="no tiene")]
    found = await bench.site.find_users(rows)
    assert isinstance(found[good.key], MoodleUser)
    assert found["40000001"] is None
    assert found["40000002"] is None


async def test_more_names_than_php_takes(bench: Bench) -> None:
    wanted = people(1900)
    bench.state.seed(
        {
            "users": [
                {
                    "username": row.username,
                    "email": row.email,
                    "firstname": "A",
                    "lastname": "B",
                    "idnumber": row.idnumber,
                }
                for row in wanted
            ]
        }
    )
    found = await bench.site.find_users(wanted)
    assert all(isinstance(user, MoodleUser) for user in found.values())
    assert {call["dropped"] for call in bench.state.control.calls(LOOK_UP)} == {0}


# Creating users


async def test_create_in_arrays(bench: Bench) -> None:
    wanted = people(250)
    made = await bench.site.create_users(wanted)
    assert list(made) == [row.key for row in wanted]
    for row in wanted:
        user = made[row.key]
        assert isinstance(user, MoodleUser)
        stored = bench.state.store.users[user.id]
        assert (stored.username, stored.idnumber, stored.lang) == (row.username, row.idnumber, "es")
    assert bench.limiter.spent[System.MOODLE] == bench.calls(CREATE) == 3
    assert {call["dropped"] for call in bench.state.control.calls(CREATE)} == {0}


async def test_manual_users_get_a_password_and_no_letter(bench: Bench) -> None:
    made = await bench.site.create_users([person(40_000_000, auth="manual")])
    assert isinstance(made["40000000"], MoodleUser)
    assert bench.state.mails == []


async def test_good_rows_survive_bad_ones(bench: Bench) -> None:
    wanted = people(60)
    bench.seed_user(username=wanted[7].username, email="x@example.com", idnumber=wanted[7].idnumber)
    bench.seed_user(username="stranger", email=wanted[20].email, idnumber="1")
    bench.seed_user(username="40000021", email="y@example.com", idnumber=wanted[21].idnumber)
    wanted[33] = replace(wanted[33], first_name="<b>Ana</b>")
    wanted[40] = replace(wanted[40], last_name=" ")
    wanted[41] = replace(wanted[41], username="MAYUS")
    made = await bench.site.create_users(wanted)
    bad = {index: made[row.key] for index, row in enumerate(wanted) if not isinstance(made[row.key], MoodleUser)}
    assert {index: (type(error), code_of(error)) for index, error in bad.items()} == {
        7: (AlreadyThere, "M-018"),
        20: (Conflict, "M-008"),
        21: (AlreadyThere, "M-018"),
        33: (Invalid, "M-004"),
        40: (Invalid, "M-004"),
        41: (Invalid, "M-004"),
    }
    assert bench.calls(CREATE) < 20


async def test_two_with_one_address_in_one_array(bench: Bench) -> None:
    first, second, third = people(3)
    made = await bench.site.create_users([first, replace(second, email=first.email), third])
    assert isinstance(made[first.key], MoodleUser)
    assert isinstance(made[third.key], MoodleUser)
    assert code_of(made[second.key]) == "M-008"


async def test_an_authentication_the_site_lacks_is_each_rows_error(bench: Bench) -> None:
    bench.state.seed({"site": {"auth_methods": ["manual"]}})
    made = await bench.site.create_users(people(4))
    assert {code_of(error) for error in made.values()} == {"M-004"}


async def test_weak_password(bench: Bench) -> None:
    html = "<div>The password must have at least 8 characters</div>"
    bench.fail(CREATE, "moodle_error", body={"exception": "moodle_exception", "errorcode": html, "message": html})
    made = await bench.site.create_users(people(1))
    assert code_of(made["40000000"]) == "M-016"


async def test_a_php_failure_once_is_overcome(bench: Bench) -> None:
    bench.fail(CREATE, "moodle_error", times=1, body={"exception": "Error", "message": "Call to a member function"})
    made = await bench.site.create_users(people(4))
    assert all(isinstance(user, MoodleUser) for user in made.values())


async def test_after_a_cut_those_who_are_there_are_results(bench: Bench) -> None:
    bench.fail(CREATE, "cut_after", times=1)
    made = await bench.site.create_users(people(5))
    assert all(isinstance(user, MoodleUser) for user in made.values())
    assert bench.calls(CREATE) == 1


@pytest.mark.parametrize("action", ["cut_before", "truncate", "status"])
async def test_who_is_not_there_after_a_lost_answer_stays_unknown(bench: Bench, action: str) -> None:
    wanted = people(130)
    bench.fail(CREATE, action, times=1, status=504)
    made = await bench.site.create_users(wanted)
    lost, unsent = list(made.values())[:112], list(made.values())[112:]
    if action == "truncate":
        assert all(isinstance(user, MoodleUser) for user in made.values())
        return
    assert all(isinstance(error, OutcomeUnknown) and error.code == "M-010" for error in lost)
    assert all(isinstance(error, RetryLater) and "not sent" in error.detail for error in unsent)
    assert bench.calls(CREATE) == 1


async def test_a_timeout_leaves_the_server_at_work(bench: Bench) -> None:
    bench.fail(CREATE, "delay", times=1, delay_s=0.3)
    wanted = people(2)
    made = await bench.impatient.create_users(wanted)
    assert all(isinstance(error, OutcomeUnknown) for error in made.values())
    for _ in range(20):
        if wanted[0].username in bench.usernames():
            break
        await asyncio.sleep(0.02)
    assert wanted[0].username in bench.usernames()
    again = await bench.site.create_users(wanted)
    assert all(isinstance(error, AlreadyThere) for error in again.values())


async def test_an_outage_half_way_keeps_what_was_done(bench: Bench) -> None:
    bench.fail(CREATE, "maintenance", after=1)
    made = list((await bench.site.create_users(people(130))).values())
    assert all(isinstance(user, MoodleUser) for user in made[:112])
    assert {code_of(error) for error in made[112:]} == {"M-009"}
