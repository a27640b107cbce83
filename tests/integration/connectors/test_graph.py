"""The Graph connector against the simulator, over real sockets and TLS; MockTransport for what that cannot do."""

import asyncio
import logging

import pytest

from connectors.graph import GraphDirectory, MsalTokens
from connectors.http import build_http_client
from lucy.domain.students import Upn
from lucy.errors import (
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RetryLater,
    Unreadable,
)
from lucy.ports import DirectoryUser, LicenceRequest
from sandbox.graph import ServerCertificate
from tests.integration.connectors.tenants import (
    APP,
    DOMAIN,
    PASSWORD,
    SECRET,
    SKU,
    TENANT,
    Tenant,
    account,
)


async def test_a_student_is_made_found_and_licensed(tenant: Tenant) -> None:
    made = (await tenant.directory.create_users([account(1)]))["k1"]
    assert isinstance(made, DirectoryUser)
    assert tenant.state.sign_in(account(1).upn, PASSWORD) == (True, True)
    seats = await tenant.directory.licence_seats(SKU.lower())
    assert (seats.part_number, seats.enabled, seats.consumed) == (SKU, 500, 0)
    request = LicenceRequest("l1", made.id, seats.sku_id)
    assert await tenant.directory.assign_licences([request]) == {"l1": None}
    assert await tenant.directory.assign_licences([request]) == {"l1": None}  # harmless again
    found = (
        await tenant.directory.find_users({"f": Upn(account(1).upn.upper()), "g": Upn(f"no#one@{DOMAIN}")})
    ).items()
    assert dict(found)["g"] is None
    user = dict(found)["f"]
    assert isinstance(user, DirectoryUser)
    assert (user.id, user.employee_id, user.enabled, user.sku_ids) == (made.id, "40000001", True, {seats.sku_id})
    assert user.display_name == "Ñáñez, María"
    assert user.created_at is not None
    assert user.created_at.utcoffset() is not None


async def test_many_go_in_batches_of_twenty_counted_one_by_one(tenant: Tenant) -> None:
    outcomes = await tenant.directory.create_users([account(number) for number in range(45)])
    assert list(outcomes) == [f"k{number}" for number in range(45)]
    for number in range(45):  # the simulator answers in reverse order
        user = outcomes[f"k{number}"]
        assert isinstance(user, DirectoryUser)
        assert user.upn == account(number).upn
    assert sorted(tenant.limiter.costs) == [5, 20, 20]
    assert tenant.calls("token") == 1


async def test_nothing_to_do_asks_for_nothing(tenant: Tenant) -> None:
    assert await tenant.directory.create_users([]) == {}
    assert tenant.limiter.costs == []


async def test_each_row_is_judged_for_itself(tenant: Tenant) -> None:
    tenant.state.seed({"users": [{"userPrincipalName": account(1).upn}]})
    outcomes = await tenant.directory.create_users(
        [
            account(1),
            account(2),
            account(3, password="weak"),
            account(4, upn=f"ñandú@{DOMAIN}"),
            account(5, upn="a5@elsewhere.example.org"),
            account(6, first_name="", last_name=""),
        ]
    )
    told = {key: (type(one).__name__, getattr(one, "code", "")) for key, one in outcomes.items()}
    assert told == {
        "k1": ("AlreadyThere", "T-004"),
        "k2": ("DirectoryUser", ""),
        "k3": ("Refused", "T-006"),
        "k4": ("Invalid", "T-003"),
        "k5": ("Refused", "T-016"),
        "k6": ("Invalid", "T-003"),
    }
    failures = [one for one in outcomes.values() if isinstance(one, RemoteError)]
    assert all(one.ids.request_id and one.ids.client_request_id for one in failures)
    assert not any(
        secret in repr(one) + str(one) for one in failures for secret in (PASSWORD, "4000000", "andú", "María")
    )


async def test_licences_that_cannot_be_given(tenant: Tenant) -> None:
    users = [{"userPrincipalName": f"u{n}@{DOMAIN}", "id": f"id-{n}", "usageLocation": "AR"} for n in range(2)]
    tenant.state.seed({"users": [*users, {"userPrincipalName": f"u9@{DOMAIN}", "id": "id-9"}], "seats": 1})
    sku = (await tenant.directory.licence_seats(SKU)).sku_id
    one = await tenant.directory.assign_licences([LicenceRequest("ok", "id-0", sku)])
    others = await tenant.directory.assign_licences(
        [
            LicenceRequest("none left", "id-1", sku),
            LicenceRequest("no place", "id-9", sku),
            LicenceRequest("nobody", "id-7", sku),
            LicenceRequest("no such", "id-1", "00000000-0000-0000-0000-000000000000"),
        ]
    )
    assert one == {"ok": None}
    assert {key: (type(error), error.code) for key, error in others.items() if error} == {
        "none left": (Refused, "T-005"),
        "no place": (Refused, "T-027"),
        "nobody": (NotFound, "T-013"),
        "no such": (Refused, "T-014"),
    }
    with pytest.raises(NotFound) as raised:
        await tenant.directory.licence_seats("ENTERPRISEPACK")
    assert raised.value.code == "T-014"


