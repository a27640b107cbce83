"""What the logs may tell."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from lucy.log import bind_correlation, configure_logging, correlation, mask_text, new_correlation


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Logging sent here, and put back as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("httpx", "msrest", "urllib3", "sqlalchemy")}
    stream = io.StringIO()
    configure_logging(stream=stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = before
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


def told(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_json_line_with_the_correlation(lines: io.StringIO) -> None:
    bind_correlation("abcd-efgh-jkmn")
    structlog.get_logger("bot").info("turn", status=201, parts=("a", None))
    (line,) = told(lines)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "turn",
        "status": 201,
        "parts": ["a", None],
        "level": "info",
        "logger": "bot",
        "correlation": "abcd-efgh-jkmn",
    }
    assert correlation() == "abcd-efgh-jkmn"


def test_people_and_secrets_are_masked_at_any_depth(lines: io.StringIO) -> None:
    structlog.get_logger().warning(
        "sent to ana@example.org",
        nested={"who": ["40123456", {"mail": "ana@example.org"}], "access_token": "x"},
        Authorization="Bearer abc",
        bot_app_password="x",
        thing=ValueError("40.123.456"),
    )
    (line,) = told(lines)
    assert line["event"] == "sent to a●●●@example.org"
    assert line["nested"] == {"who": ["●●●●3456", {"mail": "a●●●@example.org"}]}
    assert line["thing"] == "●●●●3456"
    assert not {"Authorization", "bot_app_password"} & line.keys()


def test_a_traceback_without_the_row_it_stumbled_over(lines: io.StringIO) -> None:
    def stumble() -> None:
        raise RuntimeError(
            "unique\nDETAIL:  Key (name)=(Pérez) exists.\n[SQL: insert]\n[parameters: ('Pérez',\n 'Ana')]\n(Background)"
        )

    try:
        stumble()
    except RuntimeError:
        structlog.get_logger().exception("failed")
    (line,) = told(lines)
    assert "in stumble" in line["exception"]
    assert "RuntimeError" in line["exception"]
    assert "Pérez" not in line["exception"].partition("RuntimeError: unique")[2]


def test_libraries_are_masked_too_and_the_talkative_ones_are_quiet(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("no answer for %s", "ana@example.org")
    try:
        raise ValueError("40123456")
    except ValueError:
        logging.getLogger("some.library").exception("broken")
    for name in ("httpx", "msrest.universal_http", "urllib3.connectionpool", "aiohttp.access", "msal.token_cache"):
        logging.getLogger(name).info("GET https://sial/persona?dni=40123456")
    first, second = told(lines)
    assert (first["event"], first["logger"], first["level"]) == (
        "no answer for a●●●@example.org",
        "some.library",
        "warning",
    )
    assert "ValueError: ●●●●3456" in second["exception"]


def test_for_eyes(lines: io.StringIO) -> None:
    configure_logging(json_lines=False, stream=lines)
    structlog.get_logger().info("turn", who="40123456")
    assert "●●●●3456" in lines.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dni 40123456.", "dni ●●●●3456."),
        ("4.012.345 y 40.123.456", "●●●●2345 y ●●●●3456"),
        ("a40123456", "a●●●●3456"),
        ("1700000000123 L-0042 201 10.0.0.1 1.200", "1700000000123 L-0042 201 10.0.0.1 1.200"),
        ("a40123456@eco.unrc.edu.ar", "a●●●@eco.unrc.edu.ar"),
        ("Bearer eyJhbGciOi.eyJzdWIi.c2ln y eyJhbGciOi.eyJzdWIi", "●●● y ●●●"),
        ("sin nada", "sin nada"),
    ],
)
def test_masks(text: str, expected: str) -> None:
    assert mask_text(text) == expected


def test_correlations_are_short_different_and_never_masked() -> None:
    made = {new_correlation() for _n in range(200)}
    assert len(made) == 200
    assert all(mask_text(one) == one and len(one) == 14 for one in made)


def test_the_short_name_of_a_lease_is_left_alone() -> None:
    """The demo and the tests tell by it which worker holds what; now and then it is all digits."""
    lease = "93012345f0"
    assert mask_text(lease[:6]) == lease[:6]
    assert mask_text(lease[:8]) != lease[:8]
