"""The Graph simulator as Microsoft's own client sees it: if `msgraph-sdk` cannot talk to it, it is wrong.

The SDK's own middleware is in place: its retries after 429 and 503, its paging, its batches.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import msal
import pytest
import requests
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator
from kiota_abstractions.authentication.base_bearer_token_authentication_provider import (
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.assigned_license import AssignedLicense
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.user import User
from msgraph.generated.users.item.assign_license.assign_license_post_request_body import AssignLicensePostRequestBody
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core import GraphClientFactory, PageIterator

from sandbox.control import Fault
from sandbox.graph import GraphState, ServerCertificate
from tests.contract.conftest import SimulatedTenant
from tests.contract.graph_service import Tenant

FIELDS = ["id", "userPrincipalName", "employeeId", "accountEnabled", "assignedLicenses", "usageLocation"]


class MsalToken(AccessTokenProvider):
    """Client credentials by MSAL, as azure-identity would ask for them."""

    def __init__(self, tenant: Tenant) -> None:
        session = requests.Session()
        session.verify, session.trust_env = str(tenant.ca_file), False
        self.session = session
        self._app = msal.ConfidentialClientApplication(
            tenant.client,
            client_credential=tenant.secret,
            authority=f"{tenant.login}/{tenant.tenant}",
            instance_discovery=False,
            http_client=session,
        )
        self._scope = f"{tenant.login}/.default"
        self._host = urlsplit(tenant.url).hostname or ""

    async def get_authorization_token(self, uri: str, additional_authentication_context: Any = None) -> str:
        answer = await asyncio.to_thread(self._app.acquire_token_for_client, scopes=[self._scope])
        assert "access_token" in answer, answer.get("error")
        return str(answer["access_token"])

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([self._host])


class Sdk:
    def __init__(self, tenant: Tenant, client: GraphServiceClient, state: GraphState) -> None:
        self.tenant, self.client, self.state = tenant, client, state

    def user(self, number: int, **changes: Any) -> User:
        account = self.tenant.account(number)
        return User(
            **{
                "account_enabled": True,
                "display_name": "Sosa, Ana",
                "mail_nickname": account.mail_nickname,
                "user_principal_name": account.upn,
                "employee_id": account.employee_id,
                "usage_location": "AR",
                "password_profile": PasswordProfile(password=account.password, force_change_password_next_sign_in=True),
                **changes,
            }
        )

    async def make(self, number: int) -> str:
        made = await self.client.users.post(self.user(number))
        assert made is not None
        assert made.id is not None
        return made.id


@pytest.fixture
async def sdk(certificate: ServerCertificate) -> AsyncIterator[Sdk]:
    simulated = SimulatedTenant(certificate.ca_file, certificate)
    async with simulated as tenant:
        assert tenant.state is not None
        context = ssl.create_default_context(cafile=str(certificate.ca_file))
        transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)  # the factory's own does not close it
        http = httpx.AsyncClient(transport=transport, trust_env=False)
        http = GraphClientFactory.create_with_default_middleware(client=http)
        provider = await asyncio.to_thread(MsalToken, tenant)
        adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(provider), http)
        adapter.base_url = tenant.url
        yield Sdk(tenant, GraphServiceClient(request_adapter=adapter), tenant.state)
        await http.aclose()
        await transport.aclose()
        provider.session.close()
        tenant.tokens.close()


def only(*fields: str) -> RequestConfiguration[Any]:
    query = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(select=list(fields))
    return RequestConfiguration(query_parameters=query)


async def test_a_user_is_made_read_changed_deleted_and_restored(sdk: Sdk) -> None:
    user_id = await sdk.make(1)
    users = sdk.client.users.by_user_id(user_id)
    read = await users.get(only(*FIELDS))
    assert read is not None
    assert (read.user_principal_name, read.account_enabled) == (sdk.tenant.account(1).upn, True)
    assert read.employee_id == sdk.tenant.account(1).employee_id
    plain = await users.get()
    assert plain is not None
    assert plain.employee_id is None  # only with $select
    await users.patch(User(account_enabled=False))
    changed = await users.get(only("accountEnabled"))
    assert changed is not None
    assert changed.account_enabled is False
    revoked = await users.revoke_sign_in_sessions.post()
    assert revoked is not None
    assert revoked.value is True
    await users.delete()
    with pytest.raises(ODataError) as caught:
        await users.get()
    assert caught.value.response_status_code == 404
    deleted = await sdk.client.directory.deleted_items.graph_user.get()
    assert deleted is not None
    assert [one.id for one in deleted.value or []] == [user_id]
    back = await sdk.client.directory.deleted_items.by_directory_object_id(user_id).restore.post()
    assert back is not None
    assert back.id == user_id


async def test_a_refusal_is_an_odata_error_with_its_details(sdk: Sdk) -> None:
    await sdk.make(2)
    with pytest.raises(ODataError) as caught:
        await sdk.client.users.post(sdk.user(2))
    error = caught.value.error
    assert error is not None
    assert (caught.value.response_status_code, error.code) == (400, "Request_BadRequest")
    assert [(one.code, one.target) for one in error.details or []] == [("ObjectConflict", "userPrincipalName")]
    assert error.inner_error is not None
    assert error.inner_error.client_request_id


async def test_licences_are_counted_assigned_and_refused(sdk: Sdk) -> None:
    sdk.state.seed({"seats": 1})
    skus = await sdk.client.subscribed_skus.get()
    assert skus is not None
    (sku,) = skus.value or []
    assert sku.prepaid_units is not None
    assert (sku.sku_part_number, sku.prepaid_units.enabled, sku.consumed_units) == (sdk.state.sku_part_number, 1, 0)
    body = AssignLicensePostRequestBody(add_licenses=[AssignedLicense(sku_id=sku.sku_id)], remove_licenses=[])
    first, second = await sdk.make(3), await sdk.make(4)
    licensed = await sdk.client.users.by_user_id(first).assign_license.post(body)
    assert licensed is not None
    with pytest.raises(ODataError) as caught:
        await sdk.client.users.by_user_id(second).assign_license.post(body)
    assert "available licenses" in str(caught.value.error)
    assert sdk.state.consumed_units == 1


async def test_members_join_and_leave_a_group(sdk: Sdk) -> None:
    sdk.state.seed({"groups": [{"id": "g-class", "displayName": "Aula", "team": True}]})
    user_id = await sdk.make(5)
    group = sdk.client.groups.by_group_id("g-class")
    reference = ReferenceCreate(odata_id=f"{sdk.tenant.url}/directoryObjects/{user_id}")
    await group.members.ref.post(reference)
    with pytest.raises(ODataError) as caught:
        await group.members.ref.post(reference)
    assert caught.value.response_status_code == 400
    members = await group.members.get()
    assert members is not None
    assert [(one.id, type(one).__name__) for one in members.value or []] == [(user_id, "User")]
    await group.members.by_directory_object_id(user_id).ref.delete()
    members = await group.members.get()
    assert members is not None
    assert members.value == []
    read = await group.get()
    assert read is not None
    assert read.display_name == "Aula"


async def test_pages_are_walked_by_the_sdks_own_iterator(sdk: Sdk) -> None:
    rows = [{"userPrincipalName": f"s{number}@eco.example.org"} for number in range(250)]
    sdk.state.seed({"users": rows})
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=["userPrincipalName"], top=100)
    first = await sdk.client.users.get(RequestConfiguration(query_parameters=query))
    assert first is not None
    names: list[str] = []

    def take(user: User) -> bool:
        names.append(user.user_principal_name or "")
        return True

    await PageIterator(first, sdk.client.request_adapter).iterate(take)
    assert sorted(names) == sorted(row["userPrincipalName"] for row in rows)


async def test_delta_goes_on_from_its_link(sdk: Sdk) -> None:
    kept = await sdk.make(6)
    first = await sdk.client.users.delta.get()
    assert first is not None
    assert [one.id for one in first.value or []] == [kept]
    gone = await sdk.make(7)
    await sdk.client.users.by_user_id(kept).patch(User(job_title="Docente"))
    await sdk.client.users.by_user_id(gone).delete()
    second = await sdk.client.users.delta.with_url(first.odata_delta_link or "").get()
    assert second is not None
    changed = {one.id: one for one in second.value or []}
    assert set(changed) == {kept, gone}
    assert "@removed" in changed[gone].additional_data
    assert "@removed" not in changed[kept].additional_data


@pytest.mark.parametrize("status", [429, 503, 504])
async def test_the_sdks_retries_are_obeyed(sdk: Sdk, status: int) -> None:
    user_id = await sdk.make(8)
    sdk.state.control.add_fault(Fault("GET /users/{id}", "status", times=1, status=status, retry_after_s=0))
    read = await sdk.client.users.by_user_id(user_id).get()
    assert read is not None
    assert len(sdk.state.control.calls("GET /users/{id}")) == 2


async def test_a_missing_permission_is_403(sdk: Sdk) -> None:
    sdk.state.seed({"permissions": ["User.Read.All"]})
    with pytest.raises(ODataError) as caught:
        await sdk.make(9)
    assert caught.value.response_status_code == 403
    assert caught.value.error is not None
    assert caught.value.error.code == "Authorization_RequestDenied"
