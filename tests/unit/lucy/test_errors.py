import copy
import pickle

import pytest

from lucy.errors import (
    AlreadyThere,
    ConfigurationError,
    Conflict,
    Invalid,
    LucyError,
    NotFound,
    OutcomeUnknown,
    Refused,
    Remedy,
    RemoteError,
    RemoteIds,
    RequestError,
    RetryLater,
    System,
    Unreadable,
)

REMEDIES = {
    RetryLater: Remedy.WAIT,
    Refused: Remedy.ADMINISTRATOR,
    Invalid: Remedy.SOURCE,
    NotFound: Remedy.OPERATOR,
    AlreadyThere: Remedy.OPERATOR,
    Conflict: Remedy.ADMINISTRATOR,
    OutcomeUnknown: Remedy.WAIT,
    Unreadable: Remedy.ADMINISTRATOR,
}
every_remote = pytest.mark.parametrize("kind", REMEDIES)


def test_the_tree_is_the_documented_one() -> None:
    """A remote error outside the list would be caught by nobody."""
    ours = {kind for kind in RemoteError.__subclasses__() if kind.__module__ == "lucy.errors"}
    assert ours == set(REMEDIES)
    assert all(issubclass(kind, LucyError) for kind in (RemoteError, RequestError, ConfigurationError))
    assert not issubclass(RequestError, RemoteError)
    assert not any(issubclass(one, other) for one in REMEDIES for other in REMEDIES if one is not other)


@every_remote
def test_the_remedy_and_the_data_travel_with_it(kind: type[RemoteError]) -> None:
    ids = RemoteIds(request_id="r", client_request_id="c", remote_code="invalidtoken")
    with pytest.raises(RemoteError) as caught:
        raise kind(System.MOODLE, "create_users", "M-002", detail="HTTP 200", ids=ids)
    error = caught.value
    assert error.remedy is REMEDIES[kind]
    assert (error.system, error.operation, error.code) == (System.MOODLE, "create_users", "M-002")
    assert (error.detail, error.ids) == ("HTTP 200", ids)


@every_remote
def test_the_text_shows_code_system_operation_and_detail_only(kind: type[RemoteError]) -> None:
    ids = RemoteIds(request_id="request-7", client_request_id="client-7", remote_code="code-7")
    assert str(kind(System.GRAPH, "create_users", "T-003", detail="HTTP 400", ids=ids)) == (
        "T-003 graph create_users: HTTP 400"
    )
    assert str(kind(System.GRAPH, "create_users", "T-003", ids=ids)) == f"T-003 graph create_users: {kind.__name__}"


def test_the_wait_is_not_shown_but_kept() -> None:
    error = RetryLater(System.SIAL, "list", "U-002", after_s=37.0, throttled=True)
    assert str(error) == "U-002 sial list: RetryLater"
    assert (error.after_s, error.throttled) == (37.0, True)
    plain = RetryLater(System.SIAL, "list", "U-002")
    assert plain.after_s > 0
    assert not plain.throttled


@every_remote
def test_errors_are_themselves_and_no_other(kind: type[RemoteError]) -> None:
    """Two students may fail alike: their errors still are two, and can be kept in sets."""
    one, other = (kind(System.MAIL, "send", "E-003") for _ in range(2))
    assert one != other
    assert len({one, other, one}) == 2


@every_remote
def test_errors_survive_being_copied_and_sent(kind: type[RemoteError]) -> None:
    error = kind(System.MAIL, "send", "E-003", detail="451", ids=RemoteIds(remote_code="4.7.1"))
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is kind
        assert vars(twin) == vars(error)


def test_a_request_error_says_its_text_as_it_is() -> None:
    assert str(RequestError("No entiendo «y».")) == "No entiendo «y»."


def test_systems_by_the_names_that_limits_use() -> None:
    assert [one.value for one in System] == ["graph", "moodle", "sial", "mail", "teams", "queue"]
