"""Whether a password was used, and what a returned letter says of its address."""

from datetime import UTC, datetime, timedelta

import pytest

from lucy.domain.letter_states import says_no_such_mailbox, was_used
from lucy.domain.letters import step_of

MAILED = datetime(2026, 11, 1, 12, tzinfo=UTC)
BEFORE, AFTER = MAILED - timedelta(minutes=1), MAILED + timedelta(days=2)


@pytest.mark.parametrize(
    ("signed_in_at", "password_changed_at", "must_change", "used"),
    [
        (AFTER, BEFORE, True, True),
        (None, AFTER, None, True),
        (None, BEFORE, None, False),
        (BEFORE, BEFORE, True, False),
        (None, None, True, False),
        (None, BEFORE, False, True),  # somebody took the obligation away, or has met it
        (None, None, None, None),
    ],
)
def test_used(
    signed_in_at: datetime | None, password_changed_at: datetime | None, must_change: bool | None, used: bool | None
) -> None:
    found = was_used(
        since=MAILED, signed_in_at=signed_in_at, password_changed_at=password_changed_at, must_change=must_change
    )
    assert found is used


@pytest.mark.parametrize(
    ("status", "no_mailbox"),
    [
        ("5.1.1", True),
        ("5.1.10", True),
        ("5.4.1", True),
        ("", True),
        ("5.2.2", False),
        ("5.7.1", False),
        ("4.4.7", False),
    ],
)
def test_what_a_status_says_of_the_address(status: str, no_mailbox: bool) -> None:
    assert says_no_such_mailbox(status) is no_mailbox


@pytest.mark.parametrize(
    ("message_id", "step"),
    [
        ("<lucy.12.345@eco.unrc.edu.ar>", 345),
        ("<lucy.12.345@ECO.unrc.edu.ar>", 345),
        ("<lucy.12.345@eco-unrc.edu.ar>", None),
        ("<lucy.test.3@eco.unrc.edu.ar>", None),
        ("<lucy.12.345@eco.unrc.edu.ar.evil.example>", None),
        ("", None),
    ],
)
def test_the_step_of_a_letter(message_id: str, step: int | None) -> None:
    assert step_of(message_id, domain="eco.unrc.edu.ar") == step
