import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import cards
from cards import wording
from cards.progress import bar
from cards.report import spark
from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, BatchOptions, StepKind, batch_title
from lucy.domain.step_names import step
from lucy.domain.steps import StepState
from lucy.domain.students import SourceList, Stage
from lucy.errors import Remedy
from tests.unit.cards.batch_samples import AT, FRAME

SOURCES = sorted(Path(str(cards.__file__)).parent.glob("*.py"))
UNWORDED = {"parts.py", "actions.py", "inputs.py", "as_text.py", "verbs.py"}  # element names and errors for programmers


def test_steps_are_counted_as_people_say_it() -> None:
    assert wording.steps(StepKind.ACCOUNT, 35) == "35 cuentas"
    assert wording.steps(StepKind.CREDENTIALS_MAIL, 1) == "1 carta con credenciales"
    assert wording.steps(StepKind.ENROLMENT, 1284) == "1.284 matriculaciones"
    assert wording.steps_done(StepKind.CREDENTIALS_MAIL, 34) == "34 cartas aceptadas"


def test_everything_has_a_name() -> None:
    for kind in StepKind:
        assert wording.lane(kind)
        assert step(kind)
        assert wording.steps(kind, 2).startswith("2 ")
        assert wording.steps_done(kind, 1).startswith("1 ")
    for name in (wording.lane, step):
        assert len({name(kind) for kind in StepKind}) == len(StepKind)
    for counted in (wording.steps, wording.steps_done):
        assert len({counted(kind, 2) for kind in StepKind}) == len(StepKind)
    assert len({wording.batch_state(state) for state in BatchState}) == len(BatchState)
    assert len({wording.step_state(state) for state in StepState}) == len(StepState)
    assert len({wording.who_acts(remedy) for remedy in Remedy}) == len(Remedy)
    assert [wording.stage(stage) for stage in Stage] == [stage.value for stage in Stage]
    assert wording.source_list(SourceList.ASPIRANTES) == "Aspirantes"


@pytest.mark.parametrize(
    ("mail", "moodle", "title"),
    [
        (True, True, "Activación completa"),
        (True, False, "Activación sin Moodle"),
        (False, True, "Activación sin cartas"),
        (False, False, "Activación de cuentas, sin cartas ni Moodle"),
    ],
)
def test_a_batch_is_named_by_what_was_left_out(mail: bool, moodle: bool, title: str) -> None:
    assert batch_title(BatchKind.ACTIVATE, BatchOptions(mail=mail, moodle=moodle)) == title


def test_alternatives_join_as_in_speech() -> None:
    assert wording.either(()) == ""
    assert wording.either(("Ana",)) == "Ana"
    assert wording.either(("Ana", "Benito", "Carla")) == "Ana, Benito o Carla"
    assert wording.either(("Ana", "Óscar")) == "Ana u Óscar"
    assert wording.either(("Ana", "Horacio")) == "Ana u Horacio"


def test_samples_say_how_many_more() -> None:
    assert wording.sample((), 3) == ""
    assert wording.sample(("●●●●1",), 1) == "●●●●1"
    assert wording.sample(("●●●●1", "●●●●2"), 5) == "●●●●1, ●●●●2 y 3 más"


def test_moments_are_the_faculty_s_and_never_relative() -> None:
    assert wording.when(datetime(2026, 11, 24, 2, 30, tzinfo=UTC), FRAME) == "23/11 23:30"
    assert wording.when(datetime(2025, 12, 1, 12, 0, tzinfo=UTC), FRAME) == "01/12/2025 09:00"


def test_an_hour_without_a_date_is_of_the_day_the_card_was_drawn() -> None:
    assert wording.hour(AT, FRAME) == "las 08:12"
    assert wording.hour(AT + timedelta(days=1), FRAME) == "el 25/11 08:12"
    assert wording.at_hour(AT - timedelta(hours=7), FRAME) == "a la 01:12"
    assert wording.at_hour(AT - timedelta(days=1), FRAME) == "el 23/11 08:12"


def test_an_age_is_in_days_or_the_moment() -> None:
    assert wording.age(AT - timedelta(days=1, hours=2), FRAME) == "hace 1 día"
    assert wording.age(AT - timedelta(hours=20), FRAME) == "desde el 23/11 12:12"


@pytest.mark.parametrize(
    ("done", "total", "cells"), [(0, 35, 0), (1, 500, 1), (28, 35, 8), (499, 500, 9), (500, 500, 10), (0, 0, 0)]
)
def test_a_bar_is_full_only_at_the_end(done: int, total: int, cells: int) -> None:
    assert bar(done, total) == "▓" * cells + "░" * (10 - cells)


def test_a_spark_tells_none_from_few() -> None:
    assert spark([0, 1, 50, 100]) == "·▁▄█"
    assert spark([]) == ""
    assert spark([0, 0]) == "··"


def test_clipped_text_keeps_its_limit() -> None:
    assert wording.clip("a  b\nc", 10) == "a b c"
    assert wording.clip("abcdef", 4) == "abc…"


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name not in UNWORDED], ids=lambda path: path.name)
def test_every_text_can_be_translated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrapped = {
        id(literal)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"_", "plural"}
        for literal in ast.walk(call)
    }
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    bare = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in wrapped | docstrings
    ]
    assert [text for text in bare if any(word[:1].isupper() and word[1:].islower() for word in text.split())] == []
    assert [text for text in bare if len([word for word in text.split() if word.isalpha()]) > 1] == []
