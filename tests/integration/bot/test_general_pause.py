"""`pausa general`: typed in the channel, obeyed by the workers, told on the cards, over by itself."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from lucy.db import cards as cards_db
from lucy.db.tables import GeneralPauseRow, IngestRunRow, PostedCardRow
from lucy.domain.batches import BatchState
from lucy.domain.nudges import Nudge
from lucy.domain.operations import BatchOptions, StepKind
from lucy.flows.find_obstacles import obstacles
from tests.integration.conftest import OpenWorks
from tests.integration.support.channel import Talk, talking
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works, audit_events, looked, until
from workers.sweeper import sweep

ACCOUNTS_ONLY = BatchOptions(mail=False, moodle=False)


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        yield opened


@pytest.fixture
async def works(open_works: OpenWorks) -> Works:
    return await open_works(batch_size=2)


async def pauses(talk: Talk) -> list[GeneralPauseRow]:
    async with talk.db.transaction() as session:
        return list((await session.scalars(select(GeneralPauseRow).order_by(GeneralPauseRow.id))).all())


async def states(works: Works, number: int, kind: StepKind) -> Counter[str]:
    return Counter(step.state.value for step in await works.steps(number, kind))


# What the workers do


async def test_a_pause_stops_the_claims_at_once_and_what_is_in_hand_is_finished(talk: Talk, works: Works) -> None:
    await students(works.db, 6)
    number = await works.running(options=ACCOUNTS_ONLY)
    works.fault("graph", "$batch", "delay", delay_s=0.5)
    working = asyncio.ensure_future(works.lanes().run(StepKind.ACCOUNT))
    await until(looked(lambda: works.states.graph.control.calls("$batch")))
    told = await talk.says(talk.bruno, 'pausa general motivo:"corte de luz"')
    assert "En pausa desde ahora: todo. Motivo: corte de luz." in told.text
    assert "Lo que está en curso se termina." in told.text
    assert "reanudar general" in told.text
    await working
    assert await states(works, number, StepKind.ACCOUNT) == {"done": 2, "due": 4}
    await works.drain()
    assert await states(works, number, StepKind.ACCOUNT) == {"done": 2, "due": 4}
    assert len(works.states.graph.users) == 2

    told = await talk.says(talk.bruno, "reanudar general")
    assert f"Ya no está en pausa: todo. La había pedido {talk.bruno.name}." in told.text
    assert Nudge("run_lane", ("account",)) in talk.nudges.sent
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
    assert [(one.action, one.outcome, one.actor_name) for one in await works.audit() if "pause." in one.action] == [
        ("pause.general", "everything", talk.bruno.name),
        ("pause.lift", "everything", talk.bruno.name),
    ]


async def test_one_system_stands_still_and_the_others_go_on(talk: Talk, works: Works) -> None:
    await students(works.db, 3)
    await course_rules(works.db, "INGRESO-2026")
    await talk.says(talk.bruno, "pausa general moodle mantenimiento")
    number = await works.activate()
    assert await states(works, number, StepKind.CREDENTIALS_MAIL) == {"done": 3}
    assert await states(works, number, StepKind.MOODLE_USER) == {"due": 3}
    assert works.states.moodle.control.calls() == []
    await talk.says(talk.bruno, "pausa general correo otro motivo")
    now = datetime.now(UTC)
    async with works.db.transaction() as session:
        (found,) = await obstacles(session, number, now)
    assert (found.system, found.owner, found.reason, found.waiting) == ("Moodle", talk.bruno.name, "mantenimiento", 6)
    await talk.says(talk.bruno, "reanudar general moodle")
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED


async def test_letters_stop_too(talk: Talk, works: Works) -> None:
    await students(works.db, 2)
    await talk.says(talk.bruno, "pausa general correo motivo:cambio de servidor")
    number = await works.activate(options=BatchOptions(moodle=False))
    assert works.states.inbox.messages == []
    assert await states(works, number, StepKind.CREDENTIALS_MAIL) == {"due": 2}


async def test_a_pause_is_over_by_itself(talk: Talk, works: Works) -> None:
    await students(works.db, 2)
    number = await works.running(options=ACCOUNTS_ONLY)
    async with works.db.transaction() as session:
        await cards_db.add_card(
            session, shows="batch", subject=str(number), service_url="", tenant_id="", conversation_id="x"
        )
    told = await talk.says(talk.bruno, "pausa general hasta:30m mudanza")
    assert re.search(r"En pausa desde ahora hasta el \d\d/\d\d \d\d:\d\d: todo\.", told.text)
    assert [one for one in await sweep(works.db) if one.actor == "run_lane"] == []
    async with works.db.transaction() as session:
        before = (await session.scalars(select(PostedCardRow))).one().wanted_version
        await session.execute(update(GeneralPauseRow).values(until=datetime.now(UTC) - timedelta(seconds=1)))
    await works.lanes().run(StepKind.ACCOUNT)
    assert await states(works, number, StepKind.ACCOUNT) == {"done": 2}, "the lanes look at the clock themselves"
    assert Nudge("run_lane", ("licence",)) in await sweep(works.db)
    await works.drain()
    assert (await works.batch(number)).state is BatchState.FINISHED
    (pause,) = await pauses(talk)
    assert (pause.lifted_by_name, pause.lifted_at is None) == ("Lucy", False)
    (event,) = await works.audit("pause.lift")
    assert (event.actor_id, event.detail["reason"]) == ("lucy", "mudanza")
    async with works.db.transaction() as session:
        assert (await session.scalars(select(PostedCardRow))).one().wanted_version > before


async def test_cards_are_drawn_again_when_it_begins_and_when_it_ends(talk: Talk, works: Works) -> None:
    await students(works.db, 2)
    number = await works.running(options=ACCOUNTS_ONLY)

    async def wanted() -> int:
        async with works.db.transaction() as session:
            return (await session.scalars(select(PostedCardRow))).one().wanted_version

    async with works.db.transaction() as session:
        await cards_db.add_card(
            session, shows="batch", subject=str(number), service_url="", tenant_id="", conversation_id="x"
        )
    for words in ("pausa general entra por una prueba", "reanudar general entra"):
        before = await wanted()
        await talk.says(talk.bruno, words)
        assert await wanted() > before
    before = await wanted()
    await talk.says(talk.bruno, "pausa general correo por una prueba")
    assert await wanted() == before, "this batch has no letters"


@pytest.mark.parametrize("what", ["sial", "todo"])
async def test_a_reading_stays_asked_for(talk: Talk, works: Works, what: str) -> None:
    await talk.says(talk.bruno, f"pausa general {what} motivo:migración")
    await talk.says(talk.ana, "ingesta aspirantes")

    async def run() -> IngestRunRow:
        async with works.db.transaction() as session:
            return (await session.scalars(select(IngestRunRow))).one()

    await works.obey(Nudge("ingest_list", ((await run()).id,)))
    async with works.db.transaction() as session:
        await session.execute(update(IngestRunRow).values(requested_at=datetime.now(UTC) - timedelta(minutes=1)))
    assert Nudge("ingest_list", ((await run()).id,)) not in await sweep(works.db)
    assert (await run()).started_at is None
    assert works.states.sial.control.calls() == []
    await talk.says(talk.bruno, "reanudar todo")
    assert Nudge("ingest_list", ((await run()).id,)) in talk.nudges.sent
    await works.drain()
    assert (await run()).finished_at is not None


# What people are told


async def test_what_is_paused_is_listed_with_the_way_out(talk: Talk) -> None:
    assert "No hay ninguna pausa general" in (await talk.says(talk.bruno, "pausa general")).text
    await talk.says(talk.bruno, 'pausa general graph hasta:23:59 motivo:"mudanza de inquilino"')
    await talk.says(talk.carla, "pausar todo: corte de luz")
    told = await talk.says(talk.bruno, "pausa general")
    assert re.search(r"Todo, desde el .* hasta que se levante, por .*: corte de luz\.", told.text)
    assert re.search(r"Entra, desde el .* hasta el \d\d/\d\d 23:59, por .*: mudanza de inquilino\.", told.text)
    assert "reanudar general entra" in told.text
    status = await talk.says(talk.dario, "estado")
    assert "Con novedades: Entra, Correo, Moodle" in status.text
    assert "corte de luz" in status.text
    told = await talk.says(talk.bruno, "reanudar todo")
    assert told.text.count("Ya no está en pausa") == 2


async def test_the_same_system_again_replaces_its_pause(talk: Talk) -> None:
    await talk.says(talk.carla, "pausa general moodle hasta:1h uno")
    told = await talk.says(talk.bruno, "pausa general moodle dos")
    assert f"Reemplaza la pausa que había pedido {talk.carla.name}." in told.text
    old, new = await pauses(talk)
    assert (old.lifted_by_name, old.lifted_at is None) == (talk.bruno.name, False)
    assert (new.reason, new.until, new.lifted_at) == ("dos", None, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pausa general moodle", "¿Por qué? Escribí el motivo"),
        ("pausa general moodle hasta:25:00 motivo:x", "no se entiende como hora"),
        ("pausa general moodle hasta:20/11/2020 motivo:x", "ya pasó"),
        ('pausa general teams motivo:"no anda"', "no es un sistema"),
        ("¿pausa general moodle por las dudas?", "¿Quisiste decir «pausa general»?"),
        ("reanudar general", "No hay ninguna pausa general"),
        ("reanudar general moodle", "Moodle no está en pausa"),
        ("reanudar general teams", "no es un sistema"),
        ("reanudar", "¿Qué lote?"),
    ],
)
async def test_what_cannot_be_done_is_said_and_nothing_changes(talk: Talk, words: str, said: str) -> None:
    told = await talk.says(talk.bruno, words)
    assert said in told.text
    assert await pauses(talk) == []


async def test_a_system_under_a_pause_of_everything_says_so(talk: Talk) -> None:
    await talk.says(talk.bruno, "pausa general corte de luz")
    told = await talk.says(talk.bruno, "reanudar general moodle")
    assert "está parado todo" in told.text
    assert (await pauses(talk))[0].lifted_at is None


async def test_only_who_approves_may_pause_and_lift(talk: Talk) -> None:
    assert "hace falta el rol aprobador" in (await talk.says(talk.ana, "pausa general corte de luz")).text
    assert await pauses(talk) == []
    await talk.says(talk.bruno, "pausa general corte de luz")
    assert "hace falta el rol aprobador" in (await talk.says(talk.ana, "reanudar general")).text
    (pause,) = await pauses(talk)
    assert pause.lifted_at is None
    assert [one.outcome for one in await audit_events(talk.db, "bot.pausa general")] == ["denied"]


async def test_a_reason_names_nobody(talk: Talk) -> None:
    told = await talk.says(talk.bruno, "pausa general moodle por el alumno 40.123.456")
    assert "40.123.456" not in told.text
    assert "40.123.456" not in (await pauses(talk))[0].reason
