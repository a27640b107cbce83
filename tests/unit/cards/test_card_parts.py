from datetime import date
from typing import Any

import pytest

from cards.actions import Execute, OpenUrl, ShowCard
from cards.inputs import Choices, DateInput, TextInput, Toggle
from cards.parts import Card, Column, ColumnSet, Container, FactSet, RichText, Run, Table, TextBlock, fill, to_json
from cards.verbs import Verb
from tests.unit.cards.test_card_rules import official_schema

CONSTRUCTORS = [
    lambda **extra: TextBlock("a", **extra),
    lambda **extra: Run("a", **extra),
    lambda **extra: RichText("a", **extra),
    lambda **extra: Container([], **extra),
    lambda **extra: Column([], **extra),
    lambda **extra: ColumnSet(Column([]), **extra),
    lambda **extra: FactSet([], **extra),
    lambda **extra: Table([1], [["a"]], **extra),
    lambda **extra: Card([], fallback_text="a", **extra),
    lambda **extra: Execute("a", Verb.BATCH_VIEW, {}, **extra),
    lambda **extra: ShowCard("a", [], **extra),
    lambda **extra: OpenUrl("a", "https://example.org", **extra),
    lambda **extra: TextInput("a", "A", **extra),
    lambda **extra: Toggle("a", "A", "a", on=True, **extra),
    lambda **extra: Choices("a", "A", [], **extra),
    lambda **extra: DateInput("a", "A", **extra),
]


@pytest.mark.parametrize("construct", CONSTRUCTORS)
def test_unknown_arguments_are_refused(construct: Any) -> None:
    construct()
    with pytest.raises(TypeError):
        construct(isSubtel=True)


def test_unknown_properties_are_refused() -> None:
    with pytest.raises(TypeError, match="no property wrapp"):
        fill(TextBlock("a"), wrapp=True)


def test_values_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError):
        fill(TextBlock("a"), wrap="yes")


def test_every_element_is_valid() -> None:
    form = ShowCard(
        "Pedir",
        [
            TextInput(
                "a",
                "A",
                value="x",
                required=True,
                error="Falta.",
                regex=".+",
                max_length=9,
                multiline=True,
                placeholder="…",
            ),
            Toggle("b", "B", "Con cartas", on=True),
            Choices(
                "c",
                "C",
                [("Uno", "1"), ("Dos", "2")],
                value="1",
                several=True,
                expanded=True,
                required=True,
                error="Falta.",
            ),
            DateInput("d", "D", value=date(2026, 11, 24), earliest=date(2026, 1, 1), latest=date(2026, 12, 31)),
        ],
        actions=[Execute("Pedir", Verb.BATCH_PROPOSE, {"selection": "aspirantes"}, style="positive")],
        style="destructive",
    )
    body = [
        TextBlock("a", heading=True, size="large", bold=True, subtle=True, spacing="none"),
        RichText("a", Run("b", bold=True, subtle=True, mono=True, size="small"), separator=True, spacing="large"),
        Container([TextBlock("a")], style="warning", bleed=True, separator=True, spacing="medium"),
        ColumnSet(Column([TextBlock("a")], width="auto"), Column([TextBlock("b")], width=80), spacing="small"),
        FactSet([("a", "b")], spacing="small"),
        Table([1, 2], [["a", "b"], ["c", [TextBlock("d"), FactSet([("a", "b")])]]], spacing="small"),
    ]
    refresh = Execute("", Verb.BATCH_VIEW, {"batch": 1})
    actions = [form, OpenUrl("Ver", "https://example.org/")]
    card = to_json(Card(body, fallback_text="a", actions=actions, refresh_action=refresh, refresh_for=["29:a"]))
    assert card.pop("msteams")
    official_schema().validate(card)


def test_more_buttons_than_teams_shows_are_refused() -> None:
    with pytest.raises(ValueError, match="6"):
        Card([], fallback_text="a", actions=[Execute("a", Verb.BATCH_VIEW, {})] * 7)


def test_a_row_needs_all_its_cells() -> None:
    with pytest.raises(ValueError, match="cells"):
        Table([1, 1], [["a"]])


@pytest.mark.parametrize("url", ["http://example.org", "javascript:alert(1)", "", "https:/x"])
def test_only_https_is_opened(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        OpenUrl("a", url)


def test_an_input_needs_a_label_and_a_required_one_a_message() -> None:
    with pytest.raises(ValueError, match="label"):
        TextInput("a", "")
    with pytest.raises(ValueError, match="missing"):
        TextInput("a", "A", required=True)


def test_a_name_cannot_bring_formatting_or_links() -> None:
    assert TextBlock("[a](https://example.org) *b* _c_").get_data("text") == "(a)(https://example.org) ∗b∗ ˍcˍ"
    run: Any = to_json(Card([RichText("[a](b) *c*")], fallback_text="a"))
    assert run["body"][0]["inlines"][0]["text"] == "[a](b) *c*"
