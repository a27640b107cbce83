"""The rows of a batch, downloaded as a person does: press, follow the link, find it used up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

import bot.downloads
from bot.answers import Answer
from bot.ask import Ask
from bot.commands.download import offer
from bot.turns import read_turn
from lucy.db.tables import BatchRow, BatchStudentRow, DownloadRow, StepRow, StudentRow
from lucy.domain.operations import StepKind
from lucy.domain.roles import Role
from lucy.domain.steps import StepState
from lucy.errors import RequestError
from sandbox.teams.directory import Person
from sandbox.teams.people import Activity
from tests.integration.support.channel import Talk, Told, talking
from tests.integration.support.people import actor, course_rules, grant, students
from tests.integration.support.sheets import note_students, opened
from tests.integration.support.works import audit_events, table_contents

DATA = {"batch": 1, "version": 1}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    """L-0001: three students, asked for by Ana and approved by Bruno."""
    async with talking(database_url) as open_talk:
        known = await students(open_talk.db, 3)
        await course_rules(open_talk.db, "INGRESO-2026", "CONT-1")
        await open_talk.says(open_talk.ana, "activar aspirantes")
        await open_talk.says(open_talk.bruno, "aprobar L-0001")
        await note_students(open_talk.db, 1)
        async with open_talk.db.transaction() as session:
            await session.execute(update(StudentRow).where(StudentRow.id == known[0].id).values(first_name="=1+1"))
        yield open_talk


async def press(talk: Talk, person: Person | None = None) -> Told:
    return await talk.presses(person or talk.ana, "batch.download", DATA)


def link(told: Told) -> str:
    """The address on the card's button, on the host under test."""
    (button,) = [one for one in told.card["actions"] if one["type"] == "Action.OpenUrl"]
    assert button["title"] == "Bajar la planilla de L-0001"
    path = urlsplit(button["url"]).path
    assert path.startswith("/descargas/")
    return path


async def downloads(talk: Talk) -> list[tuple[str, str]]:
    """What the audit tells of downloads: who, what."""
    return [
        (event.actor_name, f"{event.action} {event.outcome}")
        for event in await audit_events(talk.db)
        if event.action.startswith("batch.download")
    ]


async def test_press_link_rows(talk: Talk) -> None:
    async with talk.db.transaction() as session:
        failed = (StepRow.kind == StepKind.ENROLMENT) & (StepRow.target == "CONT-1")
        await session.execute(
            update(StepRow)
            .where(failed)
            .values(state=StepState.FAILED, error_code="M-005", remedy="administrator", error_detail="DETAIL")
        )
    told = await press(talk)
    assert told.entries == [], "nobody but the presser has the link"
    assert "una sola vez" in told.text
    assert "15 minutos" in told.text
    answer = await talk.http.get(link(told))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == XLSX
    assert answer.headers["Content-Disposition"] == 'attachment; filename="L-0001.xlsx"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    sheet = opened(answer.content)
    assert [row["Apellido"].split()[0] for row in sheet.students] == ["Abad", "Barrios", "Castro"]
    first = sheet.of("Abad")
    assert first["Nombre"] == "=1+1"
    assert first["Cursos"] == "falló: CONT-1; por hacer: INGRESO-2026"
    assert (first["Código"], first["Quién corrige"]) == ("M-005", "un administrador")
    facts = {row[0]: row[1] for row in sheet.summary if len(row) > 1}
    assert facts["Lote"] == "L-0001"
    assert (facts["Pedido por"], facts["Aprobado por"]) == (talk.ana.name, talk.bruno.name)
    assert await downloads(talk) == [
        (talk.ana.name, "batch.download.offer done"),
        (talk.ana.name, "batch.download done"),
    ]
    assert {event.batch_id for event in await audit_events(talk.db, "batch.download")} == {1}


async def test_a_link_is_good_once(talk: Talk) -> None:
    path = link(await press(talk))
    assert (await talk.http.get(path)).status_code == 200
    again = await talk.http.get(path)
    gone(again)
    assert len(await downloads(talk)) == 2, "an attempt in vain is no download"


