"""Every command as a person gives it: posted to the real app, over a real database, in front of the Teams stand-in."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from sqlalchemy import select, text

from bot.grammar import CommandName
from lucy.db.tables import AuditEventRow, BatchRow, PostedCardRow
from lucy.domain.batches import BatchState
from lucy.domain.nudges import Nudge
from lucy.domain.operations import BatchKind
from lucy.domain.roles import Role
from lucy.domain.students import Stage
from tests.integration.support.channel import Talk, Told, button, buttons, talking
from tests.integration.support.people import course_rules, grant, students
from tests.integration.support.works import audit_events, table_contents

NEEDS = {
    CommandName.HELP: Role.CONSULTA,
    CommandName.STATUS: Role.CONSULTA,
    CommandName.STUDENT: Role.CONSULTA,
    CommandName.WHY: Role.CONSULTA,
    CommandName.BATCH: Role.CONSULTA,
    CommandName.ASIDE: Role.CONSULTA,
    CommandName.BATCHES: Role.CONSULTA,
    CommandName.AUDIT: Role.CONSULTA,
    CommandName.INGEST: Role.OPERADOR,
    CommandName.ACTIVATE: Role.OPERADOR,
    CommandName.ENROL: Role.OPERADOR,
    CommandName.UNENROL: Role.OPERADOR,
    CommandName.ACCOUNT: Role.OPERADOR,
    CommandName.LICENCE: Role.OPERADOR,
    CommandName.RULES: Role.CONSULTA,
    CommandName.LETTERS: Role.CONSULTA,
    CommandName.DRIFT: Role.CONSULTA,
    CommandName.RESET: Role.OPERADOR,
    CommandName.RESEND: Role.OPERADOR,
    CommandName.WELCOME: Role.OPERADOR,
    CommandName.SITUATION: Role.OPERADOR,
    CommandName.DISABLE: Role.OPERADOR,
    CommandName.ENABLE: Role.OPERADOR,
    CommandName.CANCEL: Role.OPERADOR,
    CommandName.PAUSE: Role.OPERADOR,
    CommandName.RESUME: Role.OPERADOR,
    CommandName.RETRY: Role.OPERADOR,
    CommandName.UNDO: Role.OPERADOR,
    CommandName.SPLIT: Role.OPERADOR,
    CommandName.RELEASE: Role.APROBADOR,
    CommandName.PAUSE_ALL: Role.APROBADOR,
    CommandName.CONFIG: Role.ADMINISTRADOR,
    CommandName.TEST_MAIL: Role.ADMINISTRADOR,
    CommandName.APPROVE: Role.APROBADOR,
    CommandName.REJECT: Role.APROBADOR,
    CommandName.PAUSE_ALL: Role.APROBADOR,
    CommandName.PERMISSIONS: Role.ADMINISTRADOR,
}
WORDS = {
    CommandName.HELP: "ayuda",
    CommandName.STATUS: "estado",
    CommandName.STUDENT: "alumno 40.999.001",
    CommandName.WHY: "por que 40.999.001",
    CommandName.BATCH: "lote L-0001",
    CommandName.ASIDE: "apartados",
    CommandName.BATCHES: "lotes",
    CommandName.AUDIT: "auditoria",
    CommandName.INGEST: "ingesta aspirantes",
    CommandName.ACTIVATE: "activar aspirantes sin:cuenta",
    CommandName.ENROL: "matricular aspirantes",
    CommandName.UNENROL: "desmatricular aspirantes",
    CommandName.ACCOUNT: "cuenta actualizar aspirantes",
    CommandName.LICENCE: "licencia aspirantes",
    CommandName.RULES: "reglas",
    CommandName.LETTERS: "plantillas",
    CommandName.DRIFT: "deriva",
    CommandName.RESET: "resetear aspirantes",
    CommandName.RESEND: "reenviar aspirantes",
    CommandName.WELCOME: "bienvenida aspirantes",
    CommandName.SITUATION: "situacion aspirantes",
    CommandName.DISABLE: "deshabilitar aspirantes",
    CommandName.ENABLE: "habilitar aspirantes",
    CommandName.CANCEL: "cancelar L-0001",
    CommandName.PAUSE: "pausar L-0001",
    CommandName.RESUME: "reanudar L-0001",
    CommandName.RETRY: "reintentar L-0001",
    CommandName.UNDO: "deshacer L-0001",
    CommandName.SPLIT: "partir L-0001",
    CommandName.RELEASE: "soltar L-0001",
    CommandName.PAUSE_ALL: "pausa general",
    CommandName.CONFIG: "config",
    CommandName.TEST_MAIL: "correo de prueba ana@example.com",
    CommandName.APPROVE: "aprobar L-0001",
    CommandName.REJECT: "rechazar L-0001 falta la comisión",
    CommandName.PAUSE_ALL: "pausa general",
    CommandName.PERMISSIONS: "permisos",
}
# What noting that somebody spoke leaves behind, and the event of the attempt.
TRACES = ("audit_event", "inbox_dedup", "member", "conversation")
NO_TRACE_OF_A_FAULT = re.compile(r"No pude hacerlo|Traceback|Error|None|\{[a-z_]+\}")


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    """Three students whom nobody has activated, and a course for each."""
    async with talking(database_url) as opened:
        for number in (1, 2, 3):
            await students(opened.db, 1, document_number=f"4099900{number}", personal_email=f"ana{number}@example.com")
        await course_rules(opened.db, "INGRESO-2026")
        yield opened


async def requested(talk: Talk, words: str = "activar aspirantes sin:cuenta") -> tuple[int, Told]:
    """Ana asks for a batch in the channel."""
    told = await talk.says(talk.ana, words)
    async with talk.db.transaction() as session:
        number = (await session.scalars(select(BatchRow.id).order_by(BatchRow.id.desc()))).first()
    assert number is not None, told.text
    return number, told


async def batch(talk: Talk, number: int = 1) -> BatchRow:
    async with talk.db.transaction() as session:
        found = await session.get(BatchRow, number)
    assert found is not None
    return found


async def events(talk: Talk, action: str) -> list[AuditEventRow]:
    return await audit_events(talk.db, action)


async def rest(talk: Talk) -> dict[str, list[str]]:
    """The state: everything but the traces that any attempt leaves."""
    return await table_contents(talk.db, without=TRACES)


def sound(told: Told) -> None:
    """An answer that no fault shines through."""
    assert told.status in {200, 201}
    assert told.text
    assert not NO_TRACE_OF_A_FAULT.search(told.text), told.text


# Roles


@pytest.mark.parametrize("role", [None, *Role], ids=str)
@pytest.mark.parametrize("command", list(CommandName), ids=lambda one: one.name)
async def test_every_command_for_every_role(talk: Talk, command: CommandName, role: Role | None) -> None:
    assert set(NEEDS) == set(WORDS) == set(CommandName), "a new command: say here who may give it"
    await grant(talk.db, talk.carla, None)  # known by name
    await requested(talk)
    before, heard = await rest(talk), len(await audit_events(talk.db))
    told = await talk.says(talk.of_role(role), WORDS[command])
    sound(told)
    allowed = role is not None and role.allows(NEEDS[command])
    if allowed:
        assert "hace falta el rol" not in told.text
        assert "Todavía no podés" not in told.text
        return
    assert await rest(talk) == before
    assert talk.carla.name in told.text, "names an administrator"
    (event,) = (await audit_events(talk.db))[heard:]
    assert event.outcome == "denied"
    assert event.actor_id == talk.of_role(role).aad_object_id
    if role is not None:
        assert f"hace falta el rol {NEEDS[command].value}" in told.text
        assert event.action == f"bot.{command.value}"


@pytest.mark.parametrize("role", list(Role), ids=str)
async def test_help_shows_only_what_the_reader_may_do(talk: Talk, role: Role) -> None:
    told = await talk.says(talk.of_role(role), "ayuda")
    for command, needed in NEEDS.items():
        if command is CommandName.HELP:
            continue
        shown = re.search(rf"^\s*{command.value}\b", told.text, re.MULTILINE) is not None
        assert shown == role.allows(needed), command


async def test_every_press_asks_for_its_role(talk: Talk) -> None:
    number, _told = await requested(talk)
    data = {"batch": number, "version": (await batch(talk)).version, "reason": "no"}
    before = await rest(talk)
    for verb in ("batch.approve", "batch.reject", "batch.cancel", "batch.propose"):
        for person in (talk.dario, talk.eva):
            told = await talk.presses(person, verb, {**data, "selection": "aspirantes"})
            sound(told)
            assert "hace falta el rol" in told.text or "Todavía no podés" in told.text
            assert told.entries == [], "told to the presser alone"
    told = await talk.presses(talk.ana, "batch.approve", data)
    assert "hace falta el rol aprobador" in told.text
    assert await rest(talk) == before
    assert (await batch(talk)).state is BatchState.AWAITING_APPROVAL


async def test_a_grant_taken_away_counts_at_once(talk: Talk) -> None:
    await requested(talk)
    await talk.says(talk.carla, f"permisos quitar {talk.bruno.aad_object_id}")
    told = await talk.says(talk.bruno, "aprobar L-0001")
    assert "Todavía no podés" in told.text
    await talk.says(talk.carla, f"permisos dar aprobador {talk.bruno.aad_object_id}")
    assert "aprobada" in (await talk.says(talk.bruno, "aprobar L-0001")).text
    assert [one.outcome for one in await events(talk, "member.grant")] == ["none", "aprobador"]


# What they do


async def test_a_request_freezes_its_plan_and_shows_it(talk: Talk) -> None:
    await students(talk.db, 1, stage=Stage.PREINSCRIPTO)
    number, told = await requested(talk, "activar todos")
    card = told.text
    assert "L-0001 · Activación completa · 4 alumnos" in card
    assert "3 cuentas, 3 licencias, 3 cartas" in card
    assert "preinscriptos" in card
    assert talk.bruno.name in card, "who may approve"
    row = await batch(talk, number)
    assert row.state is BatchState.AWAITING_APPROVAL
    await students(talk.db, 5)
    assert (await batch(talk, number)).students == 4
    assert Nudge("forecast_batch", (number,)) in talk.nudges.sent
    async with talk.db.transaction() as session:
        (posted,) = (await session.scalars(select(PostedCardRow))).all()
    assert (posted.subject, posted.activity_id) == (str(number), told.entries[0].activity_id)
    assert posted.drawn_version == posted.wanted_version


async def test_options_leave_parts_out(talk: Talk) -> None:
    _number, told = await requested(talk, "activar aspirantes correo:no moodle:no")
    assert "carta" not in told.text.split("Previsión")[0].lower().replace("sin cartas", "")
    async with talk.db.transaction() as session:
        kinds = set((await session.scalars(text("select distinct kind from step"))).all())
    assert kinds == {"account", "licence"}


async def test_a_request_in_private_is_shown_in_the_channel_too(talk: Talk) -> None:
    await talk.says(talk.bruno, "estado")  # Lucy has met the channel
    told = await talk.says(talk.ana, "activar aspirantes", personal=True)
    assert told.entries[0].conversation == talk.ana.personal_conversation_id
    assert "Aprobar" not in buttons(told.card)
    assert await _places(talk) == {talk.ana.personal_conversation_id: 1, talk.scene.channel.id: 1}


async def test_a_proposal_pressed_in_the_channel_gives_the_channel_one_card(talk: Talk) -> None:
    """«Preparar activación» on the nightly report."""
    await talk.says(talk.bruno, "estado")
    press = talk.press(talk.ana, "batch.propose", {"selection": "aspirantes sin:cuenta"})
    told = await talk.send(press)
    sound(told)
    assert "Aprobar" not in buttons(told.card), "she asked for it"
    again = await talk.send(press | {"id": "f:another"})
    assert "no se hace dos veces" in again.text
    assert len(await events(talk, "batch.request.activate")) == 1
    places = await _places(talk)
    assert places.total() == 1, places


async def _places(talk: Talk) -> Counter[str]:
    """Where cards stand or will be posted, without their thread."""
    async with talk.db.transaction() as session:
        found = await session.scalars(select(PostedCardRow.conversation_id))
    return Counter(one.partition(";")[0] for one in found.all())


async def test_a_reading_is_asked_for_once(talk: Talk) -> None:
    for _ in range(2):
        sound(await talk.says(talk.ana, "ingesta aspirantes"))
    sound(await talk.says(talk.ana, "ingesta aspirantes completa"))
    sound(await talk.says(talk.ana, "ingesta aspirantes desde:20/11/2026 hasta:21/11/2026"))
    async with talk.db.transaction() as session:
        runs = (await session.execute(text('select "full", windowed, since, until from ingest_run order by id'))).all()
    zone = talk.settings.house().zone
    assert [(one.full, one.windowed) for one in runs] == [(False, False), (True, False), (False, True)]
    assert runs[2].since == datetime(2026, 11, 20, tzinfo=zone)
    assert runs[2].until == datetime(2026, 11, 22, tzinfo=zone)
    assert len(await events(talk, "ingest.request")) == 4


async def test_people_and_audit_of_a_batch(talk: Talk) -> None:
    number, told = await requested(talk)
    data = button(told.card, "Ver los 3")["data"]
    rows = await talk.presses(talk.dario, "batch.preview", data)
    assert rows.entries == []
    assert all(f"40.999.00{number}" in rows.text for number in (1, 2, 3)), "for the presser alone"
    trail = await talk.says(talk.dario, "auditoria L-0001")
    assert "L-0001" in trail.text
    assert "L-0001" in (await talk.says(talk.dario, "lotes")).text
    assert "3" in (await talk.says(talk.dario, "estado")).text
    assert number == 1


async def test_the_reports_button_sends_credentials_anew(talk: Talk) -> None:
    """«Reemitir las 4 sin estrenar»: the batch is of that kind and waits for somebody else; nobody is named by it."""
    await talk.says(talk.bruno, "estado")
    told = await talk.send(talk.press(talk.ana, "batch.propose", {"selection": "carta:sin-estrenar", "kind": "resend"}))
    sound(told)
    assert "Nadie cumple «carta:sin-estrenar»" in told.text
    await talk.send(talk.press(talk.ana, "batch.propose", {"selection": "aspirantes", "kind": "resend"}))
    assert (await batch(talk)).kind is BatchKind.RESEND
