"""Properties, the deleted items, groups, the delta query and the token's permissions, against the simulator."""

import asyncio
import json
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from connectors.graph import Certificate
from connectors.graph.client import GraphDirectory
from connectors.graph.token import MsalTokens
from lucy.errors import (
    ConfigurationError,
    Conflict,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RetryLater,
    Unreadable,
)
from lucy.ports import AccountChange, DirectoryUser, GroupMember, LicenceRequest
from tests.integration.connectors.tenants import APP, SECRET, TENANT, Tenant, account

SKU_ID = "314c4481-f395-4525-be8b-2ec4bb1e9d91"
CLASS, STAFF, RULED, GIVING = "g-class", "g-staff", "g-ruled", "g-giving"


def seed(tenant: Tenant, count: int = 3, **properties: object) -> dict[str, str]:
    """Accounts `id-0`… and four groups; returns the ids by key."""
    users = [
        {"userPrincipalName": account(number).upn, "id": f"id-{number}", "usageLocation": "AR", **properties}
        for number in range(count)
    ]
    groups = [
        {"id": CLASS, "displayName": "Aula 2026", "team": True},
        {"id": STAFF, "displayName": "Personal", "roleAssignable": True},
        {"id": RULED, "displayName": "Por regla", "dynamic": True},
        {"id": GIVING, "displayName": "Licenciados", "licensed": True},
    ]
    tenant.state.seed({"users": users, "groups": groups})
    return {f"k{number}": f"id-{number}" for number in range(count)}


def seats(group_id: str, ids: dict[str, str]) -> list[GroupMember]:
    return [GroupMember(key, user_id, group_id) for key, user_id in ids.items()]


# Properties


async def test_properties_are_set_and_the_rest_stays(tenant: Tenant) -> None:
    seed(tenant, employeeId="1", givenName="Maria", jobTitle="Docente")
    changes = [
        AccountChange("k0", "id-0", first_name="María", last_name="Ñáñez", employee_id="40000000"),
        AccountChange("k1", "id-1", usage_location="UY"),
        AccountChange("k2", "id-2"),
        AccountChange("k3", "id-9", usage_location="UY"),
        AccountChange("k4", "id-2", employee_id="1" * 17),
    ]
    outcome = await tenant.directory.update_users(changes)
    assert [outcome[key] for key in ("k0", "k1", "k2")] == [None, None, None]
    assert isinstance(outcome["k3"], NotFound)
    refused = outcome["k4"]
    assert isinstance(refused, Invalid)
    assert refused.code == "T-003"
    first, second, third = (tenant.state.users[f"id-{number}"].properties for number in range(3))
    assert (first["displayName"], first["givenName"], first["surname"]) == ("Ñáñez, María", "María", "Ñáñez")
    assert (first["employeeId"], first["usageLocation"], first["jobTitle"]) == ("40000000", "AR", "Docente")
    assert (second["usageLocation"], second["employeeId"], second["givenName"]) == ("UY", "1", "Maria")
    assert third["givenName"] == "Maria"
    assert tenant.calls("PATCH /users/{id}") == 4  # who has nothing to change is not asked about


# The deleted items


async def test_deleted_accounts_are_listed_under_the_name_they_had(tenant: Tenant) -> None:
    ids = seed(tenant, 120, employeeId="40000000")
    await tenant.directory.delete_users(ids)
    deleted = await tenant.directory.deleted_users()
    assert {one.upn for one in deleted} == {account(number).upn for number in range(120)}
    assert {one.employee_id for one in deleted} == {"40000000"}
    assert all(one.deleted_at is not None and one.deleted_at.tzinfo for one in deleted)
    assert tenant.calls("GET /directory/deletedItems/microsoft.graph.user") == 2  # pages


async def test_a_deleted_account_comes_back_with_its_licence(tenant: Tenant) -> None:
    ids = seed(tenant, 2)
    await tenant.directory.assign_licences([LicenceRequest("k0", "id-0", SKU_ID)])
    await tenant.directory.delete_users(ids)
    assert tenant.state.consumed_units == 0
    restored = await tenant.directory.restore_users({"k0": "id-0", "gone": "id-77"})
    user = restored["k0"]
    assert isinstance(user, DirectoryUser)
    assert (user.upn, user.sku_ids) == (account(0).upn, frozenset({SKU_ID}))
    assert isinstance(restored["gone"], NotFound)
    assert await tenant.directory.read_users({"k0": "id-0"}) == {"k0": user}