async def test_ten_at_once_are_one(talk: Talk) -> None:
    path = link(await press(talk))
    answers = await asyncio.gather(*(talk.http.get(path) for _ in range(10)))
    assert sorted(one.status_code for one in answers) == [200, *[410] * 9]


async def test_a_link_expires(talk: Talk) -> None:
    first, second = link(await press(talk)), link(await press(talk))
    talk.later(timedelta(minutes=14, seconds=50))
    assert (await talk.http.get(first)).status_code == 200
    talk.later(timedelta(seconds=15))
    assert (await talk.http.head(second)).status_code == 410
    gone(await talk.http.get(second))


async def test_a_scanner_that_only_looks_does_not_use_it_up(talk: Talk) -> None:
    path = link(await press(talk))
    for _ in range(3):
        look = await talk.http.head(path)
        assert (look.status_code, look.content) == (200, b"")
        assert look.headers["Cache-Control"] == "no-store"
    assert len(await downloads(talk)) == 1
    assert (await talk.http.get(path)).status_code == 200
    assert (await talk.http.head(path)).status_code == 410


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 5000, "%00", "%ff%fe", "..%2F..%2Fetc", "ñ", "' or 1=1 --"])
async def test_what_was_never_offered_is_answered_like_what_was_used(talk: Talk, token: str) -> None:
    path = link(await press(talk))
    await talk.http.get(path)
    unknown = await talk.http.get(f"/descargas/{token}")
    gone(unknown)
    assert unknown.text == (await talk.http.get(path)).text


async def test_no_token_no_list(talk: Talk) -> None:
    assert (await talk.http.get("/descargas/")).status_code == 404
    assert (await talk.http.post(link(await press(talk)))).status_code == 405


def gone(answer: Any) -> None:
    """A page for people, that nothing keeps."""
    assert answer.status_code == 410
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert 'lang="es-AR"' in answer.text
    assert "ya no sirve" in answer.text
    assert "pedí otro" in answer.text
    assert "{" not in answer.text.split("</style>")[1]


# Who


@pytest.mark.parametrize("role", [None, Role.CONSULTA])
async def test_without_the_role_there_is_no_link(talk: Talk, role: Role | None) -> None:
    told = await press(talk, talk.of_role(role))
    assert "Todavía no podés" in told.text if role is None else "hace falta el rol operador" in told.text
    assert "descargas" not in told.json
    assert await downloads(talk) == []
    async with talk.db.transaction() as session:
        assert (await session.scalars(select(DownloadRow))).all() == []


async def test_a_role_taken_away_kills_the_link(talk: Talk) -> None:
    path = link(await press(talk))
    await grant(talk.db, talk.ana, Role.CONSULTA)
    gone(await talk.http.get(path))
    await grant(talk.db, talk.ana, Role.OPERADOR)
    gone(await talk.http.get(path))
    assert (await downloads(talk))[-1] == (talk.ana.name, "batch.download denied")


async def test_the_link_is_the_askers_own(talk: Talk) -> None:
    first, second = link(await press(talk)), link(await press(talk, talk.bruno))
    assert first != second
    assert (await talk.http.get(second)).status_code == 200
    assert (await talk.http.get(first)).status_code == 200
    assert [who for who, what in await downloads(talk) if what == "batch.download done"] == [
        talk.bruno.name,
        talk.ana.name,
    ]


async def test_a_batch_that_is_not_there(talk: Talk) -> None:
    told = await talk.presses(talk.ana, "batch.download", {**DATA, "batch": 99})
    assert "No hay ningún lote L-0099" in told.text


async def test_back_from_the_link_to_the_batch(talk: Talk) -> None:
    told = await press(talk)
    (back,) = [one for one in told.card["actions"] if one["type"] == "Action.Execute"]
    assert "L-0001" in (await talk.presses(talk.ana, back["verb"], back["data"])).text


