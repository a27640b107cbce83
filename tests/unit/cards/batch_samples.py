"""A batch in every state, with long, accented, fictitious names."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lucy.domain.batches import BatchState
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.steps import StepState
from lucy.domain.views import BatchAction, BatchView, Forecast, Frame, Impossible, Problem, Tally
from lucy.errors import Remedy

AT = datetime(2026, 11, 24, 11, 12, tzinfo=UTC)  # 08:12 in Río Cuarto
FRAME = Frame("SIMULADOR", ZoneInfo("America/Argentina/Cordoba"), AT + timedelta(minutes=4))

REQUESTER = "María de los Ángeles Etchegaray Güiraldes"
APPROVERS = ("Ñusta Belén Yrigoyen", "Óscar Maximiliano Peñaloza Ibarguren")

K, B = StepKind, BatchState

PLANNED = (
    Tally(K.ACCOUNT, already=2, left=35),
    Tally(K.LICENCE, already=2, left=35),
    Tally(K.CREDENTIALS_MAIL, left=35),
    Tally(K.MOODLE_USER, left=37),
    Tally(K.ENROLMENT, already=3, left=71),
)

FORECAST = Forecast(
    seats_free=498,
    seats_total=500,
    letters=35,
    letters_today=120,
    letters_quota=10000,
    moodle_calls=108,
    duration_s=40,
)

AWAITING = BatchView(
    number=122,
    code="L-0122",
    kind=BatchKind.ACTIVATE,
    options=BatchOptions(),
    state=B.AWAITING_APPROVAL,
    version=3,
    selection="aspirantes nuevos",
    students=37,
    tallies=PLANNED,
    requested_by=REQUESTER,
    requested_at=AT,
    expires_at=AT + timedelta(days=3),
    approvers=APPROVERS,
    forecast=FORECAST,
    actions=frozenset({BatchAction.APPROVE, BatchAction.REJECT, BatchAction.ROWS, BatchAction.CANCEL}),
)

RUNNING = replace(
    AWAITING,
    state=B.RUNNING,
    version=5,
    tallies=(
        Tally(K.ACCOUNT, done=28, already=2, left=7),
        Tally(K.LICENCE, done=27, already=2, failed=1, left=7),
        Tally(K.CREDENTIALS_MAIL, done=21, skipped=1, left=13),
        Tally(K.MOODLE_USER, done=37),
        Tally(K.ENROLMENT, done=60, already=3, left=11),
    ),
    decided_by=APPROVERS[1],
    decided_at=AT + timedelta(minutes=3),
    started_at=AT + timedelta(minutes=3, seconds=1),
    per_minute=312,
    eta_s=20,
    notes=("Graph pidió esperar 5 s (08:15:31)",),
    problems=(
        Problem(
            K.LICENCE,
            StepState.FAILED,
            "T-008",
            "Entra no dejó asignar la licencia. Un administrador tiene que revisar la licencia y la ubicación de uso.",
            Remedy.ADMINISTRATOR,
            1,
            ("●●●●0118",),
        ),
    ),
    actions=frozenset({BatchAction.PAUSE, BatchAction.CANCEL, BatchAction.ROWS}),
)

DONE = (
    Tally(K.ACCOUNT, done=35, already=2),
    Tally(K.LICENCE, done=35, already=2),
    Tally(K.CREDENTIALS_MAIL, done=35),
    Tally(K.MOODLE_USER, done=37),
    Tally(K.ENROLMENT, done=71, already=3),
)

FINISHED = replace(
    RUNNING,
    state=B.FINISHED,
    version=6,
    tallies=DONE,
    finished_at=AT + timedelta(minutes=3, seconds=42),
    per_minute=None,
    eta_s=None,
    notes=(),
    problems=(),
    actions=frozenset({BatchAction.ROWS, BatchAction.UNDO}),
)

WITH_FAILURES = replace(
    FINISHED,
    state=B.FINISHED_WITH_FAILURES,
    tallies=(
        *DONE[:2],
        Tally(K.CREDENTIALS_MAIL, done=34, failed=1),
        Tally(K.MOODLE_USER, done=35, failed=2),
        Tally(K.ENROLMENT, done=64, already=3, failed=3, skipped=4),
    ),
    problems=(
        Problem(
            K.CREDENTIALS_MAIL,
            StepState.FAILED,
            "E-004",
            "La casilla no existe o no acepta correo. La corrige Registro de Alumnos; después: reenviar.",
            Remedy.SOURCE,
            1,
            ("●●●●5432",),
        ),
        Problem(
            K.MOODLE_USER,
            StepState.FAILED,
            "M-008",
            "En Moodle, el usuario o el correo ya es de otra persona. Un administrador tiene que ver de quién es.",
            Remedy.ADMINISTRATOR,
            2,
            ("●●●●0907", "●●●●4410"),
        ),
        Problem(
            K.ENROLMENT,
            StepState.FAILED,
            "M-005",
            "El curso no existe en Moodle. Un administrador tiene que revisar la regla de curso.",
            Remedy.ADMINISTRATOR,
            3,
            ("●●●●3321", "●●●●7788", "●●●●1029"),
        ),
        Problem(K.ENROLMENT, StepState.SKIPPED, "G-002", "Dependía de otro.", Remedy.OPERATOR, 4),
    ),
    notes=("Moodle no respondió desde las 08:15 hasta las 08:16; los pasos siguieron solos.",),
    actions=frozenset({BatchAction.ROWS, BatchAction.RETRY, BatchAction.UNDO}),
)

LONG = "Wenceslao Maximiliano de la Santísima Trinidad Ñandubay-Goyeneche Etcheverrigaray y Sáenz Valiente Ürqüiza"

HUGE = replace(
    WITH_FAILURES,
    selection="aspirantes carrera:CP,LA,TGA,TGE " * 20,
    requested_by=LONG,
    decided_by=LONG,
    approvers=(LONG,) * 12,
    problems=tuple(
        Problem(
            list(K)[at % len(K)],
            StepState.FAILED,
            f"M-{at:03d}",
            "El servidor respondió algo larguísimo que nadie esperaba, con *signos* y [enlaces](x). " * 4,
            list(Remedy)[at % 4],
            100 - at,
            ("●●●●5432",) * 10,
        )
        for at in range(40)
    ),
    impossible=tuple(
        Impossible("no tienen ningún correo válido en SIAL " * 8, 3, ("●●●●1234",) * 9) for _ in range(40)
    ),
    notes=("Graph pidió esperar cinco segundos y después otros cinco. " * 10,) * 30,
    actions=frozenset(BatchAction),
)

HELD_ACTIONS = frozenset(
    {BatchAction.RELEASE, BatchAction.SPLIT, BatchAction.REJECT, BatchAction.ROWS, BatchAction.CANCEL}
)
UNTOUCHED = tuple(Tally(tally.kind, already=tally.total) for tally in PLANNED)
STOPPED = (
    Tally(K.ACCOUNT, done=20, already=2, cancelled=15),
    Tally(K.LICENCE, done=18, already=2, cancelled=17),
    Tally(K.CREDENTIALS_MAIL, done=12, cancelled=23),
    Tally(K.MOODLE_USER, done=20, cancelled=17),
    Tally(K.ENROLMENT, done=31, already=3, cancelled=40),
)

BATCHES: dict[str, BatchView] = {
    "draft": replace(AWAITING, state=B.DRAFT, actions=frozenset({BatchAction.CANCEL})),
    "awaiting": AWAITING,
    "awaiting-requester": replace(
        AWAITING,
        requester_teams_id="29:1aBcDeFg",
        impossible=(
            Impossible("son preinscriptos: no llevan cuenta", 2, ("●●●●5432", "●●●●0118")),
            Impossible("ninguna regla les da curso: sólo cuenta y usuario de Moodle", 1, ("●●●●7766",)),
        ),
        actions=frozenset({BatchAction.ROWS, BatchAction.CANCEL}),
    ),
    "awaiting-seats-short": replace(
        AWAITING,
        options=BatchOptions(mail=False, moodle=False),
        tallies=(Tally(K.ACCOUNT, left=35), Tally(K.LICENCE, left=35)),
        forecast=Forecast(seats_free=15, seats_total=500, duration_s=300, fits=15),
        actions=frozenset({BatchAction.SPLIT, BatchAction.REJECT, BatchAction.ROWS, BatchAction.CANCEL}),
    ),
    "awaiting-seats-unknown": replace(AWAITING, forecast=Forecast(letters=1), approvers=("Olga Paz",)),
    "held": replace(
        AWAITING,
        state=B.HELD,
        reason="Son 37 alumnos y el límite sin revisar es de 30.",
        actions=HELD_ACTIONS,
    ),
    "queued": replace(
        RUNNING, state=B.QUEUED, tallies=PLANNED, problems=(), notes=(), per_minute=None, eta_s=None, started_at=None
    ),
    "running": RUNNING,
    "paused": replace(
        RUNNING, state=B.PAUSED, actions=frozenset({BatchAction.RESUME, BatchAction.CANCEL, BatchAction.ROWS})
    ),
    "finished": FINISHED,
    "finished-one": replace(
        FINISHED,
        students=1,
        tallies=tuple(Tally(tally.kind, done=1) for tally in PLANNED),
        finished_at=AT + timedelta(hours=1, minutes=40),
    ),
    "with-failures": WITH_FAILURES,
    "all-failed": replace(
        WITH_FAILURES,
        tallies=(Tally(K.ACCOUNT, failed=37), *(Tally(tally.kind, skipped=37) for tally in PLANNED[1:])),
        problems=(
            Problem(
                K.ACCOUNT,
                StepState.FAILED,
                "T-011",
                "A Lucy le falta un permiso en Graph. Un administrador tiene que darle consentimiento.",
                Remedy.ADMINISTRATOR,
                37,
                ("●●●●5432", "●●●●0118", "●●●●7766"),
            ),
        ),
        notes=(),
    ),
    "nothing-done": replace(FINISHED, state=B.NOTHING_DONE, tallies=UNTOUCHED, actions=frozenset()),
    "nothing-selected": replace(
        FINISHED,
        state=B.NOTHING_DONE,
        students=0,
        tallies=(),
        selection="aspirantes carrera:TGA sin:cuenta",
        decided_by="",
        actions=frozenset(),
    ),
    "rejected": replace(
        AWAITING,
        state=B.REJECTED,
        decided_by=APPROVERS[0],
        decided_at=AT + timedelta(hours=2),
        reason="Faltan los de *Contador* a distancia; esperemos a la [ingesta](https://example.org) de mañana.",
    ),
    "expired": replace(AWAITING, state=B.EXPIRED),
    "cancelled": replace(AWAITING, state=B.CANCELLED, decided_by=REQUESTER, decided_at=AT + timedelta(minutes=1)),
    "cancelled-midway": replace(
        FINISHED,
        state=B.CANCELLED,
        tallies=STOPPED,
        decided_by=APPROVERS[0],
        decided_at=AT + timedelta(minutes=3, seconds=30),
        reason="Se pidió por error sobre la cohorte equivocada.",
    ),
    "huge": HUGE,
}