async def test_an_account_whose_name_was_taken_is_not_restored(tenant: Tenant) -> None:
    ids = seed(tenant, 1)
    await tenant.directory.delete_users(ids)
    await tenant.directory.create_users([account(0)])
    restored = await tenant.directory.restore_users(ids)
    assert isinstance(restored["k0"], Conflict)
    assert len(await tenant.directory.deleted_users()) == 1


async def test_a_restore_without_an_answer_is_in_doubt(tenant: Tenant) -> None:
    ids = seed(tenant, 1)
    await tenant.directory.delete_users(ids)
    tenant.fault("$batch", "cut_after")
    assert isinstance((await tenant.directory.restore_users(ids))["k0"], OutcomeUnknown)
    assert isinstance((await tenant.directory.restore_users(ids))["k0"], NotFound)  # so: look before, as the port says
    assert isinstance((await tenant.directory.read_users(ids))["k0"], DirectoryUser)


# Groups


async def test_accounts_join_a_group_once_and_leave_it(tenant: Tenant) -> None:
    ids = seed(tenant, 25)
    assert set((await tenant.directory.add_members(seats(CLASS, ids))).values()) == {None}
    assert set((await tenant.directory.add_members(seats(CLASS, ids))).values()) == {None}
    assert await tenant.directory.members_of(CLASS) == frozenset(ids.values())
    some = {"k0": "id-0", "k1": "id-1"}
    assert set((await tenant.directory.remove_members(seats(CLASS, some))).values()) == {None}
    assert set((await tenant.directory.remove_members(seats(CLASS, some))).values()) == {None}
    assert await tenant.directory.members_of(CLASS) == frozenset(ids.values()) - set(some.values())
    assert len(tenant.state.users) == 25  # out of the group, not out of the directory


async def test_members_are_read_through_all_pages(tenant: Tenant) -> None:
    ids = seed(tenant, 1100)
    tenant.state.groups[CLASS].members = dict.fromkeys(ids.values())
    assert await tenant.directory.members_of(CLASS) == frozenset(ids.values())
    assert tenant.calls("GET /groups/{id}/members") == 2


async def test_being_in_the_group_is_looked_at_before_it_is_believed(tenant: Tenant) -> None:
    """Another text with the same words would otherwise be taken for a membership."""
    ids = seed(tenant, 1)
    said = {"error": {"code": "Request_BadRequest", "message": "added object references already exist for 'members'"}}
    tenant.fault("POST /groups/{id}/members/$ref", "status", status=400, body=said)
    outcome = (await tenant.directory.add_members(seats(CLASS, ids)))["k0"]
    assert isinstance(outcome, RetryLater)
    assert outcome.code == "T-013"
    assert (await tenant.directory.add_members(seats(CLASS, ids)))["k0"] is None


async def test_groups_that_cannot_be_joined_say_why(tenant: Tenant) -> None:
    seed(tenant, 1)
    outcome = await tenant.directory.add_members(
        [
            GroupMember("ruled", "id-0", RULED),
            GroupMember("staff", "id-0", STAFF),
            GroupMember("absent", "id-0", "g-absent"),
            GroupMember("unseen", "id-99", CLASS),
        ]
    )
    said = {key: (type(error), error.code) for key, error in outcome.items() if error is not None}
    assert said == {
        "ruled": (Refused, "T-021"),
        "staff": (Refused, "T-011"),
        "absent": (NotFound, "T-020"),
        "unseen": (NotFound, "T-013"),
    }


async def test_the_configuration_check_sees_what_a_group_is(tenant: Tenant) -> None:
    seed(tenant, 0)
    group = await tenant.directory.group(CLASS)
    assert (group.display_name, group.team, group.dynamic, group.role_assignable) == ("Aula 2026", True, False, False)
    assert (await tenant.directory.group(RULED)).dynamic
    assert (await tenant.directory.group(STAFF)).role_assignable
    assert (await tenant.directory.group(GIVING)).sku_ids == {SKU_ID}
    for ask in (tenant.directory.group, tenant.directory.members_of):
        with pytest.raises(NotFound) as told:
            await ask("g-absent")
        assert told.value.code == "T-020"


async def test_a_group_gives_its_licence_or_says_in_the_account_why_not(tenant: Tenant) -> None:
    ids = seed(tenant, 2)
    tenant.state.seed({"seats": 1, "users": [{"userPrincipalName": account(7).upn, "id": "id-7"}]})
    await tenant.directory.add_members(seats(GIVING, {**ids, "k7": "id-7"}))
    read = await tenant.directory.read_users({**ids, "k7": "id-7"})
    users = {key: user for key, user in read.items() if isinstance(user, DirectoryUser)}
    assert users["k0"].sku_ids == {SKU_ID}
    assert not users["k0"].licence_errors
    assert users["k1"].licence_errors == {SKU_ID: "CountViolation"}
    assert users["k7"].licence_errors == {SKU_ID: "ProhibitedInUsageLocationViolation"}
    refused = (await tenant.directory.remove_licences([LicenceRequest("k0", "id-0", SKU_ID)]))["k0"]
    assert isinstance(refused, Refused)
    assert refused.code == "T-017"  # it is the group's to take
    await tenant.directory.remove_members(seats(GIVING, {"k0": "id-0"}))
    assert tenant.state.consumed_units == 0


