"""Approvals of several, thresholds, seats and the day's letters: more than was shown is never done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lucy.db import cards as cards_db
from lucy.db.tables import BatchRow
from lucy.domain.batches import BatchState, Relation
from lucy.domain.house import House
from lucy.domain.operations import BatchOptions
from lucy.errors import RequestError
from lucy.flows.decide_batch import Declined, approve_batch, release_batch
from lucy.flows.nudge_approvers import nudge_approvers, view_waiting
from lucy.flows.set_config import set_config
from lucy.flows.split_batch import split_batch
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import actor, students
from tests.integration.support.works import Works

ANA, BRUNO, CARLA = 0, 1, 2
NO_MOODLE = BatchOptions(moodle=False)


async def sets(works: Works, name: str, value: str | None) -> str:
    async with works.db.transaction() as session:
        return await set_config(session, name, value, actor=actor(works.people[CARLA]), now=datetime.now(UTC))


async def decides(works: Works, deed: Any, number: int, who: int, **more: Any) -> BatchRow | Declined:
    async with works.db.transaction() as session:
        done = await deed(
            session,
            number,
            actor=actor(works.people[who]),
            version=None,
            house=works.runtime.house,
            now=datetime.now(UTC),
            **more,
        )
    assert isinstance(done, BatchRow | Declined)
    return done


async def children(works: Works, number: int) -> list[BatchRow]:
    async with works.db.transaction() as session:
        return list((await session.scalars(select(BatchRow).where(BatchRow.parent_id == number))).all())


async def test_two_of_several_must_say_yes_and_each_counts_once(works: Works) -> None:
    await sets(works, "aprobaciones.activar", "2:1 2")
    await students(works.db, 3)
    number = await works.request(options=NO_MOODLE)
    assert (await works.batch(number)).approvals_needed == 2
    own = await decides(works, approve_batch, number, ANA)
    assert isinstance(own, Declined)
    assert not isinstance(await decides(works, approve_batch, number, BRUNO), Declined)
    assert (await works.batch(number)).state is BatchState.AWAITING_APPROVAL
    again = await decides(works, approve_batch, number, BRUNO)
    assert isinstance(again, Declined)
    assert "ya la aprobaste" in again.text
    card = await works.text_of_card(number)
    assert "1 de 2" in card
    assert works.people[BRUNO].name in card
    assert not isinstance(await decides(works, approve_batch, number, CARLA), Declined)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert [one.outcome for one in await works.audit("batch.approve")] == [
        "declined",
        "counted",
        "declined",
        "approved",
    ]


async def test_a_kind_and_size_that_needs_nobody_runs_at_once(works: Works) -> None:
    await sets(works, "aprobaciones.activar", "1:0 1")
    known = await students(works.db, 3)
    alone = await works.request(known[0].document)
    assert (await works.batch(alone)).state is BatchState.QUEUED
    await works.drain()
    assert (await works.batch(alone)).state is BatchState.FINISHED
    assert (await works.batch(await works.request())).state is BatchState.AWAITING_APPROVAL


async def test_a_threshold_holds_in_the_preview_and_asks(works: Works) -> None:
    await sets(works, "umbral.activar", "4")
    await students(works.db, 5)
    number = await works.request(options=NO_MOODLE)
    batch = await works.batch(number)
    assert batch.state is BatchState.HELD
    assert "son 5 alumnos y el umbral es 4" in batch.reason
    refused = await decides(works, approve_batch, number, BRUNO)
    assert isinstance(refused, Declined)
    assert "soltar L-0001" in refused.text
    own = await decides(works, release_batch, number, ANA)
    assert isinstance(own, Declined)
    assert "umbral es 4" in await works.text_of_card(number)
    assert not isinstance(await decides(works, release_batch, number, BRUNO), Declined)
    assert not isinstance(await decides(works, approve_batch, number, BRUNO), Declined)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED, "what was let pass is not held again"


async def test_the_same_threshold_holds_in_the_run(works: Works) -> None:
    """Lowered between approval and run: what was approved before does not slip through."""
    await students(works.db, 5)
    number = await works.request(options=NO_MOODLE)
    await works.approve(number)
    await sets(works, "umbral.activar", "4")
    await works.drain()
    batch = await works.batch(number)
    assert (batch.state, len(works.states.graph.users)) == (BatchState.HELD, 0)
    assert "umbral es 4" in batch.reason
    assert [one.outcome for one in await works.audit("batch.hold")] == ["held"]


async def test_a_phase_of_the_year_has_its_own_threshold_and_ends_by_itself(works: Works) -> None:
    await students(works.db, 5)
    today = datetime.now(works.runtime.house.zone).date()
    await sets(works, "umbral.activar", "4")
    await sets(works, "fases", f"inscripciones {today - timedelta(days=3)}..{today} activar=100")
    assert (await works.batch(await works.request())).state is BatchState.AWAITING_APPROVAL
    await sets(works, "fases", f"inscripciones {today - timedelta(days=3)}..{today - timedelta(days=1)} activar=100")
    assert (await works.batch(await works.request())).state is BatchState.HELD


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("umbral.activar", "muchos", "no es un umbral"),
        ("umbral.activar", "100 200%", "no es un umbral"),
        ("aprobaciones.activar", "1:0", "no se entiende"),
        ("aprobaciones.activar", "50:1 10:2 3", "no se entiende"),
        ("aprobaciones.activar", "9", "no se entiende"),
        ("fases", "verano 2026-03-01..2026-02-01 activar=1", "La fase"),
        ("fases", "verano 2026-01-01..2026-02-01 volar=1", "activar"),
        ("correo.por_dia", "-3", "cartas por día"),
        ("color", "rojo", "No conozco"),
    ],
)
async def test_a_value_that_cannot_be_read_changes_nothing(works: Works, name: str, value: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        await sets(works, name, value)
    assert await works.audit("config.set") == []


async def test_a_setting_tells_from_what_to_what_and_goes_back(works: Works) -> None:
    assert await sets(works, "umbral.activar", "10  20%") == "10000"
    assert await sets(works, "umbral.activar", None) == "10 20%"
    details = [(one.detail["from"], one.detail["to"], one.detail["version"]) for one in await works.audit("config.set")]
    assert details == [("10000", "10 20%", 1), ("10 20%", "10000", 2)]


async def test_where_seats_run_out_the_card_offers_to_part_it(open_works: OpenWorks) -> None:
    """FEATURES B.4: 5 new, 3 seats: 2 short; 3 are done now, 2 wait."""
    works = await open_works(seats=3)
    await students(works.db, 5)
    number = await works.request(options=NO_MOODLE)
    await works.drain()
    assert (await works.batch(number)).forecast["fits"] == 3
    card = await works.text_of_card(number)
    assert "3 de 5" in card
    refused = await decides(works, approve_batch, number, BRUNO)
    assert isinstance(refused, Declined)
    assert "partir L-0001" in refused.text
    rest = await decides(works, split_batch, number, ANA)
    assert isinstance(rest, BatchRow)
    assert (rest.students, rest.relation, (await works.batch(number)).students) == (2, Relation.SPLIT, 3)
    await works.drain()
    assert not isinstance(await decides(works, approve_batch, number, BRUNO), Declined)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert len(works.states.inbox.messages) == 3
    nobody = await decides(works, approve_batch, rest.id, BRUNO)
    assert isinstance(nobody, Declined), "no seat is left"
    assert "no queda lugar" in nobody.text
    works.states.graph.seats = 10
    await works.actors.forecast_batch(rest.id)
    assert not isinstance(await decides(works, approve_batch, rest.id, BRUNO), Declined)
    await works.drain()
    assert len(works.states.inbox.messages) == 5


async def test_approved_before_the_seats_were_known_it_is_held_when_it_begins(open_works: OpenWorks) -> None:
    works = await open_works(seats=3)
    await students(works.db, 5)
    number = await works.request(options=NO_MOODLE)
    await works.approve(number)
    await works.drain()
    batch = await works.batch(number)
    assert (batch.state, len(works.states.graph.users)) == (BatchState.HELD, 0)
    assert "3 de 5" in batch.reason
    assert isinstance(await decides(works, split_batch, number, ANA), BatchRow)
    assert (await works.batch(number)).state is BatchState.AWAITING_APPROVAL


async def test_where_the_days_letters_run_out_it_is_parted_too(works: Works) -> None:
    await sets(works, "correo.por_dia", "2")
    await students(works.db, 3)
    number = await works.request(options=NO_MOODLE)
    await works.drain()
    assert (await works.batch(number)).forecast["fits"] == 2
    card = await works.text_of_card(number)
    assert "2 de 3" in card


async def test_a_batch_that_waits_is_remembered_once_a_day(works: Works) -> None:
    await students(works.db, 1)
    number = await works.request()
    house: House = works.runtime.house
    assert house.approval_expires_h > 48
    start = datetime.now(UTC)
    nudged = []
    for hours in (1, 23, 25, 26, 48, 50):
        async with works.db.transaction() as session:
            nudged.append(await nudge_approvers(session, now=start + timedelta(hours=hours)))
    assert nudged == [[], [], [number], [], [], [number]]
    assert len(await works.audit("batch.nudge")) == 2


async def test_the_reminder_says_when_it_was_decided(works: Works) -> None:
    await students(works.db, 1)
    number = await works.request()
    async with works.db.transaction() as session:
        for shows in ("batch", "waiting"):
            await cards_db.add_card(
                session, shows=shows, subject=str(number), service_url="", tenant_id="", conversation_id="x"
            )
        waits = await view_waiting(session, number, house=works.runtime.house)
    await works.approve(number)
    async with works.db.transaction() as session:
        decided = await view_waiting(session, number, house=works.runtime.house)
        (card,) = await cards_db.of_subject(session, shows="waiting", subject=str(number))
    assert waits is not None
    assert decided is not None
    assert (waits.outcome, card.wanted_version) == ("", 2)
    assert works.people[BRUNO].name in decided.outcome
