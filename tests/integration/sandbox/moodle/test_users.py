"""Users: found, made, changed, deleted."""

from typing import Any

import pytest

from sandbox.moodle import MoodleState
from tests.integration.sandbox.moodle.calls import Caller, new_user

# --- look-ups ---


async def test_lookup_by_each_field(call: Caller, state: MoodleState) -> None:
    first, second = await call.make("zoe", "ana", idnumber="40123456")
    assert state.store.users[first].auth == "oidc"
    for field, values in (("id", [second, first, second, 999]), ("username", ["ana", "zoe", "nobody"])):
        found = await call("core_user_get_users_by_field", field=field, values=values)
        assert [user["id"] for user in found] == [first, second]
    found = await call("core_user_get_users_by_field", field="idnumber", values=["40123456"])
    assert len(found) == 2
    shown = found[0]
    assert shown["fullname"] == "Ana Suárez D'Angelo"
    assert "firstname" not in shown
    assert (shown["suspended"], shown["auth"], shown["email"]) == (False, "oidc", "zoe@example.com")


async def test_lookup_by_email_compares_case(call: Caller) -> None:
    await call.make("ana", email="Ana@example.com")
    assert await call("core_user_get_users_by_field", field="email", values=["ana@example.com"]) == []
    assert len(await call("core_user_get_users_by_field", field="email", values=["Ana@example.com"])) == 1


async def test_bad_lookups(call: Caller) -> None:
    upper = await call.errorcode("core_user_get_users_by_field", field="username", values=["ana", "ANA"])
    unknown = await call.errorcode("core_user_get_users_by_field", field="phone", values=["1"])
    missing = await call.errorcode("core_user_get_users_by_field", field="username")
    extra = await call.errorcode("core_user_get_users_by_field", field="username", values=["ana"], more="1")
    not_id = await call.errorcode("core_user_get_users_by_field", field="id", values=[""])
    assert {upper, unknown, missing, extra, not_id} == {"invalidparameter"}


async def test_lookups_without_rights_lie(call: Caller, state: MoodleState) -> None:
    (user_id,) = await call.make("ana", idnumber="40123456")
    await call.enrol(user_id)
    state.site.missing_capabilities = ("moodle/site:viewuseridentity",)
    assert await call("core_user_get_users_by_field", field="email", values=["ana@example.com"]) == []
    (seen,) = await call("core_user_get_users_by_field", field="username", values=["ana"])
    assert "email" not in seen
    assert seen["firstname"] == "Ana"
    state.site.missing_capabilities = ("moodle/user:viewdetails",)
    assert await call("core_user_get_users_by_field", field="username", values=["ana"]) == []
    assert await call.enrolled() == []


async def test_empty_idnumber_is_absent(call: Caller) -> None:
    await call.make("ana")
    (seen,) = await call("core_user_get_users_by_field", field="username", values=["ana"])
    assert "idnumber" not in seen


# --- creating, updating, deleting ---


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "taken"},
        {"email": "TAKEN@example.com"},
        {"email": "no tiene"},
        {"username": "Ana"},
        {"username": "añá"},
        {"username": ""},
        {"auth": "ldap"},
        {"lang": "xx"},
        {"firstname": "<b>Ana</b>"},
        {"lastname": "  "},
        {"auth": "manual"},
        {"nickname": "anita"},
    ],
)
async def test_a_bad_user_fails_the_whole_array_without_a_hint(call: Caller, fields: dict[str, str]) -> None:
    await call.make("taken")
    rows = [new_user("good1"), new_user("bad") | fields, new_user("good2")]
    assert await call.errorcode("core_user_create_users", users=rows) == "invalidparameter"
    assert await call("core_user_get_users_by_field", field="username", values=["good1", "good2"]) == []


async def test_missing_field_and_twice_in_one_array(call: Caller) -> None:
    incomplete = {name: value for name, value in new_user("ana").items() if name != "email"}
    assert await call.errorcode("core_user_create_users", users=[incomplete]) == "invalidparameter"
    assert await call.errorcode("core_user_create_users", users=[new_user("ana")] * 2) == "invalidparameter"
    assert await call.make("ana") != []


async def test_long_name_and_weak_password(call: Caller) -> None:
    long = await call.errorcode("core_user_create_users", users=[new_user("ana", firstname="A" * 101)])
    assert long == "dmlwriteexception"
    weak = await call.errorcode("core_user_create_users", users=[new_user("ana", auth="manual", password="abc")])
    assert weak.startswith("<div>Passwords must be at least 8 characters long.</div>")
    assert await call.make("ana", auth="manual", password="Buena-Clave-1") != []


