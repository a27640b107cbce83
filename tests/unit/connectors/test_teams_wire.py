"""Statuses of the connector service into errors, the token's keeper, the masks of addresses."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connectors.teams import wire
from connectors.teams.authentication import SCOPE, BotIdentity, _KeptCredentials
from lucy.errors import (
    ConfigurationError,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RetryLater,
)

NOW = datetime(2026, 11, 24, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "send", "edit"),
    [
        (400, Invalid, Invalid),
        (401, Refused, Refused),
        (403, Refused, Refused),
        (404, NotFound, NotFound),
        (405, Refused, Refused),
        (408, OutcomeUnknown, RetryLater),
        (412, RetryLater, RetryLater),
        (413, Invalid, Invalid),
        (429, RetryLater, RetryLater),
        (500, OutcomeUnknown, RetryLater),
        (502, OutcomeUnknown, RetryLater),
        (503, OutcomeUnknown, RetryLater),
        (504, OutcomeUnknown, RetryLater),
    ],
)
def test_statuses(status: int, send: type[RemoteError], edit: type[RemoteError]) -> None:
    for repeatable, expected in ((False, send), (True, edit)):
        error = wire.status_error("op", status, repeatable=repeatable, remote_code="X")
        assert type(error) is expected
        assert (error.code, error.ids.remote_code) == ("T-012", "X")
        assert str(status) in error.detail


def test_waits() -> None:
    throttled = wire.status_error("op", 429, repeatable=False, wait_s=17)
    overlap = wire.status_error("op", 412, repeatable=False)
    down = wire.status_error("op", 503, repeatable=True, wait_s=40)
    waits = [(error.after_s, error.throttled) for error in (throttled, overlap, down) if isinstance(error, RetryLater)]
    assert waits == [(17, True), (wire.OVERLAP_WAIT_S, False), (40, False)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("7", 7.0),
        ("-3", 0.0),
        ("inf", 3600.0),
        ("Tue, 24 Nov 2026 08:15:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 08:00:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, expected: float | None) -> None:
    assert wire.retry_after_s(header, now=NOW) == expected


def test_conversation_ids() -> None:
    assert wire.base_conversation("19:c@thread.tacv2;messageid=17") == "19:c@thread.tacv2"
    assert [wire.thread_root(one) for one in ("19:c;messageid=17", "19:c", "a:1")] == ["17", "", ""]


def test_an_app_needs_its_password_and_tenant() -> None:
    assert BotIdentity().configuration().APP_ID == ""
    assert BotIdentity("app", "secret", "tenant").configuration().APP_TYPE == "SingleTenant"
    for incomplete in (BotIdentity("app"), BotIdentity("app", "secret"), BotIdentity("app", "", "tenant")):
        with pytest.raises(ConfigurationError):
            incomplete.configuration()
    assert "secret" not in repr(BotIdentity("app", "secret", "tenant"))


class Login:
    """The SDK's factory and its credentials in one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.made, self.asked, self.error = 0, 0, error

    async def create_credentials(self, *_arguments: Any) -> "Login":
        self.made += 1
        return self

    def get_access_token(self) -> str:
        self.asked += 1
        if self.error:
            raise self.error
        return "token"


async def test_credentials_are_kept_and_the_token_is_asked_for_ahead() -> None:
    login = Login()
    kept = _KeptCredentials(login)
    await kept.warm("app", "op")
    await kept.warm("app", "op")
    assert await kept.create_credentials("app", SCOPE, "login", True) is login
    assert (login.made, login.asked) == (1, 1)


@pytest.mark.parametrize(
    ("error", "expected", "code"),
    [
        (requests.ConnectionError("login"), RetryLater, "T-012"),
        (PermissionError("AADSTS7000215 invalid secret"), Refused, "T-002"),
        (ValueError("authority"), Refused, "T-002"),
    ],
)
async def test_no_token(error: Exception, expected: type[RemoteError], code: str) -> None:
    kept = _KeptCredentials(Login(error))
    for _attempt in range(2):
        with pytest.raises(expected) as caught:
            await kept.warm("app", "op")
        assert caught.value.code == code
        assert "AADSTS" not in str(caught.value)
