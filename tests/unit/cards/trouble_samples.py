"""Batches in trouble: what does not fit, changed, was undone by halves, stands still, or came from another one."""

from dataclasses import replace
from datetime import timedelta

from lucy.domain.batches import Relation
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.domain.steps import StepState
from lucy.domain.views import (
    Approval,
    BatchAction,
    BatchView,
    Impossible,
    Kin,
    Obstacle,
    Problem,
    Tally,
)
from lucy.errors import Remedy
from tests.unit.cards.batch_samples import (
    APPROVERS,
    AT,
    AWAITING,
    FINISHED,
    FORECAST,
    HELD_ACTIONS,
    HUGE,
    LONG,
    REQUESTER,
    RUNNING,
    WITH_FAILURES,
    B,
    K,
)

CHANGES = (
    Impossible("cambió la carrera", 2, ("●●●●5432", "●●●●0118")),
    Impossible("cambió el correo personal", 1, ("●●●●7766",)),
)
SAMPLE = (
    "●●●●5432: cuenta, licencia, carta, usuario de Moodle, INGRESO-2026, CONT-1",
    "●●●●0118: cuenta, licencia, carta, usuario de Moodle, INGRESO-2026",
    "●●●●7766: usuario de Moodle, ADM-1",
)
PAUSE = Obstacle("moodle", "mantenimiento", owner="Ana Ruiz", until=AT + timedelta(hours=9, minutes=48), waiting=40)
EVERYTHING = Obstacle("", "cierre de actas", owner=APPROVERS[1], until=AT + timedelta(days=1), waiting=0)
OUTAGE = Obstacle("moodle", "", since=AT - timedelta(minutes=10), waiting=340)
MAIL_DOWN = Obstacle("mail", "la conexión se cortó", since=AT - timedelta(days=1), waiting=1)

UNDO = replace(
    AWAITING,
    number=160,
    code="L-0160",
    kind=BatchKind.UNDO,
    selection="deshacer L-0122",
    tallies=(
        Tally(K.UNENROL, already=2, left=69),
        Tally(K.SUSPEND_ENROLMENT, left=3),
        Tally(K.SUSPEND_MOODLE_USER, left=37),
        Tally(K.REMOVE_LICENCE, left=35),
        Tally(K.DISABLE_ACCOUNT, left=35),
        Tally(K.NEW_SECRET, left=34),
        Tally(K.RECTIFY_MAIL, left=34),
    ),
    parent=Kin("L-0122", Relation.UNDO),
    irreversible=(
        Impossible("cartas aceptadas. A cambio: contraseña nueva y carta de rectificación", 34, ("●●●●5432",)),
    ),
    confirm=True,
    forecast=replace(FORECAST, seats_free=None, letters=34, moodle_calls=109, duration_s=200),
)
UNDOING = replace(
    UNDO,
    state=B.RUNNING,
    forecast=None,
    irreversible=(),
    decided_by=APPROVERS[1],
    decided_at=AT + timedelta(minutes=3),
    started_at=AT + timedelta(minutes=3),
    tallies=(
        Tally(K.UNENROL, done=60, already=2, conflicts=2, left=7),
        Tally(K.SUSPEND_ENROLMENT, done=3),
        Tally(K.SUSPEND_MOODLE_USER, done=30, left=7),
        Tally(K.REMOVE_LICENCE, done=28, left=7),
        Tally(K.DISABLE_ACCOUNT, done=27, conflicts=1, left=7),
        Tally(K.NEW_SECRET, done=26, skipped=1, left=7),
        Tally(K.RECTIFY_MAIL, done=20, skipped=1, left=13),
    ),
    problems=(
        Problem(K.UNENROL, StepState.SKIPPED, "G-008", "Alguien lo cambió.", Remedy.OPERATOR, 2, ("●●●●5432",)),
        Problem(K.DISABLE_ACCOUNT, StepState.SKIPPED, "G-008", "Alguien lo cambió.", Remedy.OPERATOR, 1, ("●●●●0118",)),
    ),
    per_minute=60,
    eta_s=7,
    actions=frozenset({BatchAction.PAUSE, BatchAction.CANCEL, BatchAction.ROWS}),
)

_APPROVALS = (
    Approval(APPROVERS[0], AT + timedelta(minutes=3)),
    Approval(APPROVERS[1], AT + timedelta(minutes=50)),
)
_ENDED = frozenset({BatchAction.ROWS, BatchAction.RETRY, BatchAction.UNDO, BatchAction.DOWNLOAD})
_DROPPED = (
    Tally(K.ACCOUNT, done=32, already=2, dropped=3),
    Tally(K.LICENCE, done=32, already=2, dropped=3),
    Tally(K.CREDENTIALS_MAIL, done=31, failed=1, dropped=3),
    Tally(K.MOODLE_USER, done=34, dropped=3),
    Tally(K.ENROLMENT, done=66, already=3, dropped=5),
)

