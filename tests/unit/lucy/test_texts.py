from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.texts import SOURCE_LANGUAGE, _, clock, day, duration, language, number, plural
from tests.unit.lucy.people import THOROUGHLY

CORDOBA = ZoneInfo("America/Argentina/Cordoba")
LATE = datetime(2026, 11, 25, 1, 5, tzinfo=UTC)  # still the 24th in Córdoba


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (999, "999"), (1284, "1.284"), (1234567, "1.234.567"), (-1284, "-1.284")]
)
def test_numbers_as_argentina_writes_them(value: int, written: str) -> None:
    assert number(value) == written


def test_times_are_the_facultys() -> None:
    assert clock(LATE, CORDOBA) == "22:05"
    assert day(LATE, CORDOBA) == "24/11/2026"
    assert (clock(LATE, ZoneInfo("UTC")), day(LATE, ZoneInfo("UTC"))) == ("01:05", "25/11/2026")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (40, "40 s"),
        (89.4, "89 s"),
        (89.6, "2 min"),
        (90, "2 min"),
        (200, "3 min"),
        (5399, "90 min"),
        (5400, "1 h 30 min"),
        (7500, "2 h 05 min"),
        (7559, "2 h 05 min"),
        (90000, "25 h 00 min"),
    ],
)
def test_lengths_of_time(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@THOROUGHLY
@given(st.floats(min_value=0, max_value=10**7))
def test_a_length_of_time_is_told_to_a_minute_or_finer(seconds: float) -> None:
    words = duration(seconds).split()
    units = {"s": 1, "min": 60, "h": 3600}
    told = sum(int(count) * units[unit] for count, unit in zip(words[::2], words[1::2], strict=True))
    assert abs(told - seconds) <= (0.5 if words[-1] == "s" else 61)


@pytest.mark.parametrize(
    ("count", "written"), [(0, "0 alumnos"), (1, "1 alumno"), (2, "2 alumnos"), (1284, "1.284 alumnos")]
)
def test_plurals(count: int, written: str) -> None:
    assert plural("{n} alumno", "{n} alumnos", count) == written


def test_the_source_texts_are_spanish() -> None:
    assert language.get() == SOURCE_LANGUAGE == "es_AR"
    assert _("No entiendo") == "No entiendo"


def test_a_language_without_catalogue_reads_the_source_texts() -> None:
    token = language.set("xx_YY")
    try:
        assert _("No entiendo") == "No entiendo"
        assert plural("{n} alumno", "{n} alumnos", 3) == "3 alumnos"
    finally:
        language.reset(token)
