"""docs/connectors is what the code says, and the references name what the code asks."""

import ast
import re
from pathlib import Path

import pytest

from cli.docs import REFERENCES, codes_of, pages
from connectors.graph.models import Operation
from lucy.domain.error_codes import TEXTS
from lucy.settings import Settings

CHECKOUT = Path(__file__).parents[3]
FOLDER = CHECKOUT / "docs" / "connectors"


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "make docs"


def test_no_page_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(pages())


def test_every_question_to_graph_is_named() -> None:
    assert {one.operation for one in REFERENCES["graph"].calls} == {one.value for one in Operation}


def test_every_function_of_moodle_is_named() -> None:
    """As the source calls them."""
    called = set()
    for path in (CHECKOUT / "connectors" / "moodle").glob("*.py"):
        if path.name == "reference.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                called |= {node.value} if re.fullmatch(r"(core|enrol)_[a-z_]+s?_[a-z_]+", node.value) else set()
    named = {one.request for one in REFERENCES["moodle"].calls} - {"login/token.php"}
    assert named == called


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_settings_exist(name: str) -> None:
    known = {f"LUCY_{field.upper()}" for field in Settings.model_fields}
    assert set(REFERENCES[name].settings) <= known


def test_every_code_stands_on_a_page() -> None:
    """A text that no source raises would be on none: then it has to go, or its raiser to come."""
    shown = {code for name, one in REFERENCES.items() for code in codes_of(name, one)}
    general = {code for code in TEXTS if code.startswith("G-")}
    assert set(TEXTS) - shown - general == set()
    assert shown <= set(TEXTS)
