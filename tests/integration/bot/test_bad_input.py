"""What cannot be done is said, and what was meant; strangers are not heard."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from sandbox.teams.people import Scene
from tests.integration.bot.test_commands import events, requested, rest, sound
from tests.integration.support.channel import Talk, talking
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import audit_events, table_contents


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    """Three students whom nobody has activated, and a course for each."""
    async with talking(database_url) as opened:
        for number in (1, 2, 3):
            await students(opened.db, 1, document_number=f"4099900{number}", personal_email=f"ana{number}@example.com")
        await course_rules(opened.db, "INGRESO-2026")
        yield opened


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
