"""Which folder may import which: the contracts of import-linter, and what it cannot say of single files."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
OURS = ("bot", "workers", "connectors", "cards", "lucy", "cli", "sandbox", "migrations")
BOTBUILDER = {"botbuilder", "botframework"}


def imported(source: str) -> set[str]:
    """The top-level packages that a file imports, wherever in it the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and node.args and isinstance(name := node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"} and isinstance(name.value, str):
                found.add(name.value.partition(".")[0])
    return found


@cache
def imports_by_file() -> dict[str, set[str]]:
    return {
        str(path.relative_to(CHECKOUT)): imported(path.read_text(encoding="utf-8"))
        for folder in OURS
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
    }


def importers(packages: set[str]) -> set[str]:
    return {file for file, names in imports_by_file().items() if names & packages}


@pytest.mark.parametrize(
    "source",
    [
        "import botbuilder.core",
        "import os, botbuilder.schema as schema",
        "from botbuilder.core import TurnContext",
        "def late():\n    from botbuilder import core",
        "if TYPE_CHECKING:\n    from botbuilder.core import TurnContext",
        "import importlib\nimportlib.import_module('botbuilder.core')",
        "__import__('botbuilder')",
    ],
)
def test_an_import_is_found_wherever_it_stands(source: str) -> None:
    assert "botbuilder" in imported(source)


def test_a_relative_import_is_not_taken_for_a_package() -> None:
    assert imported("from . import botbuilder\nfrom .botbuilder import core\nprint('botbuilder')") == set()


def test_botbuilder_stays_at_the_edge() -> None:
    """The SDK is being archived: the Agents SDK must be able to take its place (STYLE.md)."""
    found = importers(BOTBUILDER)
    assert {file for file in found if file != "bot/adapter.py" and not file.startswith("connectors/teams/")} == set()
    assert "bot/adapter.py" in found
    assert any(file.startswith("connectors/teams/") for file in found)


def test_one_file_knows_the_cards_library() -> None:
    assert importers({"adaptivecards"}) == {"cards/parts.py"}


def test_one_file_knows_the_workbook_library() -> None:
    """openpyxl takes text for formulas: nobody writes a cell but the file that knows."""
    assert importers({"openpyxl"}) == {"lucy/workbook.py"}


def test_the_sandbox_knows_none_of_our_code() -> None:
    """A stand-in that shares code with what it stands in for would share its mistakes."""
    ours = set(OURS) - {"sandbox"}
    sandbox = {file: names for file, names in imports_by_file().items() if file.startswith("sandbox/")}
    assert sandbox
    assert {file: names & ours for file, names in sandbox.items() if names & ours} == {}


def test_the_rules_have_no_io() -> None:
    """`lucy/domain` imports the standard library, itself, the texts and the error families."""
    allowed = set(sys.stdlib_module_names) | {"lucy"}
    outside = set(sys.stdlib_module_names) & {"asyncio", "socket", "subprocess", "os", "pathlib", "urllib", "http"}
    for file, names in imports_by_file().items():
        if file.startswith("lucy/domain/"):
            assert names <= allowed - outside, file


def test_the_contracts_of_import_linter_hold() -> None:
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    wanted = len(contracts["contracts"])
    assert wanted
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"Contracts: {wanted} kept, 0 broken", done.stdout), done.stdout
