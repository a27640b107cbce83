"""What the channel may see, and what the asker alone."""

import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from lucy.db.tables import BatchRow
from tests.integration.bot.test_commands import sound
from tests.integration.support.channel import Talk, talking
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import table_contents


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    """Three students whom nobody has activated, and a course for each."""
    async with talking(database_url) as opened:
        for number in (1, 2, 3):
            await students(opened.db, 1, document_number=f"4099900{number}", personal_email=f"ana{number}@example.com")
        await course_rules(opened.db, "INGRESO-2026")
        yield opened


async def test_the_channel_never_sees_an_address_or_a_whole_number(talk: Talk) -> None:
    """People's details are for the asker; asking for them by number does not put them into the channel."""
    asked = [
        "alumno 40.999.001",
        "alumno 40999001",
        "40.999.001",
        "alumno 40.111.222",
        "auditoria 40.999.001",
        "activar 40.999.001",
        "activar 40999001 40999002 aspirantes",
        "activar 40.999.001 con:cuenta",
        "activar 40.111.222",
        "lotes",
        "lote L-0001",
        "estado",
        "auditoria",
        "rechazar L-0001 no",
        "lote L-0001",
        "auditoria L-0002",
        "alumno ana1@example.com",
        "activar ana1@example.com",
        "auditoria ana1@example.com",
        "lote 40999001",
        "rechazar L-0002 40999001 es ana1@example.com",
    ]
    for words in asked:
        told = await talk.says(talk.bruno, words)
        sound(told)
        _nothing_personal(told.json, words)
    await talk.says(talk.ana, "activar 40.999.003", personal=True)
    async with talk.db.transaction() as session:
        rows = (await session.scalars(select(BatchRow.id))).all()
    for number in rows:
        told = await talk.says(talk.dario, f"lote L-{number:04d}")
        _nothing_personal(told.json, f"lote {number}")


def _nothing_personal(said: str, words: str) -> None:
    found = re.findall(r"ana[123]@example\.com|a?40\.?(?:999|111)\.?(?:00[123]|222)", said)
    assert not found, f"«{words}» put {found} into the channel"


async def test_in_private_the_asker_sees_them(talk: Talk) -> None:
    told = await talk.says(talk.dario, "alumno 40.999.001", personal=True)
    assert "40.999.001" in told.text
    assert "ana1@example.com" in told.text


async def test_the_audit_holds_no_words_of_people(talk: Talk) -> None:
    for words in (
        "alumno 40.999.001",
        "activar 40.999.001",
        "activar ana1@example.com",
        "alumno ana1@example.com",
        "ana1@example.com",
    ):
        await talk.says(talk.ana, words)
    told = "\n".join((await table_contents(talk.db))["audit_event"])
    assert "example.com" not in told
    assert "40999001" not in told.replace(".", "")
