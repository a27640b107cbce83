"""How many must approve, and how much may change at once."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.domain.config import KEYS, letters_quota, safety_from
from lucy.domain.operations import BatchKind
from lucy.domain.safety import (
    NAMES,
    Extent,
    Threshold,
    parse_approvals,
    parse_phases,
    parse_threshold,
    threshold_name,
    tripped,
)
from lucy.errors import RequestError
from tests.unit.lucy.people import THOROUGHLY

DAY = date(2026, 3, 1)
LOSING = {BatchKind.ENROL, BatchKind.UNENROL, BatchKind.UNLICENSE, BatchKind.DISABLE, BatchKind.UNDO}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", {0: 1, 1: 1, 9000: 1}),
        ("1:0 50:1 2", {1: 0, 2: 1, 50: 1, 51: 2}),
        ("0", {1: 0, 9000: 0}),
    ],
)
def test_approvals_by_size(text: str, expected: dict[int, int]) -> None:
    rule = parse_approvals(text)
    assert {students: rule.needed(students) for students in expected} == expected


@pytest.mark.parametrize("text", ["", "uno", "1:0", "6", "50:1 50:2 3", "50:1 20:2 3", "1 2", "1 5:2", "-1", "1:x 2"])
def test_approvals_that_cannot_be_read(text: str) -> None:
    with pytest.raises(RequestError):
        parse_approvals(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2000", Threshold(2000, None)),
        ("100 10%", Threshold(100, 10)),
        ("100/10%", Threshold(100, 10)),
        ("15 %", Threshold(None, 15)),
        ("15%", Threshold(None, 15)),
        ("5 15 %", Threshold(5, 15)),
        ("nunca", Threshold(None, None)),
        ("0", Threshold(0, None)),
    ],
)
def test_thresholds_as_people_write_them(text: str, expected: Threshold) -> None:
    assert parse_threshold(text) == expected


@pytest.mark.parametrize(
    ("threshold", "affected", "population", "says"),
    [
        (Threshold(100, 10), 100, 1000, ""),
        (Threshold(100, 10), 101, 100_000, "son 101 alumnos y el umbral es 100"),
        (Threshold(100, 10), 12, 100, "son 12 de 100 alumnos (12 %) y el umbral es 10 %"),
        (Threshold(100, 10), 10, 12, ""),  # a share says nothing of so few
        (Threshold(None, 10), 11, 110, ""),
        (Threshold(0, None), 1, 10, "es 1 alumno y el umbral es 0"),
        (Threshold(None, None), 9000, 1, ""),
        (Threshold(None, 10), 50, 0, ""),
    ],
)
def test_count_and_share_trip_with_their_numbers(
    threshold: Threshold, affected: int, population: int, says: str
) -> None:
    assert tripped(threshold, Extent(affected, population)) == says


@THOROUGHLY
@given(st.integers(0, 3000), st.integers(1, 3000), st.integers(0, 3000), st.integers(1, 3000))
def test_what_was_let_pass_is_a_ceiling(affected: int, population: int, let: int, of: int) -> None:
    threshold, now, released = Threshold(0, 0), Extent(affected, population), Extent(let, of)
    worse = affected > let or now.percent > released.percent
    assert bool(tripped(threshold, now, released=released)) == (worse and affected > 0)


def test_a_phase_raises_a_threshold_and_ends_by_itself() -> None:
    safety = safety_from(
        {
            "fases": "inscripciones 2026-02-01..2026-03-01 activar=6000 deshabilitar=0; "
            "receso 2026-12-20..2027-01-31 activar=0"
        }
    )
    assert safety.threshold("activar", DAY) == Threshold(6000)
    assert safety.threshold("activar", date(2026, 3, 2)) == parse_threshold(KEYS["umbral.activar"].default)
    assert safety.threshold("deshabilitar", DAY) == Threshold(0)
    assert safety.threshold("deshacer", DAY) == parse_threshold(KEYS["umbral.deshacer"].default)
    assert safety.threshold("activar", date(2027, 1, 31)) == Threshold(0)


@pytest.mark.parametrize(
    "text",
    ["verano", "verano 2026-01-01..2026-02-30 activar=1", "verano 2026-03-01..2026-02-01 activar=1",
     "verano 2026-01-01..2026-02-01", "verano 2026-01-01..2026-02-01 volar=1"],
)  # fmt: skip
def test_phases_that_cannot_be_read(text: str) -> None:
    with pytest.raises(RequestError, match="La fase"):
        parse_phases(text, frozenset({"activar"}))


def test_every_kind_has_its_settings_and_every_default_can_be_read() -> None:
    assert set(NAMES) == set(BatchKind)
    for key in KEYS.values():
        key.read(key.default)
    safety = safety_from({})
    for kind in BatchKind:
        assert safety.approvals[kind].needed(1) >= 1, "nobody approves their own by default"
        for removals in {False, kind in LOSING}:
            assert f"umbral.{threshold_name(kind, removals=removals)}" in KEYS
    assert letters_quota({}) == 10_000
    assert letters_quota({"correo.por_dia": "0"}) == 0
