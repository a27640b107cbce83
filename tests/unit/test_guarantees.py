"""docs/guarantees.md names, for each promise, the test that shows it: every one of them exists."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
SHORT = {"workers/": "tests/integration/workers/", "bot/": "tests/integration/bot/", "faults/": "tests/e2e/faults/"}
_NAMED = re.compile(r"`(?P<path>[\w/.]+\.py)?(?:::(?P<test>\w+))?`")


def named() -> list[tuple[Path, str]]:
    """Files and tests in the order in which the page names them; `::test` alone is of the file before it."""
    found: list[tuple[Path, str]] = []
    file = ""
    for match in _NAMED.finditer((CHECKOUT / "docs" / "guarantees.md").read_text(encoding="utf-8")):
        path, test = match["path"], match["test"] or ""
        if path:
            file = next(
                (full + path.removeprefix(short) for short, full in SHORT.items() if path.startswith(short)), path
            )
        if test or (path and "test_" in path):
            found.append((CHECKOUT / file, test))
    return found


def test_every_test_that_is_named_exists() -> None:
    pairs = named()
    assert len(pairs) > 40
    missing = [
        f"{path.relative_to(CHECKOUT)}::{test}"
        for path, test in pairs
        if not path.is_file() or (test and f"def {test}(" not in path.read_text(encoding="utf-8"))
    ]
    assert missing == []
