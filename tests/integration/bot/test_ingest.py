"""`ingesta` and `apartados` in the channel: who may decides on a reading that waits, once, on the card or in words."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from lucy.db import ingest as ingest_db
from lucy.db.tables import IngestRunRow
from lucy.domain.ingest_guard import HeldRun
from lucy.domain.roles import Role
from lucy.domain.students import SourceList
from tests.integration.support.channel import Talk, talking
from tests.integration.support.people import grant
from tests.integration.support.works import audit_events

COMPARED = {"whole": True, "on_list": 412, "new": 1, "changed": 3, "unchanged": 200}


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        await grant(opened.db, opened.ana, Role.OPERADOR)
        await grant(opened.db, opened.bruno, Role.APROBADOR)
        yield opened


async def waiting(talk: Talk) -> int:
    async with talk.db.transaction() as session:
        run = await ingest_db.request_run(
            session, SourceList.ASPIRANTES, requested_by="ingesta-nocturna", now=datetime.now(UTC), full=True
        )
        run.received_at = run.started_at = datetime.now(UTC)
        run.waits_for, run.comparison, run.seen = HeldRun.SHORT.value, COMPARED, 204
        return run.id


async def run_of(talk: Talk, number: int) -> IngestRunRow:
    async with talk.db.transaction() as session:
        return await session.get_one(IngestRunRow, number)


async def test_what_waits_is_written_when_an_approver_says_so(talk: Talk) -> None:
    number = await waiting(talk)
    told = await talk.presses(talk.bruno, "ingest.release", {"run": number})
    assert "dejó pasar" in told.text
    run = await run_of(talk, number)
    assert (run.waits_for, run.released_by, run.finished_at) == ("", talk.bruno.name, None)
    assert [(one.action, one.actor_name) for one in await audit_events(talk.db, "ingest.release")] == [
        ("ingest.release", talk.bruno.name)
    ]
    again = await talk.presses(talk.bruno, "ingest.discard", {"run": number})
    assert "ya no espera una decisión" in again.text
    assert (await run_of(talk, number)).finished_at is None


async def test_what_waits_is_thrown_away_in_words(talk: Talk) -> None:
    number = await waiting(talk)
    told = await talk.says(talk.bruno, "ingesta aspirantes descartar")
    assert "descartó la lectura" in told.text
    run = await run_of(talk, number)
    assert (run.error_code, run.waits_for) == ("U-005", "")
    none = await talk.says(talk.bruno, "ingesta aplicar aspirantes")
    assert "Ninguna lectura de aspirantes espera" in none.text


@pytest.mark.parametrize("words", ["ingesta aspirantes aplicar", "ingesta aspirantes descartar"])
async def test_who_may_read_lists_may_not_decide(talk: Talk, words: str) -> None:
    number = await waiting(talk)
    assert "hace falta el rol aprobador" in (await talk.says(talk.ana, words)).text
    assert "hace falta el rol aprobador" in (await talk.presses(talk.ana, "ingest.release", {"run": number})).text
    assert (await run_of(talk, number)).waits_for == HeldRun.SHORT


@pytest.mark.parametrize("data", [{}, {"run": "x"}, {"run": -1}, {"run": 10**12}, {"run": None}])
async def test_a_card_that_is_none_of_ours_is_refused(talk: Talk, data: dict[str, Any]) -> None:
    assert "no se entiende" in (await talk.presses(talk.bruno, "ingest.release", data)).text


async def test_estado_and_the_report_tell_that_it_waits(talk: Talk) -> None:
    assert "faltan 209 de 412 conocidos" not in (await talk.says(talk.bruno, "estado")).text
    await waiting(talk)
    assert "faltan 209 de 412 conocidos" in (await talk.says(talk.bruno, "estado")).text


async def test_what_is_aside_is_shown_masked_with_who_mends_it(talk: Talk) -> None:
    row = {
        "source_list": SourceList.ASPIRANTES,
        "entry_key": "DNI:40123456",
        "document_number": "40123456",
        "reason": "bad_email",
        "detail": "",
        "payload": {"nrodoc": 40123456},
    }
    async with talk.db.transaction() as session:
        await ingest_db.hold(session, [row], now=datetime.now(UTC))
    told = await talk.says(talk.bruno, "apartados")
    assert "sin correo válido" in told.text
    assert "Registro de Alumnos" in told.text
    assert "40123456" not in told.json
    assert "40.123.456" not in told.json
    assert "No hay nada apartado" in (await talk.says(talk.bruno, "apartados ingresantes")).text
    assert "¿Qué lista?" in (await talk.says(talk.bruno, "apartados de ayer")).text
