"""What a batch card says when things do not go straight on."""

from dataclasses import replace
from typing import Any

import pytest

from cards.as_text import as_text
from cards.batch import batch_card, summary
from cards.verbs import BatchPress
from lucy.domain.batches import BatchState
from lucy.domain.views import BatchAction, Forecast, Obstacle
from tests.unit.cards.batch_samples import AT, AWAITING, BATCHES, FRAME, RUNNING, WITH_FAILURES
from tests.unit.cards.card_json import action, actions
from tests.unit.cards.trouble_samples import CHANGES, OUTAGE, PAUSE, TROUBLE, UNDO


def drawn(view: Any) -> Any:
    return batch_card(view, FRAME)


def lines(name: str) -> list[str]:
    return as_text(drawn(TROUBLE[name])).splitlines()


def titles(view: Any) -> list[str]:
    return [one["title"] for one in actions(drawn(view))]


def test_a_forecast_says_what_stays_and_when_it_ends() -> None:
    told = lines("awaiting-sample")
    assert "Los primeros 3 de 37:" in told
    assert "Previsión, si empieza el 24/11 08:16:" in told
    assert "• 35 cartas; con las 120 de hoy, 155 de 10.000 del día" in told
    assert "• unos 40 s, terminaría a las 08:16" in told


def test_an_end_on_another_day_says_which() -> None:
    view = replace(AWAITING, forecast=Forecast(seats_free=498, letters=1, letters_quota=100, duration_s=17.75 * 3600))
    assert "• 1 carta de 100 del día" in as_text(drawn(view))
    assert "• unas 17 h 45 min, terminaría el 25/11 02:01" in as_text(drawn(view))


def test_what_does_not_fit_is_split_in_the_place_of_approving() -> None:
    assert "Alcanza para 500 de 520: faltan 20 cartas del día" in lines("awaiting-quota-short")
    assert titles(TROUBLE["awaiting-quota-short"])[0] == "Partir en 500 + 20"
    split = action(drawn(TROUBLE["awaiting-quota-short"]), "Partir en 500 + 20")
    assert (split["verb"], split["data"]) == ("batch.split", {"batch": 122, "version": 3})
    nobody = replace(AWAITING, forecast=Forecast(seats_free=0, seats_total=500, fits=0))
    assert "No alcanza para ninguno de los 37: faltan 35 licencias" in as_text(drawn(nobody))


def test_a_confirmed_approval_asks_for_the_number_of_students() -> None:
    approve = action(drawn(replace(UNDO, students=1284)), "Aprobar")
    assert approve["type"] == "Action.ShowCard"
    (field,) = approve["card"]["body"]
    assert (field["id"], field["isRequired"]) == ("confirm", True)
    assert field["label"] == "Escribí 1284 para confirmar: lo que se hace no se puede deshacer"
    (inner,) = approve["card"]["actions"]
    assert inner["verb"] == "batch.approve"
    assert BatchPress.parse({**inner["data"], "confirm": "1284"}) == BatchPress(160, 3, confirm="1284")


def test_what_can_be_undone_is_confirmed_without_a_threat() -> None:
    view = replace(AWAITING, confirm=True, tallies=AWAITING.tallies[:2])
    (field,) = action(drawn(view), "Aprobar")["card"]["body"]
    assert field["label"] == "Escribí 37, la cantidad de alumnos, para confirmar"


def test_approvals_are_counted_and_the_rest_is_waited_for() -> None:
    told = lines("awaiting-one-of-two")
    assert "Aprobó 1 de 2: Ñusta Belén Yrigoyen (24/11 08:15)" in told
    assert "Espera a: Óscar Maximiliano Peñaloza Ibarguren (aprobación por otra persona)" in told
    assert "Ñusta" not in summary(TROUBLE["awaiting-one-of-two"])
    assert "Aprobaciones que necesita: 2" in lines("awaiting-two")
    assert "No necesita aprobación." in as_text(drawn(replace(AWAITING, approvals_needed=0)))


def test_every_approval_is_named_once_it_runs() -> None:
    heading = lines("running-in-the-way")[2]
    assert "Ñusta Belén Yrigoyen (24/11 08:15), Óscar Maximiliano Peñaloza Ibarguren (24/11 09:02)" in heading
    assert lines("running-unapproved")[2].endswith("no necesitaba aprobación")
    cancelled = lines("cancelled-in-hand")[2]
    assert "aprobada por Ñusta" in cancelled
    assert "cancelada por María" in cancelled