async def test_a_throttled_row_waits_alone_and_everybody_is_told_the_longest(tenant: Tenant) -> None:
    tenant.fault(f"POST /users {account(1).upn}", "throttle", retry_after_s=7)
    tenant.fault(f"POST /users {account(2).upn}", "throttle", retry_after_s=19)
    outcomes = await tenant.directory.create_users([account(number) for number in range(4)])
    waits = {key: one.after_s for key, one in outcomes.items() if isinstance(one, RetryLater) and one.throttled}
    assert waits == {"k1": 7.0, "k2": 19.0}
    assert sum(isinstance(one, DirectoryUser) for one in outcomes.values()) == 2
    assert tenant.limiter.silences == [19.0]
    again = await tenant.directory.create_users([account(1), account(2)])
    assert all(isinstance(one, DirectoryUser) for one in again.values())


@pytest.mark.parametrize(
    ("status", "family"), [(500, OutcomeUnknown), (502, OutcomeUnknown), (504, OutcomeUnknown), (503, RetryLater)]
)
async def test_a_row_that_failed_inside(tenant: Tenant, status: int, family: type[RemoteError]) -> None:
    tenant.fault(f"POST /users {account(1).upn}", "status", status=status)
    outcomes = await tenant.directory.create_users([account(1), account(2)])
    assert type(outcomes["k1"]) is family
    assert isinstance(outcomes["k2"], DirectoryUser)


async def test_a_missing_permission(tenant: Tenant) -> None:
    tenant.fault("POST /users", "status", status=403)
    outcome = (await tenant.directory.create_users([account(1)]))["k1"]
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.ids.remote_code) == ("T-011", "Authorization_RequestDenied")


@pytest.mark.parametrize(("status", "code"), [(429, "T-010"), (503, "T-009")])
async def test_a_batch_refused_as_a_whole_stops_what_is_not_sent_yet(tenant: Tenant, status: int, code: str) -> None:
    tenant.fault("$batch", "status", status=status, retry_after_s=23, times=None)
    outcomes = await tenant.directory.create_users([account(number) for number in range(100)])
    assert {(type(one), getattr(one, "code", "")) for one in outcomes.values()} == {(RetryLater, code)}
    assert all(isinstance(one, RetryLater) and one.after_s == 23 and one.throttled for one in outcomes.values())
    assert set(tenant.limiter.silences) == {23.0}
    assert tenant.calls("$batch") <= 2  # the two under way at that time
    assert tenant.state.users == {}


async def test_a_cut_connection_leaves_its_own_batch_in_doubt(tenant: Tenant) -> None:
    tenant.fault("$batch", "cut_after", after=1)
    outcomes = await tenant.directory.create_users([account(number) for number in range(60)])
    in_doubt = [key for key, one in outcomes.items() if isinstance(one, OutcomeUnknown)]
    assert len(in_doubt) == 20
    assert sum(isinstance(one, DirectoryUser) for one in outcomes.values()) == 40
    assert len(tenant.state.users) == 60  # that is why nobody may try again without looking
    found = await tenant.directory.find_users({key: account(int(key[1:])).upn for key in in_doubt})
    assert all(isinstance(one, DirectoryUser) for one in found.values())


@pytest.mark.parametrize("action", ["cut_before", "cut_after", "truncate", "html", "malformed"])
async def test_a_write_without_a_proper_answer_is_in_doubt(tenant: Tenant, action: str) -> None:
    tenant.fault("$batch", action)
    outcome = (await tenant.directory.create_users([account(1)]))["k1"]
    assert type(outcome) is OutcomeUnknown
    assert outcome.ids.client_request_id


@pytest.mark.parametrize(
    ("action", "family"),
    [("cut_after", RetryLater), ("truncate", RetryLater), ("html", Unreadable), ("malformed", Unreadable)],
)
async def test_a_read_without_a_proper_answer_may_be_repeated(
    tenant: Tenant, action: str, family: type[RemoteError]
) -> None:
    tenant.fault("$batch", action)
    assert type((await tenant.directory.find_users({"f": account(1).upn}))["f"]) is family


async def test_a_late_answer_is_in_doubt(tenant: Tenant) -> None:
    directory = tenant.connect(timeout_s=0.3)
    await tenant.tokens.token()
    tenant.fault("$batch", "delay", delay_s=1.0)
    outcome = (await directory.create_users([account(1)]))["k1"]
    assert type(outcome) is OutcomeUnknown
    await asyncio.sleep(1.0)
    assert len(tenant.state.users) == 1


