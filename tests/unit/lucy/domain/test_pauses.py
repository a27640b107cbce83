"""What is stopped, until when and why, as people type it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.domain.pauses import LONGEST, REASON_LETTERS, PauseRequest, parse_pause, parse_system, parse_until
from lucy.errors import RequestError, System

ZONE = ZoneInfo("America/Argentina/Cordoba")
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=ZONE).astimezone(UTC)


def local(day: int, month: int, hour: int, minute: int, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def pause(text: str) -> PauseRequest:
    return parse_pause(text, now=NOW, zone=ZONE)


UNTILS = [
    ("15:30", local(24, 11, 15, 30)),
    ("15.30", local(24, 11, 15, 30)),
    ("08:00", local(25, 11, 8, 0)),  # today it is over
    ("28/11", local(28, 11, 23, 59)),
    ("28/11 15:30", local(28, 11, 15, 30)),
    ("28/11/2026 15:30", local(28, 11, 15, 30)),
    ("28/11/26", local(28, 11, 23, 59)),
    ("24/11", local(24, 11, 23, 59)),
    ("05/01", local(5, 1, 23, 59, 2027)),
    ("2h", NOW + timedelta(hours=2)),
    ("2 horas", NOW + timedelta(hours=2)),
    ("30m", NOW + timedelta(minutes=30)),
    ("90 minutos", NOW + timedelta(minutes=90)),
]


@pytest.mark.parametrize(("text", "moment"), UNTILS)
def test_until_when(text: str, moment: datetime) -> None:
    assert parse_until(text, now=NOW, zone=ZONE) == moment
    asked = pause(f'moodle hasta:{text} motivo:"corte de luz"')
    assert asked == PauseRequest(System.MOODLE, moment, "corte de luz")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("25:00", "«25:00» no se entiende como hora"),
        ("31/02", "«31/02» no se entiende como hora"),
        ("mañana", "«mañana» no se entiende como hora"),
        ("", "¿Hasta cuándo?"),
        ("20/11/2026", "«20/11/2026» ya pasó"),
        ("24/11 13:00", "«24/11 13:00» ya pasó"),
        ("0m", "«0m» ya pasó"),
        ("20/11", "«20/11» es muy lejos"),
        ("99999h", "«99999h» es muy lejos"),
    ],
)
def test_a_time_that_is_none_says_how_it_is_written(text: str, said: str) -> None:
    with pytest.raises(RequestError) as refused:
        pause(f"hasta:{text} motivo:mudanza")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('motivo:"corte de luz"', PauseRequest(None, None, "corte de luz")),
        ("corte de luz", PauseRequest(None, None, "corte de luz")),
        ("todo motivo: corte de luz", PauseRequest(None, None, "corte de luz")),
        ("moodle está raro", PauseRequest(System.MOODLE, None, "está raro")),
        ("Entra: mudanza", PauseRequest(System.GRAPH, None, "mudanza")),
        ("graph motivo:“mudanza de inquilino”", PauseRequest(System.GRAPH, None, "mudanza de inquilino")),
        ("correo motivo:otro servidor hasta:15:30", PauseRequest(System.MAIL, local(24, 11, 15, 30), "otro servidor")),
        ("correo hasta las 15:30 otro servidor", PauseRequest(System.MAIL, local(24, 11, 15, 30), "otro servidor")),
        ("sial hasta el 28/11 por migración", PauseRequest(System.SIAL, local(28, 11, 23, 59), "por migración")),
        ('motivo:"sin servicio hasta 15:30"', PauseRequest(None, None, "sin servicio hasta 15:30")),
        ("moodle hasta nuevo aviso", PauseRequest(System.MOODLE, None, "hasta nuevo aviso")),
        ('hasta:2h "corte"', PauseRequest(None, NOW + timedelta(hours=2), "corte")),
    ],
)  # fmt: skip
def test_in_many_ways(text: str, asked: PauseRequest) -> None:
    assert pause(text) == asked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("moodle", '¿Por qué? Escribí el motivo: pausa general moodle motivo:"…"'),
        ("moodle hasta:15:30", "¿Por qué?"),
        ("graph motivo:", "pausa general entra motivo"),
        ('motivo:""', "¿Por qué?"),
        ('motivo:" … "', "¿Por qué?"),
        ('teams motivo:"no anda"', "«teams» no es un sistema. Son entra, moodle, correo, sial"),
        ("modle no anda", "¿Quisiste decir «moodle»?"),
    ],
)
def test_what_is_missing_or_unknown_is_asked_for(text: str, said: str) -> None:
    with pytest.raises(RequestError) as refused:
        pause(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "system"), [("", None), ("todo", None), ("Moodle", System.MOODLE), ("graph", System.GRAPH)]
)
def test_what_is_let_go_on(text: str, system: System | None) -> None:
    assert parse_system(text) is system


def test_a_long_reason_is_cut() -> None:
    assert len(pause("x" * 2000).reason) == REASON_LETTERS


@given(st.text(max_size=60))
def test_whatever_is_typed_is_understood_or_refused(text: str) -> None:
    try:
        asked = pause(text)
    except RequestError as refused:
        assert str(refused)
        return
    assert asked.reason
    assert asked.until is None or NOW < asked.until <= NOW + LONGEST
