"""Every card as it was last looked at.

After a change that is meant: `LUCY_REGENERATE=1 pytest tests/unit/cards`, then read the difference.
"""

import json
import os
from pathlib import Path

import pytest

from tests.unit.cards.card_samples import DRAWN, draw

GOLDEN = Path(__file__).parent / "golden"
REGENERATE = bool(os.environ.get("LUCY_REGENERATE"))
NAMES = [name for name in DRAWN if not name.endswith(("many", "huge"))]  # those are for the size alone


@pytest.mark.parametrize("name", NAMES)
def test_card_is_drawn_as_it_was(name: str) -> None:
    drawn = json.dumps(draw(name), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    golden = GOLDEN / f"{name}.json"
    if REGENERATE:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(NAMES)