async def test_a_country_where_the_licence_is_not_sold(tenant: Tenant) -> None:
    ids = seed(tenant, 1)
    tenant.state.seed({"prohibited_locations": ["AR"]})
    refused = (await tenant.directory.assign_licences([LicenceRequest("k0", ids["k0"], SKU_ID)]))["k0"]
    assert isinstance(refused, Refused)
    assert refused.code == "T-024"


async def test_a_full_directory_is_told(tenant: Tenant) -> None:
    tenant.state.seed({"object_quota": 1})
    made = await tenant.directory.create_users([account(0), account(1)])
    refused = [one for one in made.values() if isinstance(one, Refused)]
    assert [one.code for one in refused] == ["T-022"]


# The delta query


async def read_all(directory: GraphDirectory, link: str = "") -> tuple[dict[str, DirectoryUser], set[str], str]:
    changed: dict[str, DirectoryUser] = {}
    removed: set[str] = set()
    while True:
        page = await directory.changes(link)
        assert not page.start_over
        changed |= {user.id: user for user in page.changed}
        removed |= page.removed
        if page.delta_link:
            return changed, removed, page.delta_link
        link = page.next_link


async def test_changes_begin_with_everybody_and_go_on_from_the_link(tenant: Tenant) -> None:
    ids = seed(tenant, 230)
    changed, removed, link = await read_all(tenant.directory)
    assert (set(changed), removed) == (set(ids.values()), set())
    assert (await read_all(tenant.directory, link))[:2] == ({}, set())
    await tenant.directory.delete_users({"k0": "id-0"})
    await tenant.directory.update_users([AccountChange("k1", "id-1", usage_location="UY")])
    await tenant.directory.create_users([account(900)])
    changed, removed, _ = await read_all(tenant.directory, link)
    assert removed == {"id-0"}
    assert changed["id-1"].usage_location == "UY"
    assert {user.upn for user in changed.values()} == {account(1).upn, account(900).upn}


async def test_a_page_with_a_part_of_a_user_is_made_whole(tenant: Tenant) -> None:
    seed(tenant, 2, employeeId="40000000")
    first = await tenant.directory.changes()
    part = {
        "value": [{"id": "id-0", "accountEnabled": False}, {"id": "id-55", "accountEnabled": True}],
        "@odata.deltaLink": first.delta_link,
    }
    tenant.fault("GET /users/delta", "status", status=200, body=part)
    page = await tenant.directory.changes(first.delta_link)
    assert [(user.id, user.employee_id) for user in page.changed] == [("id-0", "40000000")]
    assert page.removed == {"id-55"}  # of whom nothing is to be read any more


async def test_a_link_that_ran_out_is_told(tenant: Tenant) -> None:
    seed(tenant, 1)
    link = (await tenant.directory.changes()).delta_link
    tenant.state.seed({"delta_lifetime_s": 0})
    await asyncio.sleep(0.01)
    assert (await tenant.directory.changes(link)).start_over
    tenant.fault("GET /users/delta", "status", status=400, body={"error": {"code": "SyncStateNotFound"}})
    assert (await tenant.directory.changes(link)).start_over


async def test_a_page_that_neither_ends_nor_goes_on_is_refused(tenant: Tenant) -> None:
    tenant.fault("GET /users/delta", "status", status=200, body={"value": []})
    with pytest.raises(Unreadable):
        await tenant.directory.changes()
    with pytest.raises(Unreadable):
        await tenant.directory.changes("https://elsewhere.test/v1.0/users/delta?$deltatoken=x")


# Permissions and the certificate