async def offered(talk: Talk, activity: Activity, **changes: Any) -> Answer:
    """What a command of Ana's is answered; `changes` are of the house."""
    turn = read_turn(activity)
    assert turn is not None
    house = replace(talk.settings.house(), **changes)
    async with talk.db.transaction() as session:
        return await offer(Ask(turn, session, house, datetime.now(UTC), actor(talk.ana), Role.OPERADOR), 1)


async def test_typed_in_the_channel_it_is_refused_and_in_a_personal_chat_given(talk: Talk) -> None:
    words = "exportar L-0001"
    with pytest.raises(RequestError, match="chat personal"):
        await offered(talk, talk.message(talk.ana, words))
    assert await downloads(talk) == []
    (reply,) = (await offered(talk, talk.message(talk.ana, words, personal=True))).replies
    assert "descargas" in str(reply.card)
    assert "descargas" not in reply.summary


async def test_without_an_address_no_link_is_offered(talk: Talk) -> None:
    with pytest.raises(RequestError, match="LUCY_PUBLIC_URL"):
        await offered(talk, talk.press(talk.ana, "batch.download", DATA), public_url="")
    assert await downloads(talk) == []


async def test_the_link_begins_with_the_house_s_address(talk: Talk) -> None:
    answer = await offered(talk, talk.press(talk.ana, "batch.download", DATA), public_url="https://lucy.x.org")
    assert "https://lucy.x.org/descargas/" in str(answer.invoke)


# What is kept, what is told


async def test_the_token_is_kept_nowhere(talk: Talk) -> None:
    with capture_logs() as logs:
        path = link(await press(talk))
        token = path.rpartition("/")[2]
        assert token not in str(await table_contents(talk.db))
        await talk.http.get(path)
        await talk.http.get(path)
    assert [one["event"] for one in logs if one["event"].startswith("download")] == ["download", "download_refused"]
    for private in (token, "Abad", "4012300"):
        assert private not in str(logs)


async def test_when_the_sheet_cannot_be_written_the_link_is_gone_and_says_so(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object, **_more: object) -> bytes:
        raise RuntimeError("Abad, 40123001")

    monkeypatch.setattr(bot.downloads, "write_batch_sheet", broken)
    path = link(await press(talk))
    with capture_logs() as logs:
        answer = await talk.http.get(path)
    assert answer.status_code == 500
    assert "pedí otro" in answer.text
    assert "Abad" not in answer.text
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["download_failed"]
    monkeypatch.undo()
    gone(await talk.http.get(path))


async def test_whom_nothing_can_be_done_for_and_who_changed_are_rows_too(talk: Talk) -> None:
    (alone,) = await students(talk.db, 1, last_name="Zárate")
    async with talk.db.transaction() as session:
        ids = (await session.scalars(select(StudentRow.id).order_by(StudentRow.last_name))).all()
        await session.execute(
            update(BatchStudentRow).where(BatchStudentRow.student_id == ids[1]).values(changed=["cambió el correo"])
        )
        await session.execute(
            update(StepRow).where(StepRow.student_id == ids[1]).values(state=StepState.DROPPED, error_code="G-003")
        )
        session.add(
            BatchStudentRow(
                batch_id=1, student_id=alone.id, position=999, basis_hash="", impossible=["ninguna regla les da curso"]
            )
        )
        await session.execute(
            update(BatchRow).values(impossible=[{"reason": "no figuran", "count": 2, "sample": ["●●●●5432"]}])
        )
    sheet = opened((await talk.http.get(link(await press(talk)))).content)
    assert [row["Apellido"].split()[0] for row in sheet.students] == ["Abad", "Barrios", "Castro", "Zárate"]
    dropped, impossible = sheet.of("Barrios"), sheet.of("Zárate")
    assert dropped["Cuenta"] == "quedó afuera"
    assert "cambió el correo." in dropped["Motivo"]
    assert impossible["Cuenta"] is None
    assert impossible["Motivo"] == "ninguna regla les da curso."
    assert ["no figuran", 2] in sheet.summary
    assert ["cambió el correo", 1] in sheet.summary
