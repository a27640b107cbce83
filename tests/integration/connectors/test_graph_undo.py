"""The calls that take back what a batch made in Entra, against the simulator: each after the account was read back."""

import logging
from collections.abc import Awaitable, Callable, Mapping

import pytest

from connectors.graph import GraphDirectory
from lucy.errors import NotFound, OutcomeUnknown, Refused, RemoteError, RetryLater
from lucy.ports import DirectoryUser, EnabledChange, LicenceRequest, NewPassword
from sandbox.graph import GraphState
from tests.integration.connectors.tenants import PASSWORD, Tenant, account

NEW_PASSWORD = "Zt4!pLw8$cRn2*Hy"
SKU_ID = "314c4481-f395-4525-be8b-2ec4bb1e9d91"

Outcome = Mapping[str, RemoteError | None]
Undo = Callable[[GraphDirectory, Mapping[str, str]], Awaitable[Outcome]]
Effect = Callable[[GraphState, str], bool]


async def disable(directory: GraphDirectory, ids: Mapping[str, str]) -> Outcome:
    return await directory.set_enabled([EnabledChange(key, one, enabled=False) for key, one in ids.items()])


async def revoke(directory: GraphDirectory, ids: Mapping[str, str]) -> Outcome:
    return await directory.revoke_sessions(ids)


async def rotate(directory: GraphDirectory, ids: Mapping[str, str]) -> Outcome:
    return await directory.reset_passwords([NewPassword(key, one, NEW_PASSWORD) for key, one in ids.items()])


async def unlicense(directory: GraphDirectory, ids: Mapping[str, str]) -> Outcome:
    return await directory.remove_licences([LicenceRequest(key, one, SKU_ID) for key, one in ids.items()])


async def delete(directory: GraphDirectory, ids: Mapping[str, str]) -> Outcome:
    return await directory.delete_users(ids)


def disabled(state: GraphState, user_id: str) -> bool:
    return state.users[user_id].properties["accountEnabled"] is False


def revoked(state: GraphState, user_id: str) -> bool:
    return state.users[user_id].sessions_valid_from > state.users[user_id].created_at


def rotated(state: GraphState, user_id: str) -> bool:
    return state.sign_in(state.users[user_id].upn, NEW_PASSWORD) == (True, True)


def unlicensed(state: GraphState, user_id: str) -> bool:
    return not state.users[user_id].licences


def deleted(state: GraphState, user_id: str) -> bool:
    return user_id in {user.id for user in state.deleted_users()}


UNDOS: list[tuple[Undo, Effect, str]] = [
    (disable, disabled, "PATCH /users/{id}"),
    (revoke, revoked, "POST /users/{id}/revokeSignInSessions"),
    (rotate, rotated, "PATCH /users/{id}"),
    (unlicense, unlicensed, "POST /users/{id}/assignLicense"),
    (delete, deleted, "DELETE /users/{id}"),
]
every_undo = pytest.mark.parametrize(("undo", "done", "called"), UNDOS, ids=[one[0].__name__ for one in UNDOS])


def seed(tenant: Tenant, count: int = 3, **properties: object) -> dict[str, str]:
    """Accounts with the ids `id-0`…; returns the ids by key."""
    ids = {f"k{number}": f"id-{number}" for number in range(count)}
    users = [
        {
            "userPrincipalName": account(number).upn,
            "id": f"id-{number}",
            "usageLocation": "AR",
            "password": PASSWORD,
            "licensed": True,
            **properties,
        }
        for number in range(count)
    ]
    tenant.state.seed({"users": users})
    return ids


# Reading back


async def test_accounts_are_read_by_id(tenant: Tenant) -> None:
    made = await tenant.directory.create_users([account(number) for number in range(25)])
    ids = {key: user.id for key, user in made.items() if isinstance(user, DirectoryUser)}
    read = await tenant.directory.read_users({**ids, "gone": "no-such-id"})
    assert list(read) == [*ids, "gone"]
    assert read["gone"] is None
    user, of_create = read["k7"], made["k7"]
    assert isinstance(user, DirectoryUser)
    assert isinstance(of_create, DirectoryUser)
    assert (user.id, user.upn, user.employee_id) == (ids["k7"], account(7).upn, "40000007")
    assert (user.given_name, user.surname, user.usage_location) == ("María", "Ñáñez", "AR")
    assert (of_create.given_name, of_create.surname, of_create.usage_location) == ("María", "Ñáñez", "AR")
    assert user.set_by_others == frozenset()
    assert await tenant.directory.find_users({"k7": user.upn}) == {"k7": user}


