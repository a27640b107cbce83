"""Who asks does not approve; what comes twice, at once or too late is done once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update

from lucy.db.tables import BatchRow
from lucy.domain.batches import WAITING_STATES, BatchState
from lucy.domain.nudges import Nudge
from lucy.domain.roles import Role
from lucy.domain.steps import StepState
from tests.integration.bot.test_commands import batch, events, requested, rest, sound
from tests.integration.support.channel import Talk, button, buttons, talking
from tests.integration.support.people import course_rules, grant, students
from tests.integration.support.works import audit_events


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    """Three students whom nobody has activated, and a course for each."""
    async with talking(database_url) as opened:
        for number in (1, 2, 3):
            await students(opened.db, 1, document_number=f"4099900{number}", personal_email=f"ana{number}@example.com")
        await course_rules(opened.db, "INGRESO-2026")
        yield opened


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