TROUBLE: dict[str, BatchView] = {
    "awaiting-courses-closed": replace(
        AWAITING, forecast=replace(FORECAST, courses=(("CONT-1", "M-013"), (LONG, "M-005"), ("X", "M-014")) * 3)
    ),
    "awaiting-sample": replace(AWAITING, sample=SAMPLE),
    "awaiting-forecast-missing": replace(AWAITING, forecast=None),
    "awaiting-quota-short": replace(
        AWAITING,
        students=520,
        forecast=replace(
            FORECAST, seats_free=1200, seats_total=2000, letters=520, letters_today=9500, fits=500, duration_s=11 * 3600
        ),
        tallies=(Tally(K.ACCOUNT, left=520), Tally(K.LICENCE, left=520), Tally(K.CREDENTIALS_MAIL, left=520)),
        actions=frozenset({BatchAction.SPLIT, BatchAction.REJECT, BatchAction.ROWS, BatchAction.CANCEL}),
    ),
    "awaiting-one-of-two": replace(AWAITING, approvals_needed=2, approvals=_APPROVALS[:1]),
    "awaiting-two": replace(AWAITING, approvals_needed=2, confirm=True),
    "awaiting-in-the-way": replace(
        AWAITING,
        obstacles=(replace(PAUSE, waiting=108), EVERYTHING),
        waits_for=(("L-0041", 3), ("L-0050", 1)),
    ),
    "awaiting-changed": replace(
        AWAITING,
        students=3,
        tallies=(Tally(K.ACCOUNT, left=3), Tally(K.LICENCE, left=3), Tally(K.ENROLMENT, left=5)),
        parent=Kin("L-0122", Relation.CHANGED),
        changes=CHANGES,
        forecast=replace(FORECAST, letters=0, moodle_calls=5),
    ),
    "awaiting-split": replace(AWAITING, parent=Kin("L-0050", Relation.SPLIT)),
    "awaiting-rest": replace(AWAITING, parent=Kin("L-0041", Relation.REST)),
    "awaiting-withheld": replace(
        AWAITING,
        students=2,
        kind=BatchKind.ENROL,
        options=BatchOptions(removals=True),
        tallies=(Tally(K.UNENROL, left=2),),
        parent=Kin("L-0050", Relation.WITHHELD),
        forecast=replace(FORECAST, letters=0, moodle_calls=2),
    ),
    "awaiting-undo": UNDO,
    "held-midway": replace(
        RUNNING,
        state=B.HELD,
        reason="De los últimos 20 alumnos fallaron 12; el límite es la mitad.",
        approvals=_APPROVALS[:1],
        children=(Kin("L-0051", Relation.WITHHELD),),
        actions=HELD_ACTIONS,
    ),
    "running-in-the-way": replace(
        RUNNING,
        obstacles=(PAUSE, OUTAGE, MAIL_DOWN),
        waits_for=(("L-0041", 3), ("L-0050", 1)),
        approvals=_APPROVALS,
        approvals_needed=2,
    ),
    "running-outage": replace(RUNNING, obstacles=(OUTAGE,), per_minute=None, eta_s=None, notes=()),
    "running-dropped": replace(
        RUNNING,
        tallies=tuple(replace(one, dropped=3, left=max(0, one.left - 3)) for one in RUNNING.tallies),
        dropped=3,
        changes=CHANGES,
        children=(Kin("L-0123", Relation.CHANGED),),
        maybe_twice=1,
    ),
    "running-undo": UNDOING,
    "running-unapproved": replace(RUNNING, approvals_needed=0, decided_by="", decided_at=None),
    "finished-dropped": replace(
        WITH_FAILURES,
        tallies=_DROPPED,
        problems=(
            *WITH_FAILURES.problems[:1],
            Problem(K.ACCOUNT, StepState.DROPPED, "G-003", "El alumno cambió.", Remedy.OPERATOR, 3, ("●●●●5432",)),
        ),
        dropped=3,
        changes=CHANGES,
        children=(Kin("L-0123", Relation.CHANGED), Kin("L-0124", Relation.WITHHELD), Kin("L-0125", Relation.SPLIT)),
        maybe_twice=2,
        approvals=_APPROVALS,
        approvals_needed=2,
        actions=_ENDED,
        notes=(),
    ),
    "finished-undone": replace(FINISHED, children=(Kin("L-0160", Relation.UNDO),), actions=_ENDED),
    "undone-in-part": replace(
        UNDOING,
        state=B.FINISHED_WITH_FAILURES,
        tallies=tuple(replace(one, done=one.done + one.left, left=0) for one in UNDOING.tallies),
        finished_at=AT + timedelta(minutes=6),
        actions=_ENDED,
    ),
    "nothing-undone": replace(
        UNDOING,
        state=B.NOTHING_DONE,
        tallies=(Tally(K.UNENROL, conflicts=71), Tally(K.DISABLE_ACCOUNT, conflicts=35)),
        problems=(),
        finished_at=AT + timedelta(minutes=6),
        actions=frozenset({BatchAction.ROWS}),
    ),
    "cancelled-in-hand": replace(
        RUNNING,
        state=B.CANCELLED,
        tallies=tuple(replace(one, cancelled=one.left, left=0) for one in RUNNING.tallies),
        decided_by=REQUESTER,
        approvals=_APPROVALS[:1],
        obstacles=(replace(OUTAGE, waiting=2),),
        children=(Kin("L-0126", Relation.REST),),
        reason="Se pidió por error sobre la cohorte equivocada.",
    ),
}

_MUCH = replace(
    HUGE,
    approvals=(Approval(LONG, AT),) * 20,
    approvals_needed=20,
    confirm=True,
    sample=("●●●●5432: " + "usuario de Moodle, " * 30,) * 40,
    children=tuple(Kin(f"L-{200 + at}", relation) for at in range(40) for relation in Relation),
    changes=HUGE.impossible,
    dropped=400,
    irreversible=HUGE.impossible,
    obstacles=(Obstacle("mail", "no se sabe por qué " * 30, owner=LONG, since=AT, until=AT, waiting=9),) * 20,
    waits_for=(("L-0041", 3),) * 40,
    maybe_twice=12,
    forecast=replace(FORECAST, fits=12),
    tallies=tuple(
        Tally(kind, 1284, 1284, 1284, 1284, 1284, 1284, 1284, 1284) for kind in (tally.kind for tally in UNDO.tallies)
    ),
)
TROUBLE |= {f"{state}-huge": replace(_MUCH, state=state) for state in B}
