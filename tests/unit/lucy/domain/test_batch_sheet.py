"""The rows of a batch's sheet: every state in words, every reason with who must act."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lucy.domain import sheet_words
from lucy.domain.batch_sheet import Reason, SheetStep, SheetStudent, headings, reasons, student_row, widths
from lucy.domain.batch_summary import WIDTHS, BatchFacts, facts_rows, reason_rows, tally_rows
from lucy.domain.batches import BatchState
from lucy.domain.error_codes import explain
from lucy.domain.operations import StepKind
from lucy.domain.steps import StepState
from lucy.domain.students import Stage
from lucy.domain.views import Approval, Tally
from lucy.errors import Remedy

AT = datetime(2026, 11, 24, 11, 12, tzinfo=UTC)
K, S = StepKind, StepState
KINDS = (K.ACCOUNT, K.CREDENTIALS_MAIL, K.ENROLMENT)
ANA = SheetStudent("Pérez", "Ana", "40123456", Stage.ASPIRANTE)


def step(kind: StepKind, state: StepState = S.DONE, target: str = "", **more: Any) -> SheetStep:
    return SheetStep(kind, target, state, **more)


def row(*steps: SheetStep, **changes: Any) -> dict[str, Any]:
    student = replace(ANA, steps=steps, **changes)
    return dict(zip(headings(KINDS), student_row(student, KINDS), strict=True))


def test_a_student_with_every_kind_of_step() -> None:
    assert row(
        step(K.ACCOUNT, changed_at=AT),
        step(K.CREDENTIALS_MAIL, changed_at=AT + timedelta(minutes=5)),
        step(K.ENROLMENT, S.ALREADY, "INGRESO-2026", changed_at=AT - timedelta(days=1)),
        step(K.ENROLMENT, S.DUE, "CONT-1"),
        step(K.ENROLMENT, S.WAITING, "MAT-1"),
    ) == {
        "Apellido": "Pérez",
        "Nombre": "Ana",
        "Documento": "40123456",
        "Etapa": "aspirante",
        "Cuenta": "hecho",
        "Carta con credenciales": "aceptada",
        "Cursos": "por hacer: CONT-1, MAT-1; ya estaba: INGRESO-2026",
        "Código": None,
        "Motivo": None,
        "Quién corrige": None,
        "Último cambio": AT + timedelta(minutes=5),
    }


def test_what_failed_comes_with_code_text_and_who_mends_it() -> None:
    found = row(
        step(K.ACCOUNT),
        step(K.CREDENTIALS_MAIL, S.FAILED, code="E-004", remedy="source"),
        step(K.ENROLMENT, S.FAILED, "CONT-1", code="M-013", remedy="administrator"),
        step(K.ENROLMENT, S.FAILED, "MAT-1", code="M-013", remedy="administrator"),
    )
    assert found["Carta con credenciales"] == "falló"
    assert found["Cursos"] == "falló: CONT-1, MAT-1"
    assert found["Código"] == "E-004, M-013"
    assert found["Motivo"] == f"Carta con credenciales: {explain('E-004')} CONT-1, MAT-1: {explain('M-013')}"
    assert found["Quién corrige"] == "Registro de Alumnos, un administrador"


def test_steps_that_depended_on_another_are_no_reason_of_their_own() -> None:
    failed = step(K.ACCOUNT, S.FAILED, code="T-005", remedy="administrator")
    depended = step(K.CREDENTIALS_MAIL, S.SKIPPED, code="G-002")
    assert row(failed, depended)["Código"] == "T-005"
    assert row(failed, depended)["Carta con credenciales"] == "no se hizo"
    assert row(step(K.ACCOUNT), depended)["Código"] == "G-002"
    own = step(K.CREDENTIALS_MAIL, S.SKIPPED, code="E-010", remedy="operator")
    assert row(failed, own)["Código"] == "T-005, E-010"


def test_who_was_dropped_is_told_with_what_changed() -> None:
    found = row(
        step(K.ACCOUNT, S.DROPPED),
        step(K.CREDENTIALS_MAIL, S.DROPPED),
        changed=("cambió el correo", "cambió su cuenta"),
    )
    assert (found["Cuenta"], found["Código"], found["Quién corrige"]) == ("quedó afuera", "G-003", "un operador")
    assert found["Motivo"].endswith(f"{explain('G-003')} cambió el correo. cambió su cuenta.")


def test_what_an_undo_left_alone_is_told_apart() -> None:
    left = step(K.ENROLMENT, S.SKIPPED, "CONT-1", code="G-008", remedy="operator")
    found = row(left, step(K.ENROLMENT, S.SKIPPED, "MAT-1", code="G-002"), step(K.ENROLMENT, S.DONE, "INGRESO-2026"))
    assert found["Cursos"] == "no se deshizo: CONT-1; no se hizo: MAT-1; hecho: INGRESO-2026"
    assert found["Código"] == "G-008"


def test_whom_the_plan_cannot_serve_is_told_why() -> None:
    found = row(impossible=("son preinscriptos: no llevan cuenta",))
    assert found["Motivo"] == "son preinscriptos: no llevan cuenta."
    assert [found[name] for name in ("Cuenta", "Cursos", "Código", "Quién corrige", "Último cambio")] == [None] * 5


@pytest.mark.parametrize(("state", "code"), [(S.FAILED, "G-001"), (S.DROPPED, "G-003"), (S.SKIPPED, "G-002")])
def test_a_step_without_a_code_has_a_reason_all_the_same(state: StepState, code: str) -> None:
    ((about, reason),) = reasons(replace(ANA, steps=(step(K.ACCOUNT, state),)))
    assert (about, reason) == ("Cuenta", Reason(explain(code), code, Remedy.OPERATOR))


def test_everything_has_a_word() -> None:
    assert len({sheet_words.column(kind) for kind in StepKind}) == len(StepKind)
    assert len({sheet_words.step_state(K.ACCOUNT, state) for state in StepState}) == len(StepState) - 1
    assert len({sheet_words.batch_state(state) for state in BatchState}) == len(BatchState)
    assert len({sheet_words.who_acts(remedy) for remedy in Remedy}) == len(Remedy)
    assert len(widths(tuple(StepKind))) == len(headings(tuple(StepKind))) == len(StepKind) + 8


FACTS = BatchFacts(
    code="L-0042",
    title="Activación completa",
    state=BatchState.FINISHED_WITH_FAILURES,
    students=37,
    selection="aspirantes nuevos",
    requested_by="Ana",
    requested_at=AT,
    approvals=(Approval("Bruno", AT + timedelta(minutes=1)), Approval("Carla", AT + timedelta(minutes=2))),
    decided_by="Carla",
    decided_at=AT + timedelta(minutes=2),
    reason="",
    started_at=AT + timedelta(minutes=3),
    finished_at=None,
    tallies=(),
    environment="SIMULADOR",
    zone="America/Argentina/Cordoba",
    made_at=AT + timedelta(hours=1),
)


def test_the_summary_names_who_asked_and_everybody_who_approved() -> None:
    assert facts_rows(FACTS) == [
        ("Lote", "L-0042"),
        ("Operación", "Activación completa"),
        ("Estado", "terminado con pendientes"),
        ("Alumnos", 37),
        ("Selección", "aspirantes nuevos"),
        ("Pedido por", "Ana", AT),
        ("Aprobado por", "Bruno", AT + timedelta(minutes=1)),
        ("Aprobado por", "Carla", AT + timedelta(minutes=2)),
        ("Empezó", AT + timedelta(minutes=3)),
        ("Planilla hecha", AT + timedelta(hours=1)),
        ("Entorno", "SIMULADOR"),
        ("Hora de", "America/Argentina/Cordoba"),
    ]


@pytest.mark.parametrize(
    ("state", "approvals", "decisions"),
    [
        (BatchState.REJECTED, (), ["Rechazado por"]),
        (BatchState.CANCELLED, FACTS.approvals, ["Aprobado por", "Aprobado por", "Cancelado por"]),
        (BatchState.RUNNING, (), ["Aprobado por"]),
    ],
)
def test_the_summary_tells_who_stopped_it(
    state: BatchState, approvals: tuple[Approval, ...], decisions: list[str]
) -> None:
    rows = facts_rows(replace(FACTS, state=state, approvals=approvals, reason="falta la comisión"))
    assert [name for name, *_ in rows if str(name).endswith("do por")] == ["Pedido por", *decisions]
    assert ("Motivo", "falta la comisión") in rows


def test_an_undecided_batch_names_nobody() -> None:
    rows = facts_rows(replace(FACTS, state=BatchState.EXPIRED, approvals=(), decided_by="", decided_at=None))
    assert [name for name, *_ in rows if str(name).endswith("do por")] == ["Pedido por"]


def test_tallies_and_reasons_are_tables() -> None:
    heading, line = tally_rows([Tally(K.ACCOUNT, done=5, already=2, failed=1, left=4)])
    told = {name: count for name, count in zip(heading, line, strict=True) if count}
    assert told == {"Paso": "Cuenta", "Hecho": 5, "Ya estaba": 2, "Falló": 1, "Por hacer": 4, "Total": 12}
    assert len(WIDTHS) == len(heading)
    rare, often = Reason("b", "E-004", Remedy.SOURCE), Reason("a")
    assert reason_rows({rare: 1, often: 3}) == [
        ("Código", "Motivo", "Quién corrige", "Alumnos"),
        (None, "a", "", 3),
        ("E-004", "b", "Registro de Alumnos", 1),
    ]
