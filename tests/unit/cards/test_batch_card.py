from dataclasses import replace
from typing import Any

import pytest

from cards.as_text import as_text
from cards.batch import DECIDED, batch_card, summary
from cards.verbs import BatchPress
from lucy.domain.batches import BatchState
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.domain.views import BatchAction, Problem, Tally
from lucy.errors import Remedy
from lucy.texts import number
from tests.unit.cards.batch_samples import AWAITING, BATCHES, FINISHED, FRAME, HUGE, RUNNING, WITH_FAILURES
from tests.unit.cards.card_json import action, actions, of_type


def drawn(view: Any) -> Any:
    return batch_card(view, FRAME)


def test_approve_carries_ids_and_the_version_seen() -> None:
    approve = action(drawn(AWAITING), "Aprobar")
    assert approve["verb"] == "batch.approve"
    assert BatchPress.parse(approve["data"]) == BatchPress(122, 3)


def test_reject_unfolds_a_required_reason() -> None:
    reject = action(drawn(AWAITING), "Rechazar")
    assert reject["type"] == "Action.ShowCard"
    (reason,) = reject["card"]["body"]
    assert (reason["id"], reason["isRequired"]) == ("reason", True)
    (confirm,) = reject["card"]["actions"]
    assert confirm["verb"] == "batch.reject"
    assert BatchPress.parse({**confirm["data"], "reason": " falta uno "}) == BatchPress(122, 3, reason="falta uno")


def test_only_the_buttons_of_the_view() -> None:
    view = replace(AWAITING, actions=frozenset({BatchAction.ROWS}))
    assert [one["title"] for one in actions(drawn(view))] == ["Ver los 37"]
    assert "actions" not in drawn(replace(AWAITING, actions=frozenset()))


def test_the_requester_gets_a_view_of_their_own() -> None:
    refresh = drawn(BATCHES["awaiting-requester"])["refresh"]
    assert refresh["userIds"] == ["29:1aBcDeFg"]
    assert refresh["action"]["type"] == "Action.Execute"
    assert refresh["action"]["verb"] == "batch.view"
    assert "refresh" not in drawn(AWAITING)


@pytest.mark.parametrize("state", BatchState)
def test_every_state_is_drawn_and_named(state: BatchState) -> None:
    view = replace(AWAITING, state=state)
    assert "L-0122 · Activación completa · 37 alumnos" in as_text(drawn(view))
    assert view.code in summary(view)


@pytest.mark.parametrize("state", sorted(DECIDED))
def test_a_decided_card_has_no_buttons(state: BatchState) -> None:
    card = drawn(replace(AWAITING, state=state, actions=frozenset(BatchAction), reason="No era el momento."))
    assert not of_type(card, "Action.")
    assert "No era el momento." in as_text(card)


@pytest.mark.parametrize("name", ["nothing-done", "nothing-selected", "all-failed"])
def test_nothing_done_never_looks_like_success(name: str) -> None:
    card = drawn(BATCHES[name])
    assert card["body"][0]["style"] != "good"
    assert "Se hizo" not in as_text(card)


def test_a_finish_without_a_single_step_done_says_so() -> None:
    view = replace(FINISHED, tallies=(Tally(StepKind.ACCOUNT, already=37),))
    assert drawn(view)["body"][0]["style"] == "emphasis"
    assert "No se hizo nada" in as_text(drawn(view))


def test_seats_that_stay_are_said() -> None:
    assert "quedan 463 licencias de 500" in as_text(drawn(AWAITING))
    assert "faltan 20 licencias: hay 15 libres de 500" in as_text(drawn(BATCHES["awaiting-seats-short"]))
    assert "no se sabe cuántas licencias quedan" in as_text(drawn(BATCHES["awaiting-seats-unknown"]))


def test_progress_has_bars_and_words() -> None:
    text = as_text(drawn(RUNNING))
    assert "Cuentas    ▓▓▓▓▓▓▓▓░░  28 de 35\n           faltan 7, 2 ya estaban" in text
    assert "faltan 7, 2 ya estaban, 1 falló" in text
    assert "312 alumnos por minuto, faltan unos 20 s" in text
    assert "Graph pidió esperar 5 s (08:15:31)" in text


def test_problems_are_gathered_under_who_acts() -> None:
    lines = as_text(drawn(WITH_FAILURES)).splitlines()
    source, administrator = (
        lines.index("Lo corrige Registro de Alumnos (1)"),
        lines.index("Lo resuelve un administrador (5)"),
    )
    assert "E-004" in lines[source + 1]
    assert lines[administrator + 1].startswith("• 3 matriculaciones. M-005")
    assert "Dependía de eso: 4 matriculaciones" in lines
    assert "Terminada con 6 pendientes" in lines[1]


def test_what_is_not_shown_is_counted() -> None:
    shown = sum(int(line[2:].split()[0]) for line in as_text(drawn(HUGE)).splitlines() if ". M-" in line)
    total = sum(problem.count for problem in HUGE.problems)
    assert f"Y 28 motivos más, {number(total - shown)} pasos: están en la lista" in as_text(drawn(HUGE))


def test_a_problem_that_heals_by_itself_says_so_while_the_batch_runs() -> None:
    waiting = Problem(StepKind.ACCOUNT, StepState.FAILED, "T-009", "Entra no contestó.", Remedy.WAIT, 2)
    assert "Lucy lo vuelve a intentar sola (2)" in as_text(drawn(replace(RUNNING, problems=(waiting,))))
    assert "alcanza con reintentar (2)" in as_text(drawn(replace(WITH_FAILURES, problems=(waiting,))))
