"""`correo de prueba`: the letter goes the way that students' letters go, and each failure says who mends it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.grammar import Command, CommandName, parse
from cards.as_text import as_text
from cards.trial_letter import trial_letter_card
from lucy.db.tables import TrialLetterRow
from lucy.domain.views import Frame
from lucy.flows.send_trial_letter import ask_for_trial_letter, send_trial_letter, view_of
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import actor
from tests.integration.support.works import Works, table_contents

ADDRESS = "ana@example.com"


async def tried(works: Works, address: str = ADDRESS) -> TrialLetterRow:
    now = datetime.now(UTC)
    async with works.db.transaction() as session:
        row = await ask_for_trial_letter(session, address, actor=actor(works.people[2]), now=now)
    await works.drain()
    async with works.db.transaction() as session:
        return await session.get_one(TrialLetterRow, row.id)


def said(works: Works, row: TrialLetterRow) -> str:
    return as_text(trial_letter_card(view_of(row), Frame("SIMULADOR", works.runtime.house.zone, datetime.now(UTC))))


async def test_an_accepted_letter_is_told_and_sent_once(works: Works) -> None:
    row = await tried(works)
    (letter,) = works.states.inbox.sent_to(ADDRESS)
    assert "correo de prueba" in letter.text
    assert (row.code, row.finished_at is not None) == ("", True)
    assert "Aceptada por el servidor" in said(works, row)
    assert ADDRESS not in said(works, row)
    await send_trial_letter(works.db, works.runtime.mailer, row.id, house=works.runtime.house)
    assert len(works.states.inbox.sent_to(ADDRESS)) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"match": "MAIL", "action": "reply", "status": 550}, "E-002"),
        ({"match": "RCPT", "action": "reply", "status": 550}, "E-004"),
        ({"match": "CONNECT", "action": "reply", "status": 421}, "E-006"),
    ],
)
async def test_each_refusal_says_what_to_do(works: Works, fault: dict[str, Any], code: str) -> None:
    works.fault("inbox", **fault)
    row = await tried(works)
    assert row.code == code
    assert f"{code}. " in said(works, row)
    assert "No salió" in said(works, row)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"smtp_host": "no-such-host.invalid"}, "E-012"),
        ({"smtp_host": "127.0.0.1", "smtp_port": 1}, "E-006"),
        ({"smtp_security": "starttls"}, "E-009"),
        ({"smtp_user": "lucy", "smtp_password": "wrong"}, "E-005"),
    ],
)
async def test_what_is_wrong_with_the_settings_is_told_apart(
    open_works: OpenWorks, settings: dict[str, Any], code: str
) -> None:
    works = await open_works(**settings)
    row = await tried(works)
    assert row.code == code, row.reply


async def test_a_message_to_a_worker_names_nobody(works: Works) -> None:
    await tried(works)
    assert all("@" not in str(nudge.args) for nudge in works.nudges.sent)
    contents = await table_contents(works.db, without=["trial_letter"])
    assert ADDRESS not in str(contents)


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("correo de prueba ana@example.com", "ana@example.com"),
        ("Correo de prueba: ana@example.com", "ana@example.com"),
        ("test mail ana@example.com", "ana@example.com"),
        ("correo de prueba", ""),
    ],
)
def test_it_is_three_words(text: str, argument: str) -> None:
    assert parse(text) == Command(CommandName.TEST_MAIL, argument)
