"""The calls that take back what a batch made in Entra, against the simulator: each after the account was read back."""

from lucy.errors import RetryLater
from lucy.ports import DirectoryUser
from tests.integration.connectors.tenants import Tenant, account


def seed(tenant: Tenant, count: int = 3, **properties: object) -> dict[str, str]:
    """Accounts with the ids `id-0`…; returns the ids by key."""
    ids = {f"k{number}": f"id-{number}" for number in range(count)}
    users = [
        {"userPrincipalName": account(number).upn, "id": f"id-{number}", "usageLocation": "AR", **properties}
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
