import ast
import re
from functools import cache
from pathlib import Path

import pytest

from lucy.domain.error_codes import TEXTS, explain

CHECKOUT = Path(__file__).parents[4]
SOURCES = ("bot", "workers", "connectors", "cards", "lucy", "cli", "migrations")
CODE = re.compile(r"[TMEUG]-[0-9]{3}")
WHO_ACTS = re.compile(
    r"\b(Un administrador|Un operador) (tiene que|puede) \w+|"
    r"\b[Ll][oa]s? corrige Registro de Alumnos\b|"
    r"\bLucy (lo )?(vuelve a \w+|sigue sola)"
)


@cache
def codes_in_the_source() -> dict[str, set[str]]:
    """Every string of the source that is a code, and the files it stands in."""
    found: dict[str, set[str]] = {}
    for path in (path for folder in SOURCES for path in (CHECKOUT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.setdefault(node.value, set()).add(str(path.relative_to(CHECKOUT)))
    return found


def test_every_code_in_the_source_has_a_text() -> None:
    assert {code: files for code, files in codes_in_the_source().items() if code not in TEXTS} == {}


def test_the_search_finds_codes_outside_the_list() -> None:
    elsewhere = {code for code, files in codes_in_the_source().items() if files != {"lucy/domain/error_codes.py"}}
    assert {code[0] for code in elsewhere} == set("TMEUG")


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_a_text_says_what_happened_and_who_acts(code: str) -> None:
    assert CODE.fullmatch(code)
    text = TEXTS[code]
    assert WHO_ACTS.search(text), text
    assert text.endswith(".")
    assert text[0].isupper()
    assert len(text) <= 120
    assert not re.search(r"[!¡{}]|\b(Error|error|Ups|Oops)\b", text), text


def test_no_two_codes_say_the_same() -> None:
    assert len(set(TEXTS.values())) == len(TEXTS)


def test_explaining() -> None:
    assert explain("T-005").startswith("No quedan licencias.")
    assert explain("X-999") == explain("") == explain("G-001")
    assert "Un administrador" in explain("X-999")