async def test_the_work_of_another_hand_is_seen(tenant: Tenant) -> None:
    tenant.state.seed(
        {
            "users": [
                {"userPrincipalName": account(0).upn, "id": "id-0", "jobTitle": "Docente", "businessPhones": ["1"]},
                {"userPrincipalName": account(1).upn, "id": "id-1", "onPremisesSyncEnabled": True},
                {"userPrincipalName": account(2).upn, "id": "id-2", "onPremisesSyncEnabled": False, "department": ""},
            ]
        }
    )
    read = await tenant.directory.read_users({key: f"id-{key}" for key in "012"})
    seen = {key: user.set_by_others for key, user in read.items() if isinstance(user, DirectoryUser)}
    assert seen == {"0": {"jobTitle", "businessPhones"}, "1": {"onPremisesSyncEnabled"}, "2": frozenset()}


async def test_a_read_that_failed_is_no_absence(tenant: Tenant) -> None:
    ids = seed(tenant)
    tenant.fault("GET /users/{id} id-0", "throttle", retry_after_s=9)
    tenant.fault("GET /users/{id} id-1", "status", status=504)
    read = await tenant.directory.read_users(ids)
    waits = [one.after_s for one in read.values() if isinstance(one, RetryLater)]
    assert (len(waits), waits[0]) == (2, 9.0)
    assert isinstance(read["k2"], DirectoryUser)


# Taking back


def family_and_code(outcome: Outcome) -> dict[str, tuple[type[RemoteError], str] | None]:
    return {key: None if error is None else (type(error), error.code) for key, error in outcome.items()}


@every_undo
async def test_many_are_done_in_batches_and_once_more_does_no_harm(
    tenant: Tenant, undo: Undo, done: Effect, called: str
) -> None:
    ids = seed(tenant, 45)
    assert not any(done(tenant.state, one) for one in ids.values())
    assert await undo(tenant.directory, ids) == dict.fromkeys(ids)
    assert all(done(tenant.state, one) for one in ids.values())
    assert (sorted(tenant.limiter.costs), tenant.calls(called)) == ([5, 20, 20], 45)
    again = await undo(tenant.directory, ids)
    if undo is delete:
        assert set(family_and_code(again).values()) == {(NotFound, "T-007")}
    else:
        assert again == dict.fromkeys(ids)
    assert all(done(tenant.state, one) for one in ids.values())


@every_undo
async def test_one_that_is_gone_does_not_cost_the_others(tenant: Tenant, undo: Undo, done: Effect, called: str) -> None:
    ids = seed(tenant)
    outcome = await undo(tenant.directory, {"a": ids["k0"], "gone": "no-such-id", "b": ids["k1"]})
    assert family_and_code(outcome) == {"a": None, "gone": (NotFound, "T-007"), "b": None}
    assert [done(tenant.state, one) for one in ids.values()] == [True, True, False]


@every_undo
async def test_one_that_is_refused_does_not_cost_the_others(
    tenant: Tenant, undo: Undo, done: Effect, called: str
) -> None:
    ids = seed(tenant)
    tenant.fault(f"{called} id-1", "status", status=403)
    outcome = await undo(tenant.directory, ids)
    assert family_and_code(outcome) == {"k0": None, "k1": (Refused, "T-011"), "k2": None}
    assert [done(tenant.state, one) for one in ids.values()] == [True, False, True]


@every_undo
async def test_a_throttled_row_waits_alone(tenant: Tenant, undo: Undo, done: Effect, called: str) -> None:
    ids = seed(tenant)
    tenant.fault(f"{called} id-1", "throttle", retry_after_s=13)
    outcome = await undo(tenant.directory, ids)
    error = outcome["k1"]
    assert isinstance(error, RetryLater)
    assert (error.code, error.after_s, error.throttled) == ("T-010", 13.0, True)
    assert [done(tenant.state, one) for one in ids.values()] == [True, False, True]
    assert tenant.limiter.silences == [13.0]
    assert await undo(tenant.directory, {"k1": ids["k1"]}) == {"k1": None}


