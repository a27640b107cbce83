"""`config`: what is set and where from, set by administrators alone, refused in words that say what to do."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from lucy.db.tables import ConfigEntryRow
from lucy.domain.config import KEYS
from lucy.domain.roles import Role
from tests.integration.support.channel import Talk, talking
from tests.integration.support.people import grant, students
from tests.integration.support.works import audit_events


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        await grant(opened.db, opened.carla, None)  # known by name
        yield opened


async def stored(talk: Talk) -> list[tuple[str, object, int]]:
    async with talk.db.transaction() as session:
        rows = (
            await session.scalars(select(ConfigEntryRow).order_by(ConfigEntryRow.key, ConfigEntryRow.version))
        ).all()
    return [(row.key, row.value, row.version) for row in rows]


@pytest.mark.parametrize("words", ["config", "configuración", "settings"])
async def test_the_list_has_every_key(talk: Talk, words: str) -> None:
    told = await talk.says(talk.carla, words)
    for key in KEYS.values():
        assert f"{key.name}: {key.default or '—'} (por defecto)" in told.text
    assert "config umbral.activar por defecto" in told.text


async def test_one_is_set_shown_and_goes_back(talk: Talk) -> None:
    said = (await talk.says(talk.carla, "config umbral.activar 6000")).text
    assert said == (
        "umbral.activar: antes «10000», ahora «6000». "
        "Vale desde ahora, también para los lotes que todavía no empezaron."
    )
    assert f"umbral.activar: 6000 ({talk.carla.name}, " in (await talk.says(talk.carla, "config")).text
    shown = (await talk.says(talk.carla, "config UMBRAL.activar")).text
    assert "Cuántos alumnos a la vez, antes de retener y preguntar. Por defecto: 10000." in shown
    assert f"umbral.activar: 6000 ({talk.carla.name}, " in shown
    said = (await talk.says(talk.carla, "config umbral.activar por defecto")).text
    assert "antes «6000», ahora «10000»" in said
    shown = (await talk.says(talk.carla, "config umbral.activar")).text
    assert f"Antes: 6000 ({talk.carla.name}, " in shown
    assert [(version, value) for _key, value, version in await stored(talk)] == [(1, "6000"), (2, None)]
    events = await audit_events(talk.db, "config.set")
    assert [(one.actor_name, one.detail["from"], one.detail["to"]) for one in events] == [
        (talk.carla.name, "10000", "6000"),
        (talk.carla.name, "6000", "10000"),
    ]


async def test_an_empty_default_is_shown_as_nothing(talk: Talk) -> None:
    phase = "inscripciones 2026-02-01..2026-03-31 activar=6000"
    assert f"antes «—», ahora «{phase}»" in (await talk.says(talk.carla, f"config fases {phase}")).text
    assert f"antes «{phase}», ahora «—»" in (await talk.says(talk.carla, "config fases default")).text


async def test_approvals_count_from_the_next_request(talk: Talk) -> None:
    await students(talk.db, 2)
    await talk.says(talk.ana, "activar aspirantes")
    said = (await talk.says(talk.carla, "config aprobaciones.activar 2")).text
    assert "Vale para lo que se pida desde ahora." in said
    assert "L-0001 aprobada" in (await talk.says(talk.bruno, "aprobar 1")).text
    told = await talk.says(talk.ana, "activar aspirantes sin:cuenta")
    assert "Aprobaciones que necesita: 2" in told.text


async def test_a_threshold_holds_the_next_request(talk: Talk) -> None:
    await students(talk.db, 3)
    await talk.says(talk.carla, "config umbral.activar 2")
    told = await talk.says(talk.ana, "activar aspirantes")
    assert "Por qué está retenida: Demasiado de una vez: son 3 alumnos y el umbral es 2." in told.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("config umbral.activar muchos", "«muchos» no es un umbral. Es, por ejemplo, 2000, 100 10% o nunca."),
        ("config umbral.activar 200%", "no es un umbral"),
        ("config aprobaciones.activar 1:0", "Es, por ejemplo, 1 (una persona)"),
        ("config aprobaciones.activar 9", "Es, por ejemplo, 1 (una persona)"),
        ("config fases verano", "Es, por ejemplo: inscripciones 2026-02-01..2026-03-31 activar=6000"),
        ("config fases verano 2026-01-01..2026-02-01 volar=1", "Los umbrales son: activar"),
        ("config correo.por_dia -3", "Escribí un número; 0 es sin tope"),
        ("config color rojo", "Lo que se puede cambiar: aprobaciones.activar"),
        ("config color", "Lo que se puede cambiar: aprobaciones.activar"),
    ],
)
async def test_a_bad_value_says_what_to_do_and_changes_nothing(talk: Talk, words: str, said: str) -> None:
    assert said in (await talk.says(talk.carla, words)).text
    assert await stored(talk) == []
    assert await audit_events(talk.db, "config.set") == []


@pytest.mark.parametrize("role", [Role.CONSULTA, Role.OPERADOR, Role.APROBADOR], ids=str)
@pytest.mark.parametrize("words", ["config", "config umbral.activar", "config umbral.activar 1"])
async def test_only_administrators(talk: Talk, role: Role, words: str) -> None:
    told = await talk.says(talk.of_role(role), words)
    assert "hace falta el rol administrador" in told.text
    assert talk.carla.name in told.text
    assert "10000" not in told.text
    assert await stored(talk) == []