async def test_the_token_tells_what_was_granted(tenant: Tenant) -> None:
    tenant.state.seed({"permissions": ["User.Read.All", "LicenseAssignment.ReadWrite.All"]})
    assert await tenant.directory.granted() == {"User.Read.All", "LicenseAssignment.ReadWrite.All"}
    made = (await tenant.directory.create_users([account(0)]))["k0"]
    assert isinstance(made, Refused)
    assert made.code == "T-011"
    assert not tenant.state.users
    tenant.state.seed({"permissions": ["User.Create"]})
    again = (await tenant.directory.create_users([account(0)]))["k0"]
    assert isinstance(again, Refused)  # a token already issued keeps its old roles
    tokens = tenant.sign_in()
    assert isinstance((await tenant.connect(tokens).create_users([account(0)]))["k0"], DirectoryUser)
    tokens.close()


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a..c", "a.bnVsbA.c", "a.e30.c", "a.eyJyb2xlcyI6IDF9.c"])
async def test_a_token_that_tells_nothing_grants_nothing(tenant: Tenant, token: str) -> None:
    class Fixed:
        async def token(self) -> str:
            return token

        async def renew(self, rejected: str) -> str:
            return token

    assert await tenant.connect(Fixed()).granted() == frozenset()  # type: ignore[arg-type]


def pair() -> tuple[bytes, bytes]:
    """A certificate and its RSA key, as PEM."""
    made = trustme.CA(key_type=trustme.KeyType.RSA).issue_cert("lucy.test", key_type=trustme.KeyType.RSA)
    return made.cert_chain_pems[0].bytes(), made.private_key_pem.bytes()


def pem(folder: Path) -> Path:
    """Both in one file."""
    path = folder / "graph.pem"
    path.write_bytes(b"".join(pair()))
    return path


def signed_in_with(tenant: Tenant, certificate: Certificate) -> MsalTokens:
    return MsalTokens(tenant.origin, TENANT, APP, "", tenant.ca_file, graph_url=tenant.origin, certificate=certificate)


async def test_a_certificate_stands_where_the_secret_would(tenant: Tenant, tmp_path: Path) -> None:
    path = pem(tmp_path)
    certificate = Certificate.read(path)
    tenant.state.client_certificate = path.read_bytes()
    tokens = signed_in_with(tenant, certificate)
    assert isinstance((await tenant.connect(tokens).create_users([account(0)]))["k0"], DirectoryUser)
    assert not certificate.has_ended()
    tokens.close()
    shown = json.dumps(tenant.state.control.calls(), default=str) + repr(certificate)
    assert "BEGIN" not in shown
    assert SECRET not in shown


async def test_another_certificate_is_refused(tenant: Tenant, tmp_path: Path) -> None:
    tenant.state.client_certificate = pair()[0]
    tokens = signed_in_with(tenant, Certificate.read(pem(tmp_path)))
    refused = (await tenant.connect(tokens).find_users({"k0": account(0).upn}))["k0"]
    assert isinstance(refused, Refused)
    assert (refused.code, refused.ids.remote_code) == ("T-002", "AADSTS700027")
    tokens.close()


@pytest.mark.parametrize("spoil", ["absent", "no key", "no certificate", "garbage", "another key"])
def test_a_file_that_holds_no_pair_is_told_at_start(tmp_path: Path, spoil: str) -> None:
    path = pem(tmp_path)
    (certificate, key), (_, another) = pair(), pair()
    contents = {
        "no key": certificate,
        "no certificate": key,
        "garbage": b"\xff\x00 no PEM",
        "another key": certificate + another,
    }
    if spoil == "absent":
        path.unlink()
    else:
        path.write_bytes(contents[spoil])
    with pytest.raises(ConfigurationError, match="LUCY_GRAPH_CERTIFICATE"):
        Certificate.read(path)


def test_the_scope_is_that_of_the_cloud() -> None:
    national = MsalTokens(
        "https://login.microsoftonline.us", TENANT, APP, SECRET, graph_url="https://graph.microsoft.us/v1.0"
    )
    assert national._scope == "https://graph.microsoft.us/.default"
    assert MsalTokens("https://x.test", TENANT, APP, SECRET)._scope == "https://graph.microsoft.com/.default"


async def test_each_call_leaves_a_line_with_the_ids_that_support_asks_for(tenant: Tenant) -> None:
    seed(tenant, 1)
    with capture_logs() as lines:
        await tenant.directory.read_users({"k0": "id-0"})
        await tenant.directory.group(CLASS)
        tenant.fault("$batch", "cut_before")
        await tenant.directory.read_users({"k0": "id-0"})
    calls = [line for line in lines if line["event"] == "graph.call"]
    assert [(line["operation"], line["status"], line["requests"]) for line in calls] == [
        ("read_users", 200, 1),
        ("group", 200, 1),
        ("read_users", 0, 1),
    ]
    assert len({line["client_request_id"] for line in calls}) == 3
    assert [bool(line["request_id"]) for line in calls] == [True, True, False]
    assert "id-0" not in json.dumps(lines)
