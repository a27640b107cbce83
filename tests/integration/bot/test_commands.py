"""Every command as a person gives it: posted to the real app, over a real database, in front of the Teams stand-in."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bot.grammar import CommandName
from lucy.db.tables import AuditEventRow, BatchRow, PostedCardRow
from lucy.domain.batches import WAITING_STATES, BatchState
from lucy.domain.nudges import Nudge
from lucy.domain.roles import Role
from lucy.domain.steps import StepState
from lucy.domain.students import Stage
from sandbox.teams.people import Scene
from tests.integration.support.channel import Talk, Told, button, buttons, talking
from tests.integration.support.people import course_rules, grant, students
from tests.integration.support.works import audit_events, table_contents

NEEDS = {
    CommandName.HELP: Role.CONSULTA,
    CommandName.STATUS: Role.CONSULTA,
    CommandName.STUDENT: Role.CONSULTA,
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


# Four eyes


async def test_nobody_approves_their_own_batch_by_text_or_by_card(talk: Talk) -> None:
    await grant(talk.db, talk.ana, Role.APROBADOR)
    number, told = await requested(talk)
    before = await rest(talk)
    for attempt in (
        await talk.says(talk.ana, "aprobar L-0001"),
        await talk.presses(talk.ana, "batch.approve", button(told.card, "Aprobar")["data"]),
    ):
        sound(attempt)
        assert "otra persona" in attempt.text
    assert await rest(talk) == before
    declined = await events(talk, "batch.approve")
    assert [(one.outcome, one.batch_id, one.actor_name) for one in declined] == [
        ("declined", number, talk.ana.name)
    ] * 2
    own = await talk.presses(talk.ana, "batch.view", told.card["refresh"]["action"]["data"])
    assert "Aprobar" not in buttons(own.card)
    assert told.card["refresh"]["userIds"] == [talk.ana.id]


async def test_an_administrator_does_not_approve_their_own_batch_either(talk: Talk) -> None:
    await talk.says(talk.carla, "activar aspirantes")
    assert "otra persona" in (await talk.says(talk.carla, "aprobar L-0001")).text
    assert (await batch(talk)).state is BatchState.AWAITING_APPROVAL


async def test_another_person_approves_by_card(talk: Talk) -> None:
    number, told = await requested(talk)
    answer = await talk.presses(talk.bruno, "batch.approve", button(told.card, "Aprobar")["data"])
    assert "Aprobar" not in buttons(answer.card)
    row = await batch(talk, number)
    assert (row.state, row.decided_by, row.decided_by_name) == (
        BatchState.QUEUED,
        talk.bruno.aad_object_id,
        talk.bruno.name,
    )
    assert Nudge("start_batch", (number,)) in talk.nudges.sent
    (event,) = await events(talk, "batch.approve")
    assert (event.outcome, event.detail["plan"]) == ("approved", row.plan_hash)


async def test_another_person_approves_by_text(talk: Talk) -> None:
    number, _told = await requested(talk)
    told = await talk.says(talk.bruno, "aprobar l1")
    assert "L-0001 aprobada" in told.text
    assert (await batch(talk, number)).state is BatchState.QUEUED


async def test_a_rejection_needs_a_reason_and_ends_it(talk: Talk) -> None:
    number, told = await requested(talk)
    before = await rest(talk)
    assert "motivo" in (await talk.says(talk.bruno, "rechazar L-0001")).text
    data = button(told.card, "Rechazar")["data"]
    assert "motivo" in (await talk.presses(talk.bruno, "batch.reject", {**data, "reason": "  "})).text
    assert await rest(talk) == before
    await talk.presses(talk.bruno, "batch.reject", {**data, "reason": "falta la comisión"})
    row = await batch(talk, number)
    assert (row.state, row.reason) == (BatchState.REJECTED, "falta la comisión")
    assert "falta la comisión" in (await talk.says(talk.ana, "lote L-0001")).text


async def test_a_batch_is_cancelled_by_who_asked_for_it_or_who_approves(talk: Talk) -> None:
    other = talk.eva
    await grant(talk.db, other, Role.OPERADOR)
    await requested(talk)
    told = await talk.says(other, "cancelar L-0001")
    assert talk.ana.name in told.text
    assert (await batch(talk)).state is BatchState.AWAITING_APPROVAL
    assert "cancelada" in (await talk.says(talk.ana, "cancelar L-0001")).text
    await requested(talk)
    assert "cancelada" in (await talk.says(talk.bruno, "cancelar L-0002")).text
    assert [one.outcome for one in await events(talk, "batch.cancel")] == ["declined", "cancelled", "cancelled"]


# Doubled, at once, too late


async def test_the_same_activity_three_times_is_done_once(talk: Talk) -> None:
    activity = talk.message(talk.ana, "activar aspirantes")
    told = [await talk.send(activity) for _ in range(3)]
    assert [one.status for one in told] == [201, 201, 201]
    assert [len(one.entries) for one in told] == [1, 0, 0]
    assert len(await events(talk, "batch.request.activate")) == 1


async def test_the_same_words_at_the_same_moment_with_a_new_id_are_done_once(talk: Talk) -> None:
    activity = talk.message(talk.ana, "activar aspirantes")
    told = [await talk.send(activity | {"id": f"170000000000{number}"}) for number in range(3)]
    assert [len(one.entries) for one in told] == [1, 0, 0]
    assert len(await events(talk, "batch.request.activate")) == 1
    later = await talk.says(talk.ana, "activar aspirantes")
    assert len(later.entries) == 1, "said again, it is asked again"


async def test_the_same_activity_at_once_is_done_once(talk: Talk) -> None:
    activity = talk.message(talk.ana, "activar aspirantes")
    await asyncio.gather(*(talk.send(activity) for _ in range(8)))
    assert len(await events(talk, "batch.request.activate")) == 1
    assert len(talk.teams.transcript.since(0)) == 1


async def test_two_people_with_the_same_words_are_two(talk: Talk) -> None:
    first = talk.message(talk.ana, "lotes")
    second = talk.message(talk.bruno, "lotes") | {"timestamp": first["timestamp"]}
    assert [len((await talk.send(one)).entries) for one in (first, second)] == [1, 1]


async def test_an_edited_message_is_not_done_again(talk: Talk) -> None:
    activity = talk.message(talk.ana, "activar aspirantes")
    await talk.send(activity)
    told = await talk.send(talk.scene.edited(activity, "activar aspirantes sin:cuenta"))
    assert (told.status, told.entries) == (201, [])
    assert len(await events(talk, "batch.request.activate")) == 1


@pytest.mark.parametrize("people", [1, 2])
async def test_ten_approvals_at_once_approve_once(talk: Talk, people: int) -> None:
    number, told = await requested(talk)
    await grant(talk.db, talk.dario, Role.APROBADOR)
    data = button(told.card, "Aprobar")["data"]
    pressing = [talk.bruno, talk.dario][:people]
    answers = await asyncio.gather(
        *(talk.presses(pressing[press % people], "batch.approve", data) for press in range(10))
    )
    assert {one.status for one in answers} == {200}
    for one in answers:
        sound(one)
    assert Counter(one.outcome for one in await events(talk, "batch.approve")) == {"approved": 1, "declined": 9}
    row = await batch(talk, number)
    assert row.state is BatchState.QUEUED
    assert row.decided_by_name in {one.name for one in pressing}
    assert Counter(talk.nudges.sent)[Nudge("start_batch", (number,))] == 1
    assert sum("value" in one.body and isinstance(one.body["value"], dict) for one in answers) == 1


async def test_an_approval_and_a_rejection_at_once_leave_one_decision(talk: Talk) -> None:
    for number in range(1, 6):
        _number, told = await requested(talk)
        data = button(told.card, "Aprobar")["data"]
        await asyncio.gather(
            talk.presses(talk.bruno, "batch.approve", data),
            talk.presses(talk.carla, "batch.reject", {**data, "reason": "no"}),
        )
        row = await batch(talk, number)
        approved = [one for one in await events(talk, "batch.approve") if one.batch_id == number]
        rejected = [one for one in await events(talk, "batch.reject") if one.batch_id == number]
        outcomes = {"approved": BatchState.QUEUED, "rejected": BatchState.REJECTED}
        (won,) = [one.outcome for one in [*approved, *rejected] if one.outcome != "declined"]
        assert row.state is outcomes[won]


async def test_an_older_card_approves_nothing(talk: Talk) -> None:
    number, told = await requested(talk)
    data = button(told.card, "Aprobar")["data"]
    async with talk.db.transaction() as session:
        await session.execute(update(BatchRow).values(version=BatchRow.version + 1))
    before = await rest(talk)
    answer = await talk.presses(talk.bruno, "batch.approve", data)
    sound(answer)
    assert "era de antes" in answer.text
    assert await rest(talk) == before
    assert [one.outcome for one in await events(talk, "batch.approve")] == ["declined"]
    view = await talk.presses(talk.bruno, "batch.view", data)
    await talk.presses(talk.bruno, "batch.approve", button(view.card, "Aprobar")["data"])
    assert (await batch(talk, number)).state is BatchState.QUEUED


@pytest.mark.parametrize("state", [one for one in BatchState if one not in WAITING_STATES], ids=str)
async def test_a_batch_that_does_not_wait_is_not_decided(talk: Talk, state: BatchState) -> None:
    number, told = await requested(talk)
    data = button(told.card, "Aprobar")["data"]
    async with talk.db.transaction() as session:
        await session.execute(
            update(BatchRow).values(state=state, decided_by_name="Bruno Aprobador", decided_at=datetime.now(UTC))
        )
    before = await rest(talk)
    for answer in (
        await talk.says(talk.bruno, "aprobar L-0001"),
        await talk.says(talk.bruno, "rechazar L-0001 tarde"),
        await talk.presses(talk.bruno, "batch.approve", data),
        await talk.presses(talk.bruno, "batch.reject", {**data, "reason": "tarde"}),
    ):
        sound(answer)
        assert "L-0001" in answer.text
    assert await rest(talk) == before
    outcomes = [
        (one.outcome, one.batch_id)
        for action in ("batch.approve", "batch.reject")
        for one in await events(talk, action)
    ]
    assert outcomes == [("declined", number)] * 4


async def test_an_approval_that_comes_too_late_expires_the_batch(talk: Talk) -> None:
    number, told = await requested(talk)
    talk.later(timedelta(hours=73))
    answer = await talk.presses(talk.bruno, "batch.approve", button(told.card, "Aprobar")["data"])
    sound(answer)
    assert "venci" in answer.text.lower()
    assert (await batch(talk, number)).state is BatchState.EXPIRED
    async with talk.db.transaction() as session:
        states = set((await session.scalars(text("select state from step"))).all())
    assert states == {StepState.CANCELLED.value}
    assert [one.outcome for one in await events(talk, "batch.approve")] == ["declined"]
    assert len(await events(talk, "batch.expire")) == 1


@pytest.mark.parametrize(
    "words", ["aprobar L-0099", "rechazar L-0099 no", "cancelar L-0099", "lote L-0099", "aprobar 999999999"]
)
async def test_a_batch_that_nobody_knows(talk: Talk, words: str) -> None:
    before, heard = await rest(talk), len(await audit_events(talk.db))
    told = await talk.says(talk.bruno, words)
    sound(told)
    assert "No hay ningún lote L-" in told.text
    assert await rest(talk) == before
    (event,) = (await audit_events(talk.db))[heard:]
    assert event.outcome == "declined"


# What cannot be done


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("aprovar L-0001", "«aprobar»"),
        ("actvar aspirantes", "«activar»"),
        ("blablabla", "«ayuda»"),
        ("eliminar 40.999.001", "todavía no está"),
        ("¿aprobar L-0001?", "«aprobar»"),
        ("aprobar L-0001 todavía no", "«aprobar»"),
    ],
)
async def test_what_is_not_understood_is_answered_with_what_was_meant(talk: Talk, words: str, said: str) -> None:
    await requested(talk)
    before, heard = await rest(talk), len(await audit_events(talk.db))
    told = await talk.says(talk.bruno, words)
    sound(told)
    assert said in told.text
    assert await rest(talk) == before
    (event,) = (await audit_events(talk.db))[heard:]
    assert (event.actor_id, event.outcome) == (talk.bruno.aad_object_id, "not_understood")


@pytest.mark.parametrize("personal", [True, False])
async def test_a_selection_that_matches_nobody_creates_nothing_and_says_so(talk: Talk, personal: bool) -> None:
    before = await rest(talk)
    told = await talk.says(talk.ana, "activar aspirantes carrera:LE sin:cuenta", personal=personal)
    sound(told)
    assert "No se creó ningún lote" in told.text
    assert "activar aspirantes sin:cuenta (3)" in told.text, "one that is near it"
    assert await rest(talk) == before
    (event,) = await events(talk, "batch.request.activate")
    assert (event.outcome, event.batch_id) == ("nobody", None)


@pytest.mark.parametrize("words", ["alumno abc", "alumno 12345", "alumno 123456789012", "alumno", "alumno 40.999.00x"])
async def test_a_number_that_is_none(talk: Talk, words: str) -> None:
    before = await rest(talk)
    told = await talk.says(talk.dario, words)
    sound(told)
    assert "alumno 40.123.456" in told.text, "an example"
    assert await rest(talk) == before
    assert [one.outcome for one in await events(talk, "bot.alumno")] == ["declined"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("activar aspirantes color:azul", "cohorte:2026"),
        ("activar aspirantes modalidad:noche", "pres, dist"),
        ("activar aspirantes sin:zapatos", "cuenta, licencia"),
        ("activar aspirantes cohorte:veinte", "cohorte:2026"),
        ("activar aspirantes desde:31/02/2026", "hoy, ayer"),
        ("activar aspirantes correo:quizás", "correo:no"),
        ("activar", "aspirantes sin:cuenta"),
        ("ingesta egresados", "preinscriptos, aspirantes, ingresantes"),
        ("ingesta aspirantes desde:31/02/2026", "hoy, ayer"),
        ("auditoria de ayer", "auditoria L-0001"),
    ],
)
async def test_a_filter_or_value_nobody_knows_is_answered_with_the_valid_ones(
    talk: Talk, words: str, said: str
) -> None:
    before, heard = await rest(talk), len(await audit_events(talk.db))
    told = await talk.says(talk.ana, words)
    sound(told)
    assert said in told.text
    assert await rest(talk) == before
    (event,) = (await audit_events(talk.db))[heard:]
    assert event.outcome == "declined"


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("batch.approve", {}),
        ("batch.approve", {"batch": "uno", "version": 1}),
        ("batch.approve", {"batch": 10**30, "version": 1}),
        ("batch.view", {"batch": 10**30, "version": 1}),
        ("batch.preview", {"batch": 1, "version": 1, "first": 10**30}),
        ("batch.approve", {"batch": 1, "version": 10**30}),
        ("batch.preview", {"batch": 99, "version": 1}),
        ("batch.propose", {"selection": "color:azul"}),
        ("batch.propose", {}),
        ("batch.undo", {"batch": 1, "version": 1}),
        ("student.show", {"document": "no"}),
        ("student.show", {}),
        ("drop table " + "x" * 5000, {"batch": 1}),
        ("", {}),
    ],
)
async def test_a_press_of_another_make_is_answered_politely(talk: Talk, verb: str, data: dict[str, Any]) -> None:
    await requested(talk)
    before = await rest(talk)
    told = await talk.presses(talk.carla, verb, data)
    sound(told)
    assert told.status == 200
    assert await rest(talk) == before
    assert max(len(one.action) for one in await audit_events(talk.db)) < 60


# Places


async def test_a_stranger_tenant_is_not_heard(talk: Talk) -> None:
    foreign = replace(
        talk.scene, directory=replace(talk.scene.directory, tenant_id="11111111-aaaa-bbbb-cccc-222222222222")
    )
    await _not_heard(talk, foreign, "wrong_tenant")


async def test_a_channel_that_is_not_allowed_is_not_heard(database_url: str) -> None:
    async with talking(database_url, allowed_channels="19:another@thread.tacv2") as talk:
        await _not_heard(talk, talk.scene, "channel_not_allowed")


async def test_a_team_that_is_not_allowed_is_not_heard(database_url: str) -> None:
    async with talking(database_url, allowed_teams="19:another@thread.tacv2") as talk:
        await _not_heard(talk, talk.scene, "team_not_allowed")


async def _not_heard(talk: Talk, scene: Scene, reason: str) -> None:
    before = await table_contents(talk.db, without=("audit_event",))
    message = await talk.send(scene.channel_message(talk.carla, "activar aspirantes"))
    press = await talk.send(
        scene.card_action(talk.carla, verb="batch.approve", data={"batch": 1, "version": 1}, card_activity_id="17")
    )
    for told in (message, press):
        assert (told.status, told.body, told.entries) == (403, None, [])
    assert await table_contents(talk.db, without=("audit_event",)) == before
    assert [(one.action, one.outcome, one.actor_name) for one in await audit_events(talk.db)] == [
        ("bot.turn", reason, talk.carla.name)
    ] * 2


@pytest.mark.parametrize("body", [b"", b"no es json", b"[1]", b'{"type":"message"', b"\xff"])
async def test_what_is_not_json_is_a_quiet_400(talk: Talk, body: bytes) -> None:
    before = await table_contents(talk.db)
    answer = await talk.http.post("/api/messages", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert await table_contents(talk.db) == before


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


# What the channel may see


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
