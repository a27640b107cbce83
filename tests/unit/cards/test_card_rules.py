"""What holds for every card, whatever it shows."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import adaptive_cards
import pytest
from jsonschema import Draft6Validator

from cards.as_text import as_text
from lucy.domain.letters import PLACE
from tests.unit.cards.batch_samples import FRAME
from tests.unit.cards.card_json import actions, nodes, of_type, shown_texts
from tests.unit.cards.card_samples import DRAWN, draw, summarise

ENGLISH = re.compile(
    r"\b(the|and|with|batch|step|account|licence|pending|failed|done|running|queued|finished|approve[sd]?|reject|"
    r"cancelled|students?|waiting|nothing|source|operator|administrator)\b",
    re.IGNORECASE,
)
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]")
every_card = pytest.mark.parametrize("name", DRAWN)


@cache
def official_schema() -> Draft6Validator:
    path = Path(str(adaptive_cards.__file__)).parent / "schemas" / "schema-1.5.json"
    return Draft6Validator(json.loads(path.read_text(encoding="utf-8")))


@every_card
def test_valid_against_the_official_schema(name: str) -> None:
    card = draw(name)
    teams: Any = card.pop("msteams")  # Teams' own, the schema does not know it
    assert set(teams) <= {"width", "entities"}
    assert teams["width"] == "Full"
    for picture in of_type(card, "Image"):
        assert picture.pop("msteams") == {"allowExpand": True}
        assert picture["altText"]
    assert card["version"] == "1.5"
    official_schema().validate(card)


@every_card
def test_small_enough(name: str) -> None:
    assert len(json.dumps(draw(name))) < 25_000


@every_card
def test_at_most_six_buttons(name: str) -> None:
    card = draw(name)
    for node in nodes(card):
        assert len(node.get("actions", [])) <= 6
    for button in actions(card):
        assert 0 < len(button["title"]) <= 60


@every_card
def test_every_call_has_a_verb_and_carries_no_facts(name: str) -> None:
    for call in of_type(draw(name), "Action.Execute"):
        assert call["verb"].split(".")[0] in {"batch", "ingest", "student", "letter", "status", "help"}
        assert set(call["data"]) <= {"batch", "version", "first", "run", "selection", "kind", "letter", "id", "student"}


@every_card
def test_every_input_is_labelled(name: str) -> None:
    for field in of_type(draw(name), "Input."):
        assert field["label"]
        assert field["id"]
        assert field.get("errorMessage") or not field.get("isRequired")


@every_card
def test_begins_with_what_it_is_and_the_environment(name: str) -> None:
    card: Any = draw(name)
    first, second = card["body"][0]["items"][:2]
    assert (first["type"], first["style"]) == ("TextBlock", "heading")
    assert second["inlines"][-1]["text"] == FRAME.environment


@every_card
def test_speaks_calmly_and_in_spanish(name: str) -> None:
    for text in [*shown_texts(draw(name)), summarise(name), as_text(draw(name))]:
        assert "!" not in text
        assert "¡" not in text
        assert not EMOJI.search(text)
        assert not ENGLISH.search(text), text
        # A letter names its variables; anywhere else a brace is a text that was not filled.
        assert "{" not in (PLACE.sub("", text) if name.startswith("letter") else text)


@every_card
def test_text_blocks_wrap_and_hold_no_markdown(name: str) -> None:
    for block in of_type(draw(name), "TextBlock"):
        assert block["wrap"] is True
        assert not re.search(r"[*_`\[\]]", block["text"])


@every_card
def test_no_text_is_empty(name: str) -> None:
    for run in of_type(draw(name), "TextRun"):
        assert run["text"]
    for block in of_type(draw(name), "RichTextBlock"):
        assert "".join(run["text"] for run in block["inlines"]).strip()


@every_card
def test_summary_is_one_line(name: str) -> None:
    summary = summarise(name)
    assert summary
    assert "\n" not in summary
    assert len(summary) < 600
    assert draw(name)["fallbackText"] == summary
