from cards.actions import Execute, ShowCard
from cards.as_text import as_text
from cards.inputs import Choices, TextInput
from cards.parts import Card, Column, ColumnSet, Container, FactSet, RichText, Run, Table, TextBlock, to_json
from cards.verbs import Verb
from tests.unit.cards.card_samples import draw


def test_reads_from_the_title_to_the_buttons() -> None:
    lines = as_text(draw("batch-awaiting")).splitlines()
    assert lines[0] == "L-0122 · Activación completa · 37 alumnos"
    assert lines[1] == "Espera aprobación · SIMULADOR"
    assert lines[-1] == "[Aprobar] [Rechazar…] [Ver los 37] [Cancelar]"


def test_aligns_tables_facts_and_columns() -> None:
    card = Card(
        [
            TextBlock("Título"),
            FactSet([("Cuenta", "activa"), ("Moodle", "no")]),
            Table([1, 1], [["Lote", "Estado"], ["L-0122", [RichText("En ", Run("marcha")), RichText("desde ayer")]]]),
            ColumnSet(Column([TextBlock("Cartas")]), Column([TextBlock("21 de 35")])),
            ColumnSet(Column([TextBlock("Matriculaciones")]), Column([TextBlock("60 de 71")])),
            Container([TextBlock("Aparte")], separator=True),
            TextInput("a", "Motivo"),
            Choices("b", "Lista", [("Uno", "1"), ("Dos", "2")]),
        ],
        fallback_text="x",
        actions=[Execute("Aprobar", Verb.BATCH_APPROVE, {}), ShowCard("Rechazar", [])],
    )
    assert as_text(to_json(card)).splitlines() == [
        "Título",
        "Cuenta:  activa",
        "Moodle:  no",
        "Lote    Estado",
        "L-0122  En marcha",
        "        desde ayer",
        "Cartas           21 de 35",
        "Matriculaciones  60 de 71",
        "",
        "Aparte",
        "Motivo: …",
        "Lista: Uno / Dos",
        "[Aprobar] [Rechazar…]",
    ]


def test_an_empty_card_is_empty() -> None:
    assert as_text({}) == ""
