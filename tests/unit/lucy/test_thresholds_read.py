"""How a threshold is written: `2000`, `100 10%`, `10%`, `nunca`."""

import pytest

from lucy.domain.safety import Threshold, parse_threshold
from lucy.errors import RequestError


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2000", Threshold(2000)),
        ("10%", Threshold(None, 10)),
        ("5 %", Threshold(None, 5)),
        ("100%", Threshold(None, 100)),
        ("100 10%", Threshold(100, 10)),
        ("100/10%", Threshold(100, 10)),
        ("nunca", Threshold()),
        ("never", Threshold()),
    ],
)
def test_a_threshold_is_read_as_it_is_written(text: str, read: Threshold) -> None:
    assert parse_threshold(text) == read


@pytest.mark.parametrize("text", ["", "%", "200%", "100 200%", "10 20", "muchos", "-1", "1234567"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="no es un umbral"):
        parse_threshold(text)