async def test_every_attempt_has_its_own_client_request_id(tenant: Tenant) -> None:
    tenant.fault("POST /users", "throttle", retry_after_s=1, times=2)
    seen = []
    for _ in range(2):
        outcome = (await tenant.directory.create_users([account(1)]))["k1"]
        assert isinstance(outcome, RetryLater)
        seen.append(outcome.ids.client_request_id)
    assert len(set(seen)) == 2
    assert [call["batch"] for call in tenant.state.control.calls("$batch")] == seen


async def test_a_token_that_stopped_being_good_is_renewed_once(tenant: Tenant) -> None:
    await tenant.directory.create_users([account(1)])
    tenant.state.tokens.clear()
    outcomes = await tenant.directory.create_users([account(number) for number in range(2, 50)])
    assert all(isinstance(one, DirectoryUser) for one in outcomes.values())
    assert tenant.calls("token") == 2
    tenant.state.tokens.clear()
    assert (await tenant.directory.licence_seats(SKU)).enabled == 500
    assert tenant.calls("token") == 3


async def test_a_token_that_is_never_good_is_refused(tenant: Tenant) -> None:
    tenant.fault("$batch", "status", status=401, times=None)
    outcome = (await tenant.directory.create_users([account(1)]))["k1"]
    assert isinstance(outcome, Refused)
    assert outcome.code == "T-002"
    assert (tenant.calls("$batch"), tenant.calls("token")) == (2, 2)


async def test_a_row_refused_for_its_token_goes_again(tenant: Tenant) -> None:
    tenant.fault(f"POST /users {account(1).upn}", "status", status=401)
    outcomes = await tenant.directory.create_users([account(1), account(2)])
    assert all(isinstance(one, DirectoryUser) for one in outcomes.values())
    assert tenant.limiter.costs == [2, 1]


async def test_a_wrong_secret_is_told_without_the_secret(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = tenant.sign_in(secret="wr0ng-but-secret")
    outcome = (await tenant.connect(tokens).create_users([account(1)]))["k1"]
    tokens.close()
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.operation, outcome.ids.remote_code) == ("T-002", "sign_in", "AADSTS7000215")
    assert outcome.ids.request_id
    assert "wr0ng" not in repr(outcome) + str(outcome) + repr(tokens) + caplog.text
    assert tenant.calls("$batch") == 0


async def test_an_expired_secret_and_an_unknown_tenant_are_for_the_administrator(tenant: Tenant) -> None:
    lost = tenant.sign_in(tenant="nowhere")
    with pytest.raises(Refused) as raised:
        await lost.token()
    assert raised.value.code == "T-002"
    tenant.state.seed({"secret_expired": True})
    with pytest.raises(Refused) as raised:
        await tenant.tokens.token()
    assert raised.value.ids.remote_code == "AADSTS7000222"
    lost.close()


@pytest.mark.parametrize("operation", ["token", "openid-configuration"])
@pytest.mark.parametrize("action", ["cut_before", "status"])
async def test_a_login_authority_that_is_down_is_waited_for(tenant: Tenant, operation: str, action: str) -> None:
    tenant.fault(operation, action, times=None)
    with pytest.raises(RetryLater) as raised:
        await tenant.tokens.token()
    assert (raised.value.code, raised.value.operation) == ("T-009", "sign_in")


async def test_a_login_page_instead_of_a_token(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    tenant.fault("token", "html")
    with pytest.raises(Unreadable) as raised:
        await tenant.tokens.token()
    assert raised.value.code == "T-015"
    assert "Gateway" not in caplog.text


async def test_an_untrusted_login_is_for_the_administrator(tenant: Tenant) -> None:
    tokens = MsalTokens(tenant.origin, TENANT, APP, SECRET, None)
    with pytest.raises(Refused) as raised:
        await tokens.token()
    assert raised.value.code == "G-005"
    tokens.close()


async def test_many_askers_share_one_token(tenant: Tenant) -> None:
    assert len(set(await asyncio.gather(*(tenant.tokens.token() for _ in range(20))))) == 1
    rejected = await tenant.tokens.token()
    assert len(set(await asyncio.gather(*(tenant.tokens.renew(rejected) for _ in range(20))))) == 1
    assert tenant.calls("token") == 2


async def test_a_token_is_kept_until_shortly_before_its_end(tenant: Tenant) -> None:
    now = 0.0
    tokens = MsalTokens(tenant.origin, TENANT, APP, SECRET, tenant.ca_file, clock=lambda: now)
    first = await tokens.token()
    now = 3200.0
    assert await tokens.token() == first
    now = 3300.0
    assert await tokens.token() != first
    tokens.close()


async def test_a_graph_nobody_listens_at_is_not_sent_to(tenant: Tenant, certificate: ServerCertificate) -> None:
    async with build_http_client(certificate.ca_file) as http:
        directory = GraphDirectory(
            base_url="https://localhost:9/v1.0", tokens=tenant.tokens, http=http, limiter=tenant.limiter
        )
        outcome = (await directory.create_users([account(1)]))["k1"]
        assert isinstance(outcome, RetryLater)
        assert (outcome.code, outcome.throttled) == ("T-009", False)
