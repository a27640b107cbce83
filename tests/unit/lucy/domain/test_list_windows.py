from datetime import date

import pytest

from lucy.domain.config import KEYS, list_of, list_window
from lucy.domain.list_windows import ListWindow, parse_window
from lucy.domain.students import SourceList
from lucy.errors import RequestError

DAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("siempre", True),
        ("nunca", False),
        ("2026-11-26..2026-11-26", True),
        ("2026-11-27..", False),
        ("..2026-11-25", False),
        (" ..2026-11-26 ", True),
        ("2026-10-01..", True),
    ],
)
def test_the_days_on_which_a_list_is_read(text: str, has: bool) -> None:
    assert parse_window(text).has(DAY) is has


@pytest.mark.parametrize("text", ["", "..", "ayer", "2026-11-31..", "2026-12-01..2026-11-01", "2026-11-01"])
def test_what_is_no_window_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RequestError, match=r"2026-10-01\.\.2026-12-15"):
        parse_window(text)


def test_each_list_has_its_setting_and_is_always_read_by_default() -> None:
    for one in SourceList:
        assert list_of(f"lista.{one.value}") is one
        assert f"lista.{one.value}" in KEYS
        assert list_window({}, one) == ListWindow()
    assert list_of("umbral.activar") is None