@every_undo
@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_row_that_failed_inside_is_in_doubt(
    tenant: Tenant, undo: Undo, done: Effect, called: str, status: int
) -> None:
    ids = seed(tenant)
    tenant.fault(f"{called} id-1", "status", status=status)
    assert family_and_code(await undo(tenant.directory, ids))["k1"] == (OutcomeUnknown, "T-009")


@every_undo
async def test_a_cut_after_the_effect_is_in_doubt_until_read_back(
    tenant: Tenant, undo: Undo, done: Effect, called: str
) -> None:
    ids = seed(tenant)
    tenant.fault("$batch", "cut_after")
    outcome = await undo(tenant.directory, ids)
    assert set(family_and_code(outcome).values()) == {(OutcomeUnknown, "T-009")}
    assert all(done(tenant.state, one) for one in ids.values())
    read = await tenant.directory.read_users(ids)
    assert all((user is None) == (undo is delete) for user in read.values())


@every_undo
async def test_a_cut_before_the_effect_looks_the_same(tenant: Tenant, undo: Undo, done: Effect, called: str) -> None:
    ids = seed(tenant)
    tenant.fault("$batch", "cut_before")
    outcome = await undo(tenant.directory, ids)
    assert set(family_and_code(outcome).values()) == {(OutcomeUnknown, "T-009")}
    assert not any(done(tenant.state, one) for one in ids.values())
    assert await undo(tenant.directory, ids) == dict.fromkeys(ids)


async def test_nothing_but_the_sign_in_changes(tenant: Tenant) -> None:
    ids = seed(tenant, 1)
    before = (await tenant.directory.read_users(ids))["k0"]
    await disable(tenant.directory, ids)
    changed = (await tenant.directory.read_users(ids))["k0"]
    assert isinstance(before, DirectoryUser)
    assert isinstance(changed, DirectoryUser)
    assert (before.enabled, changed.enabled, changed.sku_ids) == (True, False, {SKU_ID})
    assert await tenant.directory.set_enabled([EnabledChange("k0", "id-0", enabled=True)]) == {"k0": None}
    assert (await tenant.directory.read_users(ids))["k0"] == before
    assert tenant.state.sign_in(account(0).upn, PASSWORD) == (True, False)


async def test_a_seat_is_free_again(tenant: Tenant) -> None:
    ids = seed(tenant)
    assert (await tenant.directory.licence_seats("STANDARDWOFFPACK_STUDENT")).consumed == 3
    await unlicense(tenant.directory, {"k0": ids["k0"]})
    await delete(tenant.directory, {"k1": ids["k1"]})
    assert (await tenant.directory.licence_seats("STANDARDWOFFPACK_STUDENT")).consumed == 1


async def test_a_licence_that_is_not_there_needs_no_taking(tenant: Tenant) -> None:
    seed(tenant, 1, licensed=False)
    assert await unlicense(tenant.directory, {"k0": "id-0"}) == {"k0": None}


async def test_a_password_is_judged_by_its_row_and_told_by_nobody(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ids = seed(tenant)
    weak = NewPassword("weak", ids["k1"], "contrasena")
    good = NewPassword("good", ids["k0"], NEW_PASSWORD)
    outcome = await tenant.directory.reset_passwords([good, weak])
    assert family_and_code(outcome) == {"good": None, "weak": (Refused, "T-006")}
    assert tenant.state.sign_in(account(0).upn, NEW_PASSWORD) == (True, True)
    assert tenant.state.sign_in(account(1).upn, PASSWORD) == (True, False)
    shown = repr(outcome) + str(outcome["weak"]) + repr(weak) + caplog.text
    assert not [secret for secret in (NEW_PASSWORD, "contrasena") if secret in shown]


async def test_a_token_that_stopped_being_good_is_renewed_for_a_write_too(tenant: Tenant) -> None:
    ids = seed(tenant)
    await tenant.directory.read_users(ids)
    tenant.state.tokens.clear()
    assert await disable(tenant.directory, ids) == dict.fromkeys(ids)


async def test_a_deletion_is_soft(tenant: Tenant) -> None:
    ids = seed(tenant, 1)
    await delete(tenant.directory, ids)
    restored = tenant.state.restore("id-0")
    assert restored.licences
    assert isinstance((await tenant.directory.read_users(ids))["k0"], DirectoryUser)
