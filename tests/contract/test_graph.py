"""The Graph connector against the simulator, or against a real tenant (README.md)."""

from collections.abc import Mapping

import pytest

from connectors.graph import MsalTokens
from lucy.errors import AlreadyThere, NotFound, Refused, RemoteError
from lucy.ports import AccountChange, DirectoryUser, EnabledChange, NewPassword
from tests.contract.graph_service import Tenant


def codes(outcome: Mapping[str, object]) -> set[str]:
    return {one.code for one in outcome.values() if isinstance(one, RemoteError)}


async def test_a_wrong_secret_is_told_without_it(tenant: Tenant) -> None:
    tokens = MsalTokens(tenant.login, tenant.tenant, tenant.client, "not~the.secret", tenant.ca_file)
    with pytest.raises(Refused) as caught:
        await tokens.token()
    tokens.close()
    assert caught.value.code == "T-002"
    assert caught.value.ids.remote_code.startswith("AADSTS")
    assert "not~the.secret" not in str(caught.value)


async def test_the_token_tells_its_permissions(tenant: Tenant) -> None:
    assert {"User.ReadWrite.All", "Directory.ReadWrite.All", "User.Create"} & await tenant.directory.granted()


async def test_an_account_is_made_seen_and_known_by_its_mark(tenant: Tenant) -> None:
    wanted = tenant.account(1)
    (made,) = await tenant.users(1)
    assert (made.upn, made.enabled) == (wanted.upn, True)
    seen = await tenant.until(
        lambda: tenant.directory.find_users({"1": wanted.upn}), lambda found: isinstance(found["1"], DirectoryUser)
    )
    user = seen["1"]
    assert isinstance(user, DirectoryUser)
    assert (user.id, user.employee_id, user.usage_location) == (made.id, wanted.employee_id, "AR")
    assert (user.given_name, user.surname) == ("Ñusta", "O'Higgins Suárez")
    assert user.set_by_others == frozenset()
    again = (await tenant.directory.create_users([tenant.account(1)]))["1"]
    assert isinstance(again, AlreadyThere)


async def test_nobody_is_found_where_nobody_is(tenant: Tenant) -> None:
    assert await tenant.directory.find_users({"x": tenant.account(99).upn}) == {"x": None}
    ids = {"x": "00000000-0000-0000-0000-00000000dead"}
    assert await tenant.directory.read_users(ids) == {"x": None}
    assert {type(one) for one in (await tenant.directory.delete_users(ids)).values()} == {NotFound}


async def test_what_entra_refuses_is_named(tenant: Tenant) -> None:
    weak = tenant.account(2)
    weak = type(weak)(**{name: getattr(weak, name) for name in weak.__slots__} | {"password": "abc"})
    elsewhere = tenant.account(3)
    elsewhere = type(elsewhere)(
        **{name: getattr(elsewhere, name) for name in elsewhere.__slots__} | {"upn": "test-x@not-verified.example"}
    )
    assert codes(await tenant.directory.create_users([weak])) == {"T-006"}
    assert codes(await tenant.directory.create_users([elsewhere])) == {"T-016"}


async def test_an_account_is_changed_switched_and_given_a_password(tenant: Tenant) -> None:
    (made,) = await tenant.users(4)
    changes = [AccountChange("4", made.id, first_name="Ana", last_name="Sosa")]
    done = await tenant.until(lambda: tenant.directory.update_users(changes), lambda one: one["4"] is None)
    assert done == {"4": None}
    assert await tenant.directory.set_enabled([EnabledChange("4", made.id, enabled=False)]) == {"4": None}
    assert await tenant.directory.revoke_sessions({"4": made.id}) == {"4": None}
    assert await tenant.directory.reset_passwords([NewPassword("4", made.id, tenant.account(4).password)]) == {
        "4": None
    }

    def changed(read: Mapping[str, object]) -> bool:
        user = read["4"]
        return isinstance(user, DirectoryUser) and not user.enabled and user.given_name == "Ana"

    assert changed(await tenant.until(lambda: tenant.directory.read_users({"4": made.id}), changed))


async def test_a_deleted_account_is_listed_and_comes_back(tenant: Tenant) -> None:
    (made,) = await tenant.users(5)
    gone = await tenant.until(
        lambda: tenant.directory.delete_users({"5": made.id}), lambda one: not isinstance(one["5"], NotFound)
    )
    assert gone == {"5": None}
    deleted = await tenant.until(tenant.directory.deleted_users, lambda found: made.id in {one.id for one in found})
    (twin,) = [one for one in deleted if one.id == made.id]
    assert twin.upn == made.upn
    back = (await tenant.directory.restore_users({"5": made.id}))["5"]
    assert isinstance(back, DirectoryUser)
    assert back.upn == made.upn


async def test_changes_are_told_from_a_link_on(tenant: Tenant) -> None:
    page = await tenant.directory.changes()
    while not page.delta_link:
        page = await tenant.directory.changes(page.next_link)
    (made,) = await tenant.users(6)

    async def seen() -> set[str]:
        found = await tenant.directory.changes(page.delta_link)
        return {user.id for user in found.changed}

    assert made.id in await tenant.until(seen, lambda ids: made.id in ids)
