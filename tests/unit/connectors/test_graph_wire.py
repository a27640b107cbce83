"""Graph's shapes, contracts/graph.md: requests built, answers and faults read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.graph import asking, faults, pages, wire
from connectors.graph.models import Operation, SubResponse
from lucy.domain.students import Upn
from lucy.errors import (
    AlreadyThere,
    Conflict,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RetryLater,
    Unreadable,
)
from lucy.ports import EnabledChange, LicenceRequest, NewAccount, NewPassword

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
ACCOUNT = NewAccount(
    key="9",
    upn=Upn("a40123456@eco.unrc.edu.ar"),
    mail_nickname="a40123456",
    first_name="María José",
    last_name="Ñáñez",
    employee_id="40123456",
    password="Xk7%vRq2#mTz9&Wd",
)
IDS = {"request-id": "1f3b-77", "client-request-id": "c-1", "date": "2026-03-02T12:00:00"}


def refusal(message: str, *details: tuple[str, str], code: str = "Request_BadRequest") -> dict[str, Any]:
    listed = [{"code": one, "target": target, "message": message} for one, target in details]
    error: dict[str, Any] = {"code": code, "message": message, "innerError": IDS}
    return {"error": error | ({"details": listed} if listed else {})}


def test_a_new_user_has_all_that_graph_requires() -> None:
    request = asking.create_user(ACCOUNT)
    assert (request.method, request.url) == ("POST", "/users")
    assert request.body == {
        "accountEnabled": True,
        "displayName": "Ñáñez, María José",
        "givenName": "María José",
        "surname": "Ñáñez",
        "mailNickname": "a40123456",
        "userPrincipalName": "a40123456@eco.unrc.edu.ar",
        "employeeId": "40123456",
        "usageLocation": "AR",
        "passwordProfile": {"password": "Xk7%vRq2#mTz9&Wd", "forceChangePasswordNextSignIn": True},
    }


def test_names_are_cut_to_graphs_lengths_and_never_sent_empty() -> None:
    long = NewAccount("1", Upn("a1@x.ar"), "a1", "A" * 300, "", "1", "p")
    body = asking.create_user(long).body or {}
    assert (body["displayName"], body["givenName"]) == ("A" * 256, "A" * 64)
    assert "surname" not in body


def test_a_sub_request_shows_nothing_of_the_person() -> None:
    shown = repr(asking.create_user(ACCOUNT)) + repr(asking.find_user(ACCOUNT.upn)) + repr(ACCOUNT)
    assert "Xk7%" not in shown
    assert "find" not in shown
    assert "40123456" not in repr(asking.create_user(ACCOUNT)) + repr(asking.find_user(ACCOUNT.upn))


def test_a_upn_is_encoded_in_an_address() -> None:
    url = asking.find_user(Upn("o'neil#1/..?x@eco.unrc.edu.ar")).url
    assert url.startswith("/users/o%27neil%231%2F..%3Fx@eco.unrc.edu.ar?$select=")
    selected = url.partition("?$select=")[2]
    assert selected.startswith("id,userPrincipalName,displayName,givenName,surname,employeeId,accountEnabled,")
    assert selected == asking.read_by_id("u-1").url.partition("?$select=")[2]


def test_an_object_id_is_encoded_in_an_address() -> None:
    assert asking.read_by_id("u/1").url.startswith("/users/u%2F1?$select=id,")


def test_what_is_taken_for_the_work_of_others_is_never_set_by_lucy() -> None:
    assert not set(wire.OTHERS_FIELDS) & set(asking.create_user(ACCOUNT).body or {})


def test_a_licence_names_both_lists() -> None:
    request = asking.assign_licence(LicenceRequest("1", "u/1", "sku"))
    assert request.url == "/users/u%2F1/assignLicense"
    assert request.body == {"addLicenses": [{"skuId": "sku", "disabledPlans": []}], "removeLicenses": []}


def test_a_licence_is_taken_away_with_both_lists_named() -> None:
    request = asking.remove_licence(LicenceRequest("1", "u/1", "sku"))
    assert (request.method, request.url) == ("POST", "/users/u%2F1/assignLicense")
    assert request.body == {"addLicenses": [], "removeLicenses": ["sku"]}


def test_the_sign_in_is_changed_alone() -> None:
    request = asking.set_enabled(EnabledChange("1", "u/1", enabled=False))
    assert (request.method, request.url, request.body) == ("PATCH", "/users/u%2F1", {"accountEnabled": False})
    assert asking.set_enabled(EnabledChange("1", "u", enabled=True)).body == {"accountEnabled": True}


def test_a_new_password_must_be_changed_and_is_never_shown() -> None:
    wanted = NewPassword("1", "u/1", "Zt4!pLw8$cRn2*Hy")
    request = asking.reset_password(wanted)
    assert (request.method, request.url) == ("PATCH", "/users/u%2F1")
    assert request.body == {"passwordProfile": {"password": "Zt4!pLw8$cRn2*Hy", "forceChangePasswordNextSignIn": True}}
    assert "Zt4" not in repr(wanted) + repr(request)


def test_a_post_has_a_body_even_an_empty_one_and_a_delete_has_none() -> None:
    document = asking.batch([asking.revoke_sessions("u/1"), asking.delete_user("u/1")])
    revoke, delete = document["requests"]  # type: ignore[misc]
    assert (revoke["method"], revoke["url"], revoke["body"]) == ("POST", "/users/u%2F1/revokeSignInSessions", {})
    assert revoke["headers"] == {"Content-Type": "application/json"}
    assert (delete["method"], delete["url"]) == ("DELETE", "/users/u%2F1")
    assert not {"headers", "body"} & set(delete)


def test_a_batch_names_the_type_only_where_there_is_a_body() -> None:
    document = asking.batch([asking.create_user(ACCOUNT), asking.find_user(Upn("a@b.ar"))])
    first, second = document["requests"]  # type: ignore[misc]
    assert (first["id"], first["headers"]) == ("0", {"Content-Type": "application/json"})
    assert set(second) == {"id", "method", "url"}


def test_a_batchs_answers_are_matched_by_id_and_broken_ones_left_out() -> None:
    document = {
        "responses": [
            {"id": "1", "status": 429, "headers": {"retry-after": "11"}, "body": refusal("Too Many Requests")},
            {"id": "0", "status": 201, "headers": {"Request-Id": "r-0"}, "body": {"id": "u"}},
            {"id": "x", "status": 200},
            {"id": "2"},
            "nonsense",
        ]
    }
    answers = wire.read_batch(document, client_request_id="c-9", now=NOW)
    assert answers == {
        0: SubResponse(201, {"id": "u"}, None, "r-0", "c-9"),
        1: SubResponse(429, refusal("Too Many Requests"), 11.0, "1f3b-77", "c-9"),
    }
    assert wire.read_batch({"value": []}, client_request_id="", now=NOW) is None
    assert wire.read_batch(None, client_request_id="", now=NOW) is None


def test_a_user_is_read_with_aware_times() -> None:
    user = wire.read_user(
        {
            "id": "u-1",
            "userPrincipalName": "a1@x.ar",
            "displayName": None,
            "employeeId": "40123456",
            "accountEnabled": False,
            "createdDateTime": "2026-03-02T09:00:00.1234567Z",
            "assignedLicenses": [{"skuId": "s-1", "disabledPlans": []}, {}],
        }
    )
    assert user is not None
    assert (user.display_name, user.enabled, user.sku_ids) == ("", False, frozenset({"s-1"}))
    assert (user.given_name, user.surname, user.usage_location, user.set_by_others) == ("", "", "", frozenset())
    assert user.created_at == datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


def test_a_user_tells_what_another_hand_has_set() -> None:
    user = {"id": "u-1", "userPrincipalName": "a1@x.ar", "accountEnabled": True}
    named = {"givenName": "Ana", "surname": "Suárez", "usageLocation": "AR"}
    empty = {"jobTitle": None, "department": "", "businessPhones": [], "onPremisesSyncEnabled": False}
    untouched = wire.read_user(user | named | empty)
    assert untouched is not None
    assert (untouched.given_name, untouched.surname, untouched.usage_location) == ("Ana", "Suárez", "AR")
    assert untouched.set_by_others == frozenset()
    others = {
        "jobTitle": "Docente",
        "department": "Economía",
        "officeLocation": "P2",
        "mobilePhone": "358",
        "businessPhones": ["1"],
        "companyName": "UNRC",
        "onPremisesSyncEnabled": True,
    }
    touched = wire.read_user(user | others)
    assert touched is not None
    assert touched.set_by_others == set(others)


@pytest.mark.parametrize(
    "body", [None, [], {}, {"id": "u"}, {"id": "u", "userPrincipalName": "a@b", "accountEnabled": "y"}]
)
def test_what_is_no_user_is_none(body: object) -> None:
    assert wire.read_user(body) is None


def test_a_201_shows_little_and_what_was_accepted_stands_for_the_rest() -> None:
    created = wire.read_created({"id": "u-1", "userPrincipalName": ACCOUNT.upn, "displayName": "Ñáñez, María"}, ACCOUNT)
    assert created is not None
    assert (created.id, created.employee_id, created.enabled, created.created_at) == ("u-1", "40123456", True, None)
    assert (created.given_name, created.surname, created.usage_location) == ("María José", "Ñáñez", "AR")
    assert wire.read_created({"userPrincipalName": ACCOUNT.upn}, ACCOUNT) is None


def test_seats_are_read_page_by_page() -> None:
    sku = {"skuId": "s", "skuPartNumber": "X", "prepaidUnits": {"enabled": 5, "warning": 0}, "consumedUnits": 6}
    document = {"value": [sku, {"skuId": "t"}], "@odata.nextLink": "https://graph.test/v1.0/more"}
    page = pages.read_page(document, pages.read_seats)
    assert page is not None
    assert [one.free for one in page.entries] == [0]
    assert page.next_url == "https://graph.test/v1.0/more"
    assert pages.read_page({"value": "?"}, pages.read_seats) is None


COMPLEXITY = (
    "The specified password does not comply with password complexity requirements. Please provide a different one."
)
VERIFIED = (
    "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names."
)
IN_USE = "Another object with the same value for property userPrincipalName already exists."
CREATE, FIND, LICENCE = Operation.CREATE, Operation.FIND, Operation.LICENCE
CHANGES = [Operation.UNLICENCE, Operation.ENABLE, Operation.REVOKE, Operation.PASSWORD, Operation.DELETE]


@pytest.mark.parametrize(
    ("operation", "status", "body", "family", "code"),
    [
        (CREATE, 400, refusal(IN_USE, ("ObjectConflict", "userPrincipalName")), AlreadyThere, "T-004"),
        (CREATE, 400, refusal("?", ("ObjectConflict", "userPrincipalName")), AlreadyThere, "T-004"),
        (CREATE, 400, refusal(IN_USE), AlreadyThere, "T-004"),
        (CREATE, 409, refusal("?"), AlreadyThere, "T-004"),
        (CREATE, 500, refusal(IN_USE), AlreadyThere, "T-004"),
        (CREATE, 400, refusal("?", ("ObjectConflict", "proxyAddresses")), Conflict, "T-004"),
        (CREATE, 400, refusal(IN_USE.replace("userPrincipalName", "proxyAddresses")), Conflict, "T-004"),
        (CREATE, 400, refusal(COMPLEXITY), Refused, "T-006"),
        (CREATE, 400, refusal("?", ("InvalidValue", "passwordProfile.password")), Refused, "T-006"),
        (CREATE, 400, refusal(VERIFIED, ("InvalidValue", "userPrincipalName")), Refused, "T-016"),
        (CREATE, 400, refusal("Property userPrincipalName is invalid."), Invalid, "T-003"),
        (CREATE, 400, refusal("One or more properties contains invalid values."), Invalid, "T-003"),
        (CREATE, 400, None, Invalid, "T-003"),
        (CREATE, 401, refusal("Expired", code="InvalidAuthenticationToken"), Refused, "T-002"),
        (CREATE, 403, refusal("Insufficient privileges", code="Authorization_RequestDenied"), Refused, "T-011"),
        (CREATE, 404, None, Unreadable, "T-015"),
        (CREATE, 429, None, RetryLater, "T-010"),
        (CREATE, 424, None, RetryLater, "T-010"),
        (CREATE, 503, None, RetryLater, "T-009"),
        (CREATE, 500, refusal("?"), OutcomeUnknown, "T-009"),
        (CREATE, 502, None, OutcomeUnknown, "T-009"),
        (CREATE, 504, None, OutcomeUnknown, "T-009"),
        (CREATE, 418, None, Invalid, "T-003"),
        (FIND, 504, None, RetryLater, "T-009"),
        (FIND, 500, None, RetryLater, "T-009"),
        (FIND, 400, None, Invalid, "T-003"),
        (FIND, 403, None, Refused, "T-011"),
        (LICENCE, 400, refusal("Subscription … does not have any available licenses."), Refused, "T-005"),
        (LICENCE, 400, refusal("?", ("CountViolation", "")), Refused, "T-005"),
        (LICENCE, 400, refusal("… cannot be done for user with invalid usage location."), Refused, "T-027"),
        (LICENCE, 400, refusal("License x does not correspond to a valid company License."), Refused, "T-014"),
        (LICENCE, 400, refusal("?", ("MutuallyExclusiveViolation", "")), Refused, "T-025"),
        (LICENCE, 400, refusal("?", ("DependencyViolation", "")), Refused, "T-026"),
        (LICENCE, 400, refusal("?", ("UniquenessViolation", "")), Refused, "T-028"),
        (LICENCE, 400, refusal("? Other"), Refused, "T-008"),
        (LICENCE, 404, refusal("Resource 'x' does not exist", code="Request_ResourceNotFound"), NotFound, "T-013"),
        (LICENCE, 409, None, RetryLater, "T-009"),
        (LICENCE, 504, None, OutcomeUnknown, "T-009"),
        (LICENCE, 429, None, RetryLater, "T-010"),
    ],
)
def test_a_refusal_is_named_by_its_remedy(
    operation: Operation, status: int, body: object, family: type[RemoteError], code: str
) -> None:
    error = faults.error_of(SubResponse(status, body, client_request_id="c-1"), operation)
    assert (type(error), error.code, error.operation) == (family, code, operation.value)
    assert error.ids.client_request_id == "c-1"


@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize(
    ("status", "body", "family", "code"),
    [
        (400, refusal("Unable to update the specified properties for …"), Refused, "T-017"),
        (400, None, Refused, "T-017"),
        (401, None, Refused, "T-002"),
        (403, refusal("Insufficient privileges", code="Authorization_RequestDenied"), Refused, "T-011"),
        (404, refusal("Resource 'x' does not exist", code="Request_ResourceNotFound"), NotFound, "T-007"),
        (409, None, RetryLater, "T-009"),
        (424, None, RetryLater, "T-010"),
        (429, None, RetryLater, "T-010"),
        (503, None, RetryLater, "T-009"),
        (500, None, OutcomeUnknown, "T-009"),
        (502, None, OutcomeUnknown, "T-009"),
        (504, None, OutcomeUnknown, "T-009"),
    ],
)
def test_a_refused_change_is_named_by_its_remedy(
    operation: Operation, status: int, body: object, family: type[RemoteError], code: str
) -> None:
    error = faults.error_of(SubResponse(status, body), operation)
    assert (type(error), error.code, error.operation) == (family, code, operation.value)


@pytest.mark.parametrize(
    ("operation", "body", "family", "code"),
    [
        (Operation.PASSWORD, refusal(COMPLEXITY), Refused, "T-006"),
        (Operation.PASSWORD, refusal("?", ("InvalidValue", "passwordProfile.password")), Refused, "T-006"),
        (Operation.UNLICENCE, refusal("… attribute concurrency …"), RetryLater, "T-009"),
        (
            Operation.UNLICENCE,
            refusal("?", ("LicenseAssignmentAttributeConcurrencyException", "")),
            RetryLater,
            "T-009",
        ),
    ],
)
def test_a_change_refused_for_a_reason_of_its_own(
    operation: Operation, body: object, family: type[RemoteError], code: str
) -> None:
    error = faults.error_of(SubResponse(400, body), operation)
    assert (type(error), error.code) == (family, code)


def test_only_reads_leave_nothing_in_doubt() -> None:
    assert {one for one in Operation if not one.harmless} == {
        CREATE,
        LICENCE,
        *CHANGES,
        Operation.UPDATE,
        Operation.RESTORE,
        Operation.JOIN,
        Operation.LEAVE,
    }


@pytest.mark.parametrize(
    ("status", "family", "code"),
    [
        (400, Unreadable, "T-015"),
        (302, Unreadable, "T-015"),
        (404, Unreadable, "T-015"),
        (401, Refused, "T-002"),
        (403, Refused, "T-011"),
        (429, RetryLater, "T-010"),
        (503, RetryLater, "T-009"),
        (504, OutcomeUnknown, "T-009"),
    ],
)
def test_a_batch_refused_as_a_whole(status: int, family: type[RemoteError], code: str) -> None:
    error = faults.error_of_whole(SubResponse(status), CREATE)
    assert (type(error), error.code) == (family, code)


def test_what_is_assigned_already_is_no_failure() -> None:
    assert faults.nothing_to_change(SubResponse(400, refusal("No license changes provided, please check.")))
    assert faults.nothing_to_change(SubResponse(400, refusal("User does not have a corresponding license.")))
    assert not faults.nothing_to_change(SubResponse(400, refusal("Something else")))


def test_waits_are_graphs_own_where_it_names_them() -> None:
    named = faults.error_of(SubResponse(429, None, 42.0), CREATE)
    unnamed = faults.error_of(SubResponse(503), CREATE)
    assert isinstance(named, RetryLater)
    assert isinstance(unnamed, RetryLater)
    assert (named.after_s, named.throttled) == (42.0, True)
    assert (unnamed.after_s, unnamed.throttled) == (faults.DOWN_WAIT_S, False)


def test_silence_is_the_longest_wait_asked_for() -> None:
    answers = [SubResponse(201), SubResponse(429, None, 3.0), SubResponse(503, None, 8.0), SubResponse(503)]
    assert faults.silence_s(answers) == 8.0
    assert faults.silence_s([SubResponse(429)]) == faults.THROTTLED_WAIT_S
    assert faults.silence_s([SubResponse(503), SubResponse(500)]) == 0.0


def test_an_error_tells_codes_and_ids_and_never_a_message() -> None:
    body = refusal("Resource 'a40123456@eco.unrc.edu.ar' …", ("InvalidValue", "userPrincipalName"))
    error = faults.error_of(SubResponse(400, body, None, "", "c-1"), CREATE)
    assert error.detail == "HTTP 400, Request_BadRequest, InvalidValue userPrincipalName"
    assert (error.ids.request_id, error.ids.remote_code) == ("1f3b-77", "InvalidValue")
    assert "40123456" not in repr(error) + str(error)


def test_a_code_that_is_none_is_not_shown() -> None:
    body = refusal("?", ("no code: María Ñáñez", "a@b.ar"), code="María")
    error = faults.error_of(SubResponse(400, body), CREATE)
    assert "Mar" not in repr(error)
    assert error.detail == "HTTP 400"