async def test_createpassword_mails_even_when_rolled_back(call: Caller, state: MoodleState) -> None:
    rows = [new_user("ana", auth="manual", createpassword=1), new_user("bad", lang="xx")]
    assert await call.errorcode("core_user_create_users", users=rows) == "invalidparameter"
    assert [mail["to"] for mail in state.mails] == ["ana@example.com"]
    assert await call("core_user_get_users_by_field", field="username", values=["ana"]) == []


async def test_idnumber_is_not_unique_and_custom_fields_are_ignored(call: Caller) -> None:
    fields = {"idnumber": "40123456", "customfields": [{"type": "nothing", "value": "1"}]}
    assert len(await call.make("ana", "eva", **fields)) == 2


async def test_auth_methods_can_be_taken_away(call: Caller, state: MoodleState) -> None:
    state.seed({"site": {"auth_methods": ["manual", "oauth2"]}})
    assert await call.errorcode("core_user_create_users", users=[new_user("ana")]) == "invalidparameter"
    assert await call.make("ana", auth="oauth2") != []


async def test_update_gives_warnings_and_applies_the_good_rows(call: Caller, state: MoodleState) -> None:
    ana, eva = await call.make("ana", "eva")
    rows = [
        {"id": ana, "suspended": 1, "email": "nueva@example.com"},
        {"id": eva, "email": "Nueva@example.com"},
        {"id": eva, "email": "no tiene"},
        {"id": eva, "username": "ana"},
        {"id": 999, "email": "x@example.com"},
        {"id": 2, "email": "x@example.com"},
    ]
    answer = await call("core_user_update_users", users=rows)
    assert [(warning["itemid"], warning["warningcode"]) for warning in answer["warnings"]] == [
        (eva, "useremailduplicate"),
        (eva, "useremailinvalid"),
        (eva, "dmlwriteexception"),
        (999, "invaliduserid"),
        (2, "usernotupdatedadmin"),
    ]
    assert state.store.users[ana].suspended
    assert state.store.users[ana].email == "nueva@example.com"
    assert state.store.users[eva].email == "eva@example.com"


async def test_deleted_users_keep_their_id_and_free_their_names(call: Caller, state: MoodleState) -> None:
    (ana,) = await call.make("ana", idnumber="40123456")
    await call.enrol(ana)
    assert await call("core_user_delete_users", userids=[ana]) is None
    assert await call.enrolled() == []
    for field, value in (("username", "ana"), ("email", "ana@example.com"), ("idnumber", "40123456")):
        assert await call("core_user_get_users_by_field", field=field, values=[value]) == []
    (seen,) = await call("core_user_get_users_by_field", field="id", values=[ana])
    assert seen["username"].startswith("ana@example.com.")
    assert await call.errorcode("core_user_delete_users", userids=[ana]) == "invaliduser"
    assert await call.make("ana", idnumber="40123456") != [ana]


async def test_admins_and_the_caller_cannot_be_deleted(call: Caller, state: MoodleState) -> None:
    (ana,) = await call.make("ana")
    assert await call.errorcode("core_user_delete_users", userids=[ana, 2]) == "useradminodelete"
    assert await call.errorcode("core_user_delete_users", userids=[ana, state.caller.id]) == "usernotdeletederror"
    assert not state.store.users[ana].deleted


@pytest.mark.parametrize(
    ("capability", "function", "arguments"),
    [
        ("moodle/user:create", "core_user_create_users", {"users": [new_user("ana")]}),
        ("moodle/user:update", "core_user_update_users", {"users": [{"id": 3, "city": "Holmberg"}]}),
        ("moodle/user:delete", "core_user_delete_users", {"userids": [3]}),
        ("enrol/manual:enrol", "enrol_manual_enrol_users", {"enrolments": [{"roleid": 5, "userid": 3, "courseid": 2}]}),
        ("enrol/manual:unenrol", "enrol_manual_unenrol_users", {"enrolments": [{"userid": 3, "courseid": 2}]}),
        ("moodle/course:managegroups", "core_group_get_course_groups", {"courseid": 2}),
        (
            "moodle/course:enrolreview",
            "core_enrol_get_enrolled_users",
            {"courseid": 2, "options": [{"name": "onlysuspended", "value": "1"}]},
        ),
    ],
)
async def test_missing_capability(
    call: Caller, state: MoodleState, capability: str, function: str, arguments: dict[str, Any]
) -> None:
    state.site.missing_capabilities = (capability,)
    assert await call.errorcode(function, **arguments) == "nopermissions"