def test_a_held_batch_says_why_and_what_can_be_done() -> None:
    text = as_text(drawn(BATCHES["held"]))
    assert "Se puede: soltarla para que se apruebe, partirla, rechazarla o cancelarla" in text
    assert titles(BATCHES["held"])[:2] == ["Soltar para aprobar", "Partir en dos"]
    assert "Se puede:" not in as_text(drawn(replace(BATCHES["held"], actions=frozenset({BatchAction.ROWS}))))
    assert any(line.startswith("Ya se hizo: 28 cuentas") for line in lines("held-midway"))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("awaiting-changed", "Viene de L-0122: 3 alumnos cambiaron después de la aprobación"),
        ("awaiting-changed", "• 2: cambió la carrera (●●●●5432, ●●●●0118)"),
        ("awaiting-split", "Viene de L-0050: 37 alumnos que quedaron para después al partirla"),
        ("awaiting-rest", "Viene de L-0041: 37 alumnos que no se habían empezado cuando se canceló"),
        ("awaiting-withheld", "Bajas apartadas de L-0050: las de 2 alumnos, que se deciden aparte"),
        ("awaiting-withheld", "Bajas: 2 desmatriculaciones"),
        ("awaiting-undo", "Deshace L-0122"),
        (
            "awaiting-undo",
            "• 34: cartas aceptadas. A cambio: contraseña nueva y carta de rectificación (●●●●5432 y 33 más)",
        ),
        ("finished-dropped", "3 quedaron afuera: cambiaron después de la aprobación"),
        ("finished-dropped", "Los 3 que cambiaron se piden de nuevo en L-0123."),
        ("finished-dropped", "Las bajas quedaron aparte, en L-0124."),
        ("finished-dropped", "Los que no entraban quedaron en L-0125."),
        ("finished-undone", "Se deshace en L-0160."),
        ("cancelled-in-hand", "Los que no se habían empezado quedaron en L-0126."),
    ],
)
def test_where_it_came_from_and_what_came_of_it(name: str, line: str) -> None:
    assert line in lines(name)


def test_dropped_students_are_told_once() -> None:
    assert not any("G-003" in line for line in lines("finished-dropped"))
    assert lines("finished-dropped")[1].startswith("Terminada con 4 pendientes")  # three students and a letter


def test_one_dropped_student_is_one() -> None:
    view = replace(TROUBLE["finished-dropped"], dropped=1, changes=CHANGES[1:])
    text = as_text(drawn(view))
    assert "1 quedó afuera: cambió después de la aprobación" in text
    assert "El que cambió se pide de nuevo en L-0123." in text


def test_what_stands_in_the_way_is_said_before_and_while_it_runs() -> None:
    running = lines("running-in-the-way")
    assert "• Pausa general de Moodle: mantenimiento (la puso Ana Ruiz, hasta las 18:00). 40 pasos esperan." in running
    assert "• Moodle no responde desde las 08:02. 340 pasos esperan, no se perdió nada." in running
    assert "• 3 alumnos esperan a que L-0041 termine con ellos." in running
    waiting = as_text(drawn(replace(AWAITING, obstacles=(PAUSE,))))
    assert "(la puso Ana Ruiz, hasta las 18:00). Si se aprueba ahora, 40 pasos van a esperar." in waiting
    assert "unos 40 s, sin contar la espera" in waiting  # an end would be a guess


@pytest.mark.parametrize("state", [BatchState.AWAITING_APPROVAL, BatchState.HELD, BatchState.QUEUED, BatchState.PAUSED])
def test_obstacles_are_on_every_card_they_affect(state: BatchState) -> None:
    assert "Moodle no responde desde las 08:02." in as_text(drawn(replace(RUNNING, state=state, obstacles=(OUTAGE,))))


@pytest.mark.parametrize(
    ("obstacle", "text"),
    [
        (Obstacle("", "", owner="Ana"), "Pausa general (la puso Ana)."),
        (Obstacle("mail", "mudanza.", owner="Ana"), "Pausa general del correo: mudanza (la puso Ana)."),
        (Obstacle("graph", "", since=AT), "Entra no responde desde las 08:12."),
        (Obstacle("", "se cortó", waiting=1), "Un sistema externo no responde: se cortó. 1 paso espera, no se perdió"),
    ],
)
def test_obstacles_say_what_is_known(obstacle: Obstacle, text: str) -> None:
    assert text in as_text(drawn(replace(RUNNING, obstacles=(obstacle,))))


def test_conflicts_of_an_undo_are_a_group_of_their_own() -> None:
    told = lines("undone-in-part")
    at = told.index("No se deshizo, alguien lo cambió después (3)")
    assert told[at + 1 : at + 3] == [
        "• 2 desmatriculaciones (●●●●5432 y 1 más)",
        "• 1 deshabilitación de cuenta (●●●●0118)",
    ]
    assert told[1].startswith("Terminada con 3 pendientes")
    assert "No se deshizo nada." in lines("nothing-undone")


def test_letters_that_may_have_gone_out_twice_are_said() -> None:
    told = "2 cartas pudieron salir dos veces (mismo identificador): el servidor no contestó y no hay cómo saberlo."
    assert told in lines("finished-dropped")


def test_a_pause_and_a_cancellation_finish_those_in_hand() -> None:
    assert "los alumnos que estaban en la mano se terminan" in as_text(drawn(BATCHES["paused"]))
    assert any(line.startswith("Se terminan los alumnos que estaban en la mano") for line in lines("cancelled-in-hand"))
    assert "en la mano" not in as_text(drawn(BATCHES["cancelled-midway"]))


def test_the_result_can_be_retried_by_count_undone_and_downloaded() -> None:
    view = replace(WITH_FAILURES, actions=TROUBLE["finished-dropped"].actions)
    assert titles(view) == ["Reintentar 6", "Ver los 37", "Deshacer", "Bajar planilla"]
    assert action(drawn(view), "Bajar planilla")["verb"] == "batch.download"
    assert action(drawn(view), "Deshacer")["type"] == "Action.Execute"
